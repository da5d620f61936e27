r"""Whether two answers say the same: names, lists, tuples, sets, intervals, matrices, relations of scalars.

Three-valued: True is proved, False is proved, None is neither. An answer of another shape than the gold's is only False
where no reading could make them equal. Bare lists and sets have no order; tuples, intervals and matrices have; a column
may be written as a tuple, and a bare list of three or more as one in the same order. A member said twice counts once in
sets and in lists of tuples.
"""

from collections.abc import Callable, Iterable, Sequence

from verifiers._deciders import Undecidable, close, equal, letters, proportional
from verifiers._exact import rational
from verifiers._names import Named, members, name_of, numbered, sequence_like
from verifiers._real_sets import INTERVALS, is_region, same_region
from verifiers._rounding import half_unit, same_scalar
from verifiers._scalars import SHAPES, Node

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
_UNORDERED = frozenset({"list", "set"})
_ARBITRARY = frozenset("cCkKAB")
Comparison = Callable[[Node, Node], bool | None]
MAX_PAIRS = 400  # comparisons of members


def same(gold: Node, answer: Node) -> bool | None:
    """Whether two trees say the same. Raises Undecidable, Unbounded."""
    gold, answer = settled(gold), settled(answer)
    if gold == answer:
        return True
    if gold[0] == answer[0] and gold[0] in INTERVALS and _same_value(gold, answer):
        return True
    if is_region(gold) or is_region(answer):
        found = same_region(gold, answer)
        return found if found is not None else _same_relations(gold, answer)
    first, second = members(gold), members(answer)
    if first is None or second is None:
        return _same_relations(gold, answer)
    first, second = numbered(first, second), numbered(second, first)
    if any(named.name for named in (*first, *second)):
        return _same_named(first, second, gold, answer)
    return _same_value(gold, answer)


def settled(node: Node) -> Node:
    """`x = 1 + 1 = 2 \\approx 2.0` is `x = 2`. Raises Undecidable where the sides of a chain differ."""
    if node[0] in ("list", "set", "()"):
        return (node[0], *map(settled, node[1:]))
    if node[0] == "relation" and node[1] == "approx" and not name_of(node[2]):
        return _approximated(node[2], node[3])
    if node[0] != "chain" or set(node[1]) - {"=", "approx"}:
        return node
    sides = list(node[2:])
    for index in range(len(node[1]) - 1, -1, -1):
        if node[1][index] == "approx" and index:
            sides[index : index + 2] = [_approximated(sides[index], sides[index + 1])]
    first, rest = (sides[0], sides[1:]) if len(sides) > 1 and name_of(sides[0]) and letters(sides[0]) else (None, sides)
    if any(not same(rest[-1], side) for side in rest[:-1]):
        raise Undecidable("the sides of a chain differ, or may")
    return rest[-1] if first is None else ("relation", "=", first, rest[-1])


def _approximated(exact: Node, rounded: Node) -> Node:
    if exact[0] in SHAPES or rounded[0] in SHAPES or not close(exact, rounded, 2 * half_unit(rounded)):
        raise Undecidable("an approximation that is not close")
    return exact


# names


def _same_named(first: list[Named], second: list[Named], gold: Node, answer: Node) -> bool | None:
    names = [[named.name for named in side] for side in (first, second)]
    if all(all(side) for side in names):
        return _same_assignments(first, second, gold, answer)
    named, bare, other = (first, second, answer) if all(names[0]) else (second, first, gold)
    if not all(n.name for n in named) or any(n.name for n in bare):
        return None
    values = _bundled([n.value for n in named], [n.name for n in named])
    swap = named is second
    if len({n.name for n in named}) == 1:
        plain: Node = values[0] if len(values) == 1 else ("list", *values)
        return _ordered(swap, _same_value, plain, other)
    if other[0] in INTERVALS or other[0] == "matrix":
        alphabetical = [n.name for n in named] == sorted(n.name for n in named)
        return _ordered(swap, _same_value, ("()", *values), other) if alphabetical and values[0][0] != "()" else None
    if other[0] == "list" and len(values) == len(other) - 1:
        found = _all(_ordered(swap, same, v, o) for v, o in zip(values, other[1:], strict=True))
        if found is not True and (values[0][0] == "()" or sequence_like([n.name for n in named])):
            return _ordered(swap, _same_value, ("list", *values), other)
        return found if found is True else None
    return False if other[0] not in SHAPES else None


def _ordered(swap: bool, compare: Comparison, ours: Node, other: Node) -> bool | None:
    return compare(other, ours) if swap else compare(ours, other)


def _bundled(values: list[Node], names: list[str]) -> list[Node]:
    """`p = 5, q = 2, p = 7, q = 2` as tuples (5, 2), (7, 2); other values as they are."""
    width = len(dict.fromkeys(names))
    repeated = width > 1 and len(names) > width and all(n == names[i % width] for i, n in enumerate(names))
    if not repeated or len(names) % width or names[:width] != sorted(names[:width]):
        return values
    return [("()", *values[i : i + width]) for i in range(0, len(values), width)]


def _same_assignments(first: list[Named], second: list[Named], gold: Node, answer: Node) -> bool | None:
    if {n.name for n in first} != {n.name for n in second}:
        if len(first) != 1 or len(second) != 1:
            return None
        return _same_renamed(first[0], second[0], gold, answer)
    bundles = [_bundled([n.value for n in side], [n.name for n in side]) for side in (first, second)]
    if any(len(b) < len(side) for b, side in zip(bundles, (first, second), strict=True)):
        return _same_members(bundles[0], bundles[1])
    found = []
    for name in dict.fromkeys(n.name for n in first):
        ours, theirs = ([n.value for n in side if n.name == name] for side in (first, second))
        found.append(_same_members(ours, theirs))
    return _all(found)


def _same_renamed(first: Named, second: Named, gold: Node, answer: Node) -> bool | None:
    """`y = ..` may be `f(x) = ..`; two names for one number may be two things."""
    if letters(first.value) | letters(second.value):
        function = ("(" in first.name) != ("(" in second.name)
        return True if function and same(first.value, second.value) else _same_relations(gold, answer)
    return None if same(first.value, second.value) is not False else False


# values


def _same_value(gold: Node, answer: Node) -> bool | None:
    if {gold[0], answer[0]} & {"relation", "chain", "builder", "minus"}:
        return _same_relations(gold, answer)
    if gold[0] not in SHAPES and answer[0] not in SHAPES:
        return _same_scalar(gold, answer)
    if "numeral" in (gold[0], answer[0]):
        return _same_numeral(gold, answer)
    if "ratio" in (gold[0], answer[0]):
        return _same_ratio(gold, answer)
    gold, answer = _flat(gold, answer), _flat(answer, gold)
    if gold[0] in _UNORDERED and answer[0] in _UNORDERED:
        return _same_collections(gold, answer)
    if gold[0] != answer[0]:
        return _other_shape(gold, answer)
    if len(gold) != len(answer):
        return False
    return _all(map(_same_part, gold[1:], answer[1:]))


def _same_part(gold: Node, answer: Node) -> bool | None:
    """Members, entries and rows."""
    if gold[0] == answer[0] == "row":
        return _all(map(same, gold[1:], answer[1:])) if len(gold) == len(answer) else False
    return same(gold, answer)


def _flat(node: Node, other: Node) -> Node:
    """A column as the tuple, or a list of three or more as the tuple, that the other side is."""
    if other[0] in ("()", "[]"):
        if node[0] == "matrix" and (len(node) == 2 or all(len(row) == 2 for row in node[1:])):
            return (other[0], *(entry for row in node[1:] for entry in row[1:]))
        if node[0] == "list" and len(node) == len(other) > 3:
            return (other[0], *node[1:])
        if node[0] in ("()", "[]") and len(node) > 3:
            return (other[0], *node[1:])
    return node


def _same_collections(gold: Node, answer: Node) -> bool | None:
    once = "set" in (gold[0], answer[0]) or all(part[0] in SHAPES for part in (*gold[1:], *answer[1:]))
    if once or len(gold) == len(answer):
        return _same_members(gold[1:], answer[1:], once)
    return None if _same_members(gold[1:], answer[1:], True) else False


def _same_members(gold: Sequence[Node], answer: Sequence[Node], once: bool = False) -> bool | None:
    """Whether the members pair up, in any order; `once`: whether all of each are among the other."""
    if len(gold) * len(answer) > MAX_PAIRS:
        raise Undecidable("too many members")
    table = [[same(a, b) for b in answer] for a in gold]
    if once:
        rows = [*table, *zip(*table, strict=True)]
        return _all(True if True in row else None if None in row else False for row in rows)
    if len(gold) != len(answer):
        return False
    left, unsure = list(range(len(answer))), False
    for row in table:
        found = [row[i] for i in left]
        if True in found:
            left.pop(found.index(True))
        elif None in found:
            unsure = True
        else:
            return False
    return None if unsure else True


def _same_scalar(gold: Node, answer: Node) -> bool | None:
    endless = [_infinity(node) for node in (gold, answer)]
    if any(endless):
        return endless[0] == endless[1]
    if ("constant", "emptyset") in (gold, answer) or ("constant", "reals") in (gold, answer):
        return False
    found = same_scalar(gold, answer)
    if found is False and any(name[0] in _ARBITRARY for name in letters(gold) ^ letters(answer)):
        return None  # an arbitrary constant, missing or by another name
    return found


def _infinity(node: Node) -> int:
    """1 or -1 for a bare infinity, 0 for everything else."""
    return 1 if node == ("constant", "infty") else -1 if node == ("neg", ("constant", "infty")) else 0


def _same_numeral(gold: Node, answer: Node) -> bool | None:
    """The same digits in the same base; against a plain gold, the same number."""
    if gold[0] == answer[0]:
        return None if gold != answer and int(*gold[1:]) == int(*answer[1:]) else gold == answer
    if gold[0] == "numeral":
        if answer[0] != "number":
            return None
        return None if answer[1] == int(*gold[1:]) or str(answer[1]) == gold[1] else False
    return equal(gold, ("number", int(*answer[1:]))) if gold[0] not in SHAPES else None


def _same_ratio(gold: Node, answer: Node) -> bool | None:
    if gold[0] == answer[0]:
        if len(gold) != len(answer):
            return False
        pairs = zip(gold[2:], answer[2:], strict=True)
        return _all(equal(("mul", gold[1], b), ("mul", a, answer[1])) for a, b in pairs)
    gold, answer = (("div", *n[1:]) if n[0] == "ratio" and len(n) == 3 else n for n in (gold, answer))
    return None if gold[0] in SHAPES or answer[0] in SHAPES else equal(gold, answer)


def _other_shape(gold: Node, answer: Node) -> bool | None:
    """A scalar is no tuple; what else differs in shape alone may be another notation of the same."""
    if gold[0] in SHAPES and answer[0] in SHAPES:
        return None
    if ("constant", "emptyset") in (gold, answer):
        return False
    single = [n for n in (gold, answer) if n[0] in ("set", "list", "matrix") and len(n) == 2]
    return None if single else False


# relations


def _same_relations(gold: Node, answer: Node) -> bool | None:
    """Systems as lists of relations, chains side by side, single ones up to a factor."""
    if gold[0] == answer[0] == "list":
        return _same_members(gold[1:], answer[1:])
    if gold[0] == answer[0] == "chain" and len(gold) == len(answer):
        if tuple(_MIRRORED.get(o, o) for o in reversed(answer[1])) == gold[1] != answer[1]:
            answer = ("chain", gold[1], *reversed(answer[2:]))
        matching = gold[1] == answer[1]
        return True if matching and _all(map(same, gold[2:], answer[2:])) else None
    if gold[0] != "relation" or answer[0] != "relation":
        return None
    if gold[1] == answer[1] and _all(map(same, gold[2:], answer[2:])):
        return True
    if any(side[0] in SHAPES for node in (gold, answer) for side in node[2:]):
        return None
    return _same_single(gold, answer) if gold[1] in _MIRRORED and answer[1] in _MIRRORED else None


def _same_single(gold: Node, answer: Node) -> bool | None:
    """Both as `difference operator 0`, which may differ by a constant factor (a positive one for inequalities)."""
    differences = [("sub", node[2], node[3]) for node in (gold, answer)]
    sign = proportional(*differences)
    if sign is None:
        return None
    strict = gold[1] not in ("=", "!=")
    if gold[1] == (_MIRRORED[answer[1]] if sign < 0 and strict else answer[1]) and sign:
        return True
    if sign or strict or gold[1] != answer[1] or not (_polynomial(gold) and _polynomial(answer)):
        return None
    solved = [bool(name_of(node[2]) or name_of(node[3])) for node in (gold, answer)]
    return None if solved[0] != solved[1] and len(letters(gold) | letters(answer)) == 1 else False


def _polynomial(node: Node) -> bool:
    """Whether both sides of a relation are polynomials: other equations may have the same solutions unproportioned."""
    kind, *parts = node
    if kind in ("call", "apply", "factorial", "binom"):
        return False
    if kind == "pow":
        exponent = rational(parts[1])
        return exponent is not None and exponent.denominator == 1 and exponent > 0 and bool(_polynomial(parts[0]))
    if kind == "div":
        return not letters(parts[1]) and _polynomial(parts[0])
    return all(_polynomial(part) for part in parts if isinstance(part, tuple))


def _all(found: Iterable[bool | None]) -> bool | None:
    seen = list(found)
    return False if False in seen else None if None in seen else True
