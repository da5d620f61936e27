"""Sums, multiples and products of matrix nodes, entry by entry; any other arithmetic on a matrix is refused.

A matrix is ('matrix', ('row', entry, ...), ...); a quotient by a number is a multiple. No determinants, no powers.
"""

from typing import Any

Node = tuple[Any, ...]

MAX_SIDE = 10


def combined(kind: str, *parts: Node) -> Node | None:
    """The matrix that an arithmetic node is; None where that is not defined."""
    if any(p[0] == "matrix" and (len(p) > MAX_SIDE + 1 or len(p[1]) > MAX_SIDE + 1) for p in parts):
        return None
    first, last = parts[0], parts[-1]
    if kind == "neg":
        return _each(lambda entry: ("neg", entry), first)
    if kind in ("add", "sub") and first[0] == last[0] == "matrix" and _shape(first) == _shape(last):
        return _zipped(kind, first, last)
    if kind == "mul":
        if first[0] == last[0] == "matrix":
            return _product(first, last)
        return (
            _each(lambda e: ("mul", first, e), last)
            if last[0] == "matrix"
            else _each(lambda e: ("mul", e, last), first)
        )
    if kind == "div" and last[0] != "matrix":
        return _each(lambda entry: ("div", entry, last), first)
    return None


def _shape(matrix: Node) -> tuple[int, ...]:
    return tuple(len(row) - 1 for row in matrix[1:])


def _each(change: Any, matrix: Node) -> Node:
    return ("matrix", *(("row", *(change(entry) for entry in row[1:])) for row in matrix[1:]))


def _zipped(kind: str, first: Node, second: Node) -> Node:
    rows = zip(first[1:], second[1:], strict=True)
    return ("matrix", *(("row", *((kind, x, y) for x, y in zip(a[1:], b[1:], strict=True))) for a, b in rows))


def _product(first: Node, second: Node) -> Node | None:
    inner = len(second) - 1
    if set(_shape(first)) != {inner} or len(set(_shape(second))) != 1:
        return None
    columns = list(zip(*(row[1:] for row in second[1:]), strict=True))
    return ("matrix", *(("row", *(_dot(row[1:], column) for column in columns)) for row in first[1:]))


def _dot(row: tuple[Node, ...], column: tuple[Node, ...]) -> Node:
    terms = [("mul", a, b) for a, b in zip(row, column, strict=True)]
    total: Node = terms[0]
    for term in terms[1:]:
        total = ("add", total, term)
    return total
