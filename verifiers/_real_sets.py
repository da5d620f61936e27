r"""Sets of real numbers as sorted pieces between exact ends: intervals, unions, inequalities, `x \ne 3`, `{x | x > 0}`.

Two sets are the same when their pieces pair up with equal ends. Inequalities are solved where they are linear in one
unknown, or bound |unknown|; a chain about anything else (`0 < f(x) < 1`) bounds that as a whole. Others are None.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verifiers._deciders import equal, letters
from verifiers._rounding import same_scalar
from verifiers._scalars import Node
from verifiers._values import Undecidable, value

INTERVALS = frozenset({"()", "[]", "(]", "[)"})
MAX_PIECES = 40
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!=", "=": "="}
_NONE: Node = ("constant", "emptyset")
_ZERO: Node = ("number", Fraction(0))
_ONE: Node = ("number", Fraction(1))


@dataclass(frozen=True, slots=True)
class End:
    """An end of a piece: its exact tree, its value, and whether it belongs to the piece."""

    node: Node
    at: Any
    closed: bool


Pieces = list[tuple[End, End]]


@dataclass(frozen=True, slots=True)
class Region:
    """The pieces, and what they are about: a letter or another tree; None where nothing says so."""

    subject: Node | None
    pieces: Pieces


def is_region(node: Node) -> bool:
    """Whether a tree is certainly a set of reals, and no tuple, list or equation."""
    kind = node[0]
    if kind in ("union", "minus", "builder", "(]", "[)") or node == ("constant", "reals"):
        return True
    if kind in INTERVALS:
        return any(_infinite(part) for part in node[1:])
    if kind == "relation":
        return node[1] in ("<", ">", "<=", ">=", "!=") or (
            node[1] == "in" and (node[3][0] in INTERVALS or is_region(node[3]))
        )
    if kind == "chain":
        return set(node[1]) <= {"<", "<="} or set(node[1]) <= {">", ">="}
    return kind == "list" and all(is_region(part) for part in node[1:])


def same_region(gold: Node, answer: Node) -> bool | None:
    """Whether two trees, at least one of which `is_region`, are the same set. Raises Undecidable."""
    first, second = region(gold), region(answer)
    if first is None or second is None:
        return None
    if first.subject is not None and second.subject is not None and first.subject != second.subject:
        return None
    if len(first.pieces) != len(second.pieces):
        return False
    found = [
        _same_end(a, b) for ends in zip(first.pieces, second.pieces, strict=True) for a, b in zip(*ends, strict=True)
    ]
    return False if False in found else None if None in found else True


def region(node: Node) -> Region | None:
    """The set that a tree is; None where it is none that can be solved."""
    kind = node[0]
    if kind in INTERVALS and len(node) == 3:
        return Region(None, _sorted([(_end(node[1], kind[0] == "["), _end(node[2], kind[1] == "]"))]))
    if node == ("constant", "reals"):
        return Region(None, [_everything()])
    if node == _NONE:
        return Region(None, [])
    if kind == "set":
        return Region(None, _sorted((_end(part, True),) * 2 for part in node[1:]))
    if kind == "union":
        return _joined([region(part) for part in node[1:]], both=False)
    if kind == "minus":
        whole, points = region(node[1]), region(node[2])
        if whole is None or points is None or any(low.node != high.node for low, high in points.pieces):
            return None
        for point, _ in points.pieces:
            whole = Region(whole.subject, _crossed(whole.pieces, _without(point)))
        return whole
    if kind == "builder":
        found = _joined([region(part) for part in node[2:]], both=True)
        return None if found is None or found.subject not in (None, ("letter", node[1])) else Region(None, found.pieces)
    if kind in ("relation", "chain"):
        return _solved(node)
    return _listed(node) if kind == "list" else None


def _listed(node: Node) -> Region | None:
    """`x < 1, x > 3` is either; `x > 1, x < 3` and `x > 1, x \\ne 2` are both."""
    if not all(is_region(part) for part in node[1:]):
        return None  # points
    regions = [region(part) for part in node[1:]]
    both = _joined(regions, both=True)
    negated = any(part[0] == "relation" and part[1] == "!=" for part in node[1:])
    if both is None or not both.pieces or negated:
        return both if both is None or negated else _joined(regions, both=False)
    return both if all(part[0] in ("relation", "chain") for part in node[1:]) else None


def _joined(regions: list[Region | None], both: bool) -> Region | None:
    known = [r for r in regions if r is not None]
    subjects = {r.subject for r in known if r.subject is not None}
    if len(known) < len(regions) or len(subjects) > 1 or not known:
        return None
    pieces = known[0].pieces
    for other in known[1:]:
        pieces = _crossed(pieces, other.pieces) if both else _sorted([*pieces, *other.pieces])
    return Region(next(iter(subjects), None), pieces)


def _solved(node: Node) -> Region | None:
    """An inequality, or a chain of two, about one thing."""
    if node[0] == "relation" and node[1] == "in":
        found = region(node[3])
        return None if found is None or node[2][0] in ("()", "set") else Region(node[2], found.pieces)
    operators, sides = ((node[1],), node[2:]) if node[0] == "relation" else (node[1], node[2:])
    links = zip(operators, sides, sides[1:], strict=False)
    return _joined([_linear(operator, left, right) for operator, left, right in links], both=True)


def _linear(operator: str, left: Node, right: Node) -> Region | None:
    if operator not in _FLIPPED or operator == "=":
        return None
    if not letters(left):
        left, right, operator = right, left, _FLIPPED[operator]
    names = letters(left)
    if not names:
        return None
    if letters(right) or left[0] != "letter":
        return _rearranged(operator, left, right)
    return Region(left, _bounded(operator, right))


def _rearranged(operator: str, left: Node, right: Node) -> Region | None:
    """`a x + b < c x + d`, `|x| < c`; anything else than a letter is bounded as it stands."""
    if left[0] == "call" and left[1] == "abs" and not letters(right):
        bound = value(right, {})
        if bound is None or bound.imag or bound <= 0:
            return None
        sides = [_linear(operator, left[2], right), _linear(_FLIPPED[operator], left[2], ("neg", right))]
        return _joined(sides, both=operator in ("<", "<=", "!="))
    difference: Node = ("sub", left, right)
    names = letters(difference)
    if len(names) == 1:
        name = names.pop()
        at = [_substituted(difference, name, node) for node in (_ZERO, _ONE)]
        slope: Node = ("sub", at[1], at[0])
        rise = value(slope, {})
        if rise and not rise.imag and equal(difference, ("add", ("mul", slope, ("letter", name)), at[0])):
            operator = operator if rise > 0 else _FLIPPED[operator]
            return Region(("letter", name), _bounded(operator, ("neg", ("div", at[0], slope))))
    return None if letters(right) else Region(left, _bounded(operator, right))


def _substituted(node: Node, name: str, new: Node) -> Node:
    if node == ("letter", name):
        return new
    return tuple(_substituted(part, name, new) if isinstance(part, tuple) else part for part in node)


def _bounded(operator: str, bound: Node) -> Pieces:
    low, high = _everything()
    end = _end(bound, operator.endswith("="))
    if operator == "!=":
        return _without(end)
    return [(low, end)] if operator[0] == "<" else [(end, high)]


def _without(point: End) -> Pieces:
    low, high = _everything()
    hole = End(point.node, point.at, False)
    return [(low, hole), (hole, high)]


def _everything() -> tuple[End, End]:
    infinity: Node = ("constant", "infty")
    return _end(("neg", infinity), False), _end(infinity, False)


def _infinite(node: Node) -> int:
    """1 or -1 for a bare infinity, 0 for everything else."""
    return 1 if node == ("constant", "infty") else -1 if node == ("neg", ("constant", "infty")) else 0


def _end(node: Node, closed: bool) -> End:
    """Raises Undecidable for an end that is no real number."""
    if sign := _infinite(node):
        if closed:
            raise Undecidable("an end at infinity that is closed")
        return End(node, sign * float("inf"), False)
    at = None if letters(node) or node[0] in ("matrix", "list", "set", "relation", *INTERVALS) else value(node, {})
    if at is None or at.imag:
        raise Undecidable("an end that is no real number")
    return End(node, at.real, closed)


def _crossed(first: Pieces, second: Pieces) -> Pieces:
    """The pieces that both have."""
    found = []
    for a, b in first:
        for c, d in second:
            low = max((a, c), key=lambda e: (e.at, not e.closed))
            high = min((b, d), key=lambda e: (e.at, e.closed))
            if low.at < high.at or (low.at == high.at and low.closed and high.closed):
                found.append((low, high))
    return _sorted(found)


def _sorted(pieces: Iterable[tuple[End, ...]]) -> Pieces:
    """In order, those that touch merged, empty ones dropped. Raises Undecidable."""
    found: Pieces = []
    for low, high in sorted(pieces, key=lambda p: (p[0].at, not p[0].closed)):
        if low.at > high.at or (low.at == high.at and not (low.closed and high.closed)):
            raise Undecidable("an interval whose ends are in the wrong order")
        if found and (low.at < found[-1][1].at or (low.at == found[-1][1].at and (low.closed or found[-1][1].closed))):
            start, last = found[-1]
            found[-1] = start, max((last, high), key=lambda e: (e.at, e.closed))
        else:
            found.append((low, high))
    if len(found) > MAX_PIECES:
        raise Undecidable(f"more than {MAX_PIECES} pieces")
    return found


def _same_end(first: End, second: End) -> bool | None:
    if first.closed != second.closed or _infinite(first.node) != _infinite(second.node):
        return False
    return True if _infinite(first.node) else same_scalar(first.node, second.node)
