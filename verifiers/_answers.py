"""Whether two answers say the same: lists, tuples, sets, intervals, matrices, equations of scalars (`_deciders.py`).

Three-valued: True is proved, False is proved, None is neither. An answer of another shape than the gold's is only False
where no reading could make them equal. Bare lists and sets have no order; tuples, intervals and matrices have.
"""

from collections.abc import Iterable, Sequence

from verifiers._deciders import equal, letters, proportional
from verifiers._grammar import SHAPES, Node

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
_UNORDERED = frozenset({"list", "set", "union"})


def same(gold: Node, answer: Node) -> bool | None:
    """Whether two trees say the same. Raises Undecidable, Unbounded."""
    gold, answer = _stripped(gold, answer)
    if gold == answer:
        return True
    if gold[0] == "relation" or answer[0] == "relation":
        return _same_relation(gold, answer) if gold[0] == answer[0] else None
    if gold[0] not in SHAPES and answer[0] not in SHAPES:
        return _same_scalar(gold, answer)
    if gold[0] in _UNORDERED and answer[0] in _UNORDERED and "union" not in (gold[0], answer[0]):
        return _same_members(gold[1:], answer[1:])
    if gold[0] != answer[0]:
        return _other_shape(gold, answer)
    if len(gold) != len(answer):
        return False
    return _same_members(gold[1:], answer[1:]) if gold[0] == "union" else _all(map(same, gold[1:], answer[1:]))


def _stripped(gold: Node, answer: Node) -> tuple[Node, Node]:
    """`x = 5` where the other side has no name for it, and `x \\in A`, are `5` and `A`."""
    named, plain = _named(gold), _named(answer)
    if named and (plain or answer[0] != "relation"):
        if plain and _name_of(gold) == _name_of(answer) and gold[2][0] == "letter":
            return named, plain
        return (named, answer) if not plain else (gold, answer)
    return (gold, plain) if plain and gold[0] != "relation" else (gold, answer)


def _named(node: Node) -> Node | None:
    """The right side of `name = ...` or `name \\in ...`, where the name is a letter, `f(x)` or `(x, y)`."""
    if node[0] != "relation" or node[1] not in ("=", "in") or _name_of(node) is None:
        return None
    right: Node = node[3]
    return right


def _name_of(node: Node) -> str | None:
    left = node[2]
    if left[0] == "letter":
        return str(left[1])
    if left[0] == "mul" and left[1][0] == left[2][0] == "letter":
        return f"{left[1][1]}({left[2][1]})"
    if left[0] == "()" and all(part[0] == "letter" for part in left[1:]):
        return "(" + ",".join(part[1] for part in left[1:]) + ")"
    return None


def _same_scalar(gold: Node, answer: Node) -> bool | None:
    endless = [_infinity(node) for node in (gold, answer)]
    if any(endless):
        return endless[0] == endless[1]
    if ("constant", "emptyset") in (gold, answer):
        return False
    return equal(gold, answer)


def _infinity(node: Node) -> int:
    """1 or -1 for a bare infinity, 0 for everything else."""
    if node == ("constant", "infty"):
        return 1
    return -1 if node == ("neg", ("constant", "infty")) else 0


def _same_relation(gold: Node, answer: Node) -> bool | None:
    """Both as `difference operator 0`, which may differ by a constant factor (a positive one for inequalities)."""
    if any(side[0] in SHAPES for node in (gold, answer) for side in node[2:]):
        if gold[1] != answer[1]:
            return None
        return True if _all(map(same, gold[2:], answer[2:])) else None
    if gold[1] == "in" or answer[1] == "in":
        return None
    names = _name_of(gold), _name_of(answer)
    if None not in names and names[0] != names[1] and gold[1] == answer[1] == "=":
        return True if "(" in f"{names}" and letters(gold[3]) and equal(gold[3], answer[3]) else None
    differences = [("sub", node[2], node[3]) for node in (gold, answer)]
    if gold[1] == answer[1] and (found := equal(*differences)):
        return found
    if gold[1] == answer[1] in ("=", "!="):
        return proportional(*differences)
    if _MIRRORED[gold[1]] == answer[1] and equal(differences[0], ("neg", differences[1])):
        return True
    return None


def _other_shape(gold: Node, answer: Node) -> bool | None:
    """A scalar is no tuple; what else differs in shape alone may be another notation of the same."""
    return False if gold[0] not in SHAPES or answer[0] not in SHAPES else None


def _same_members(gold: Sequence[Node], answer: Sequence[Node]) -> bool | None:
    """Whether the members pair up, in any order."""
    if len(gold) != len(answer):
        return False
    left, unsure = list(answer), False
    for member in gold:
        found = [same(member, other) for other in left]
        if True in found:
            left.pop(found.index(True))
        elif None in found:
            unsure = True
        else:
            return False
    return None if unsure else True


def _all(found: Iterable[bool | None]) -> bool | None:
    seen = list(found)
    return False if False in seen else None if None in seen else True
