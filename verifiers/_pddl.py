"""Reads a PDDL domain and problem to a STRIPS task: typing, constants and negative preconditions, and nothing beyond.

What it does not know (`either`, equality, conditional effects, quantifiers, metrics, derived predicates) it refuses
with one sentence, so that a task is read whole or not at all. The types of a predicate's parameters are not compared
with its use. Source: McDermott and others, PDDL 1.2; Fox and Long, PDDL 2.1, level 1.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verifiers._sexpr import Expr, Unreadable, read, write
from verifiers._strips import Atom, Pattern, Schema, Task

REQUIREMENTS = frozenset({":strips", ":typing", ":negative-preconditions"})
ROOT = "object"

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_VARIABLE = re.compile(r"\?[a-z][a-z0-9_-]*")
_DOMAIN = frozenset({":requirements", ":types", ":constants", ":predicates", ":action"})
_PROBLEM = frozenset({":domain", ":requirements", ":objects", ":init", ":goal"})
_ACTION = frozenset({":parameters", ":precondition", ":effect"})

Literals = tuple[tuple[Pattern, bool], ...]


@dataclass(frozen=True, slots=True)
class _Domain:
    name: str
    parents: dict[str, str]  # of each type
    constants: dict[str, str]  # name to type
    arities: dict[str, int]  # of each predicate
    schemas: dict[str, Schema]


def parse(domain: str, problem: str) -> Task:
    """The task of the two texts. Raises Unreadable, whose sentence begins with the text that is at fault."""
    try:
        known = _domain(read(domain))
    except Unreadable as e:
        raise Unreadable(f"the domain: {e}") from None
    try:
        return _task(read(problem), known)
    except Unreadable as e:
        raise Unreadable(f"the problem: {e}") from None


def _domain(expr: tuple[Expr, ...]) -> _Domain:
    name, sections = _sections(expr, "domain", _DOMAIN)
    parents = dict.fromkeys([ROOT], "")
    for kind, parent in _typed(_one(sections, ":types"), _NAME):
        if kind == ROOT or (kind in parents and parents[kind] not in (ROOT, parent)):
            raise Unreadable(f"the type {kind} is declared twice")
        parents[kind] = parent
        parents.setdefault(parent, ROOT)
    constants = _distinct(_typed(_one(sections, ":constants"), _NAME), "constant")
    arities: dict[str, int] = {}
    for item in _one(sections, ":predicates"):
        head, *rest = _list(item)
        predicate = _name(head)
        if predicate in arities:
            raise Unreadable(f"the predicate {predicate} is declared twice")
        arities[predicate] = len(_distinct(_typed(rest, _VARIABLE), "parameter"))
    known = _Domain(name, parents, constants, arities, {})
    for action in (body for key, body in sections if key == ":action"):
        title = _name(action[0]) if action else "without a name"
        if title in known.schemas:
            raise Unreadable(f"the action {title} is declared twice")
        try:
            known.schemas[title] = _schema(action[1:], known)
        except Unreadable as e:
            raise Unreadable(f"in the action {title}, {e}") from None
    return known


def _task(expr: tuple[Expr, ...], domain: _Domain) -> Task:
    _, sections = _sections(expr, "problem", _PROBLEM)
    if _one(sections, ":domain") != (domain.name,):
        raise Unreadable(f"it is not one of the domain {domain.name}")
    declared = [*domain.constants.items(), *_typed(_one(sections, ":objects"), _NAME)]
    types = _distinct(declared, "object")
    above = {kind: _above(kind, domain.parents) for kind in {*types.values()}}
    init = [_atom(item, domain.arities, {}, types) for item in _one(sections, ":init")]
    goal = _one(sections, ":goal")
    if len(goal) != 1:
        raise Unreadable("it has no goal, or several")
    wanted = _literals(goal[0], domain.arities, {}, types)
    return Task(
        {name: above[kind] for name, kind in types.items()},
        domain.schemas,
        frozenset(map(_ground, init)),
        tuple((_ground(pattern), holds) for pattern, holds in wanted),
    )


def _schema(body: Sequence[Expr], domain: _Domain) -> Schema:
    """The action in what follows its name: keys and values in turn."""
    keys, values = body[::2], body[1::2]
    if len(keys) != len(values) or len({*keys}) != len(keys) or not {*keys} <= _ACTION:
        raise Unreadable(f"the keys are not some of {', '.join(sorted(_ACTION))}, each with a value")
    parts = dict(zip(keys, values, strict=True))
    parameters = _distinct(_typed(_list(parts.get(":parameters", ())), _VARIABLE), "parameter")
    for kind in parameters.values():
        _above(kind, domain.parents)
    places = {name: at for at, name in enumerate(parameters)}
    conditions, effects = (
        _literals(parts.get(key, ()), domain.arities, places, domain.constants) for key in (":precondition", ":effect")
    )
    return Schema(
        tuple(parameters.values()),
        conditions,
        tuple(pattern for pattern, holds in effects if holds),
        tuple(pattern for pattern, holds in effects if not holds),
    )


def _sections(
    expr: tuple[Expr, ...], kind: str, known: frozenset[str]
) -> tuple[str, list[tuple[str, tuple[Expr, ...]]]]:
    """Name and sections of `(define (kind name) (:key ...) ...)`."""
    match expr:
        case ("define", (str(found), str(name)), *rest) if found == kind:
            pass
        case _:
            raise Unreadable(f"it does not begin with (define ({kind} <name>)")
    sections = [(_key(item), _list(item)[1:]) for item in rest]
    for key, body in sections:
        if key not in known:
            raise Unreadable(f"the section {key[:40]} is not understood")
        if key == ":requirements" and (strange := [write(r) for r in body if r not in REQUIREMENTS]):
            raise Unreadable(f"it requires {strange[0]}, which is not supported")
    single = [key for key, _ in sections if key != ":action"]
    if len({*single}) != len(single):
        raise Unreadable("a section is there twice")
    return name, sections


def _one(sections: list[tuple[str, tuple[Expr, ...]]], key: str) -> tuple[Expr, ...]:
    """What is in the section of that key; nothing when there is none."""
    return next((body for found, body in sections if found == key), ())


def _key(item: Expr) -> str:
    match item:
        case (str(key), *_):
            return key
    raise Unreadable(f"{write(item)} is no section")


def _typed(items: Sequence[Expr], shape: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """(name, type) of `a b - t c`; without a type it is the root."""
    waiting: list[str] = []
    rest = iter(items)
    for item in rest:
        if item != "-":
            waiting.append(_name(item, shape))
            continue
        kind = _name(next(rest, ()))
        if not waiting:
            raise Unreadable(f"nothing is said to be of the type {kind}")
        yield from ((name, kind) for name in waiting)
        waiting = []
    yield from ((name, ROOT) for name in waiting)


def _distinct(pairs: Sequence[tuple[str, str]] | Iterator[tuple[str, str]], what: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, kind in pairs:
        if name in found:
            raise Unreadable(f"the {what} {name} is declared twice")
        found[name] = kind
    return found


def _above(kind: str, parents: dict[str, str]) -> frozenset[str]:
    """A type and all it inherits from."""
    found: list[str] = []
    while kind:
        if kind not in parents:
            raise Unreadable(f"there is no type {kind}")
        if kind in found:
            raise Unreadable(f"the type {kind} inherits from itself")
        found.append(kind)
        kind = parents[kind]
    return frozenset(found)


def _literals(expr: Expr, arities: dict[str, int], places: dict[str, int], things: dict[str, str]) -> Literals:
    """The atoms of a conjunction, each with whether it holds; `()` is the empty one."""
    match expr:
        case ():
            return ()
        case ("and", *rest):
            return tuple(literal for item in rest for literal in _literals(item, arities, places, things))
        case ("not", atom):
            return ((_atom(atom, arities, places, things), False),)
        case _:
            return ((_atom(expr, arities, places, things), True),)


def _atom(expr: Expr, arities: dict[str, int], places: dict[str, int], things: dict[str, str]) -> Pattern:
    """The pattern of `(predicate term ...)`, whose terms are known variables or objects."""
    predicate, *terms = _list(expr) or ("",)
    if not isinstance(predicate, str) or arities.get(predicate) != len(terms):
        raise Unreadable(f"{write(expr)} is no atom of a declared predicate")
    found: list[str | int] = [predicate]
    for term in terms:
        if isinstance(term, str) and term in places:
            found.append(places[term])
        elif isinstance(term, str) and term in things:
            found.append(term)
        else:
            raise Unreadable(f"{write(term)} in {write(expr)} is not declared")
    return tuple(found)


def _ground(pattern: Pattern) -> Atom:
    return tuple(part for part in pattern if isinstance(part, str))


def _list(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, str):
        raise Unreadable(f"{expr[:40]} stands where a list should")
    return expr


def _name(expr: Expr, shape: re.Pattern[str] = _NAME) -> str:
    if not isinstance(expr, str) or not shape.fullmatch(expr):
        what = "variable" if shape is _VARIABLE else "name"
        raise Unreadable(f"{write(expr)} stands where a {what} should")
    return expr
