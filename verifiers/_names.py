r"""Answers with the names they are given: `x = 3`, `f(x) = x^2`, `AB = 4`, `x = 1, y = 2`, `(p, q) = (3, 2)`.

A name is dropped where the other side has none. Values of different names against bare ones count in the order in which
they are written, and against a tuple only where that is the order of the alphabet. `a^2 + b = 0` gives no name.
"""

from dataclasses import dataclass

from verifiers._deciders import letters
from verifiers._scalars import Node

_FUNCTIONS = frozenset("fghFGHPQWTLSVME")


@dataclass(frozen=True, slots=True)
class Named:
    """A value and its name; `name` is empty where it has none."""

    name: str
    value: Node


def members(node: Node) -> list[Named] | None:
    """The items of a list, or of one, with their names; None where one of them is another kind of relation."""
    items = list(node[1:]) if node[0] == "list" or (node[0] == "set" and _relations(node)) else [node]
    if items[0][0] == "relation" and items[0][2][0] == "()" and all(item[0] == "()" for item in items[1:]):
        items[1:] = [("relation", "=", items[0][2], item) for item in items[1:]]  # (x, y) = (1, 2), (3, 4)
    found: list[Named] = []
    for item in items:
        if item[0] == "relation" and (item[1] in ("=", "approx") or (item[1] == "in" and item[3][0] == "set")):
            parts = _split(item)
            if parts is None:
                return None
            found += parts
        elif item[0] in ("relation", "chain"):
            return None
        else:
            found.append(Named("", item))
    if found and found[0].name and not any(named.name for named in found[1:]):
        return [Named(found[0].name, named.value) for named in found]  # x = 1, 2
    return found


def _relations(node: Node) -> bool:
    return all(part[0] == "relation" for part in node[1:])


def _split(relation: Node) -> list[Named] | None:
    _, _, left, right = relation
    if (
        left[0] == "()"
        and left[0] == right[0]
        and len(left) == len(right)
        and all(part[0] == "letter" for part in left[1:])
    ):
        return [Named(_key(name), value) for name, value in zip(left[1:], right[1:], strict=True)]
    name = name_of(left, constant=not letters(right) if right[0] not in ("relation", "chain") else False)
    if not name or (left[0] == "letter" and left[1] in letters(right)):
        return None
    return [Named(name, right)]


def name_of(node: Node, constant: bool = True) -> str:
    """The text of a name, or nothing where a tree is none. What has a `constant` value may be named `AB` or `|AB|`."""
    kind, *parts = node
    if kind == "letter":
        return _key(node)
    if kind == "apply":
        return f"{parts[0]}({'' if constant else parts[1:]})"
    if kind == "mul" and parts[0][0] == "letter" and parts[0][1][0] in _FUNCTIONS and parts[1][0] == "letter":
        return f"{parts[0][1]}({'' if constant else parts[1:]})"
    if kind == "mul" and parts[0][0] == "pow" and parts[0][1][0] == "letter" and parts[0][2][1:] == (("number", 1),):
        return f"{parts[0][1][1]}^-1({'' if constant else parts[1:]})"
    if kind == "div" and all(p[0] == "mul" and p[1] == ("letter", "d") for p in parts):
        return str(node)
    return _label(node) if constant else ""


def _label(node: Node) -> str:
    """Segments and the like: products of capitals, also in bars, quotients and ratios."""
    kind, *parts = node
    if kind == "letter":
        return node[1] if node[1][0].isupper() or node[1].startswith(("angle", "triangle", "bar", "sigma")) else ""
    if kind == "call" and parts[0] == "abs":
        return _label(parts[1]) and f"|{_label(parts[1])}|"
    if kind not in ("mul", "div", "ratio"):
        return ""
    inside = [_label(part) for part in parts]
    return f"({kind} {' '.join(inside)})" if all(inside) else ""


def _key(letter: Node) -> str:
    return str(letter[1])


def sequence_like(names: list[str]) -> bool:
    """Whether the names are one letter with different subscripts: `x_1, x_2`, whose order means nothing."""
    return len({name.partition("_")[0] for name in names}) == 1 and all("_" in name for name in names)


def numbered(ours: list[Named], theirs: list[Named]) -> list[Named]:
    """`x_1 = 1, x_2 = 3` as two values of x, where the other side has only those."""
    names = [named.name for named in ours]
    base = names[0].partition("_")[0] if names else ""
    if len(names) > 1 and sequence_like(names) and theirs and {named.name for named in theirs} == {base}:
        return [Named(base, named.value) for named in ours]
    return ours
