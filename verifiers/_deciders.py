"""Equality of scalar trees by two independent deciders that must agree: values at random points, and exact algebra.

`equal` is True only when both agree, False when the values differ, None otherwise: say where two expressions agree on
positive numbers alone. Values are our own evaluator's (`_values.py`); the algebra is our own (`_algebra.py`), and
SymPy's (`_cas.py`) for what that one does not prove. No text reaches any of them. What takes too long is the parent's
business (`_pool.py`).
"""

from fractions import Fraction

from verifiers._algebra import vanishes
from verifiers._exact import Unbounded, rational
from verifiers._scalars import Node
from verifiers._values import Undecidable, agree, letters, points, value

__all__ = ["Undecidable", "close", "difference", "equal", "letters", "proportional"]

UNKNOWN_BASE = "log\\"


def equal(first: Node, second: Node) -> bool | None:
    """Whether two expressions are identical wherever the first is defined; None when that is not certain.

    Raises Undecidable.
    """
    if first == second:
        return True
    a, b = rational(first), rational(second)
    if a is not None and b is not None:
        return a == b
    if (UNKNOWN_BASE in letters(first)) != (UNKNOWN_BASE in letters(second)):
        return None
    same = agree(first, second)
    if same is not True:
        return same
    if vanishes(("sub", first, second)):
        return True
    from verifiers._cas import vanishes as simplifies  # slow to import, and rarely needed

    return True if simplifies(("sub", first, second)) else None


def proportional(first: Node, second: Node) -> int | None:
    """The sign of the constant, non-zero factor between two expressions; 0: there is none; None: not certain.

    Raises Undecidable.
    """
    names = letters(first) | letters(second)
    for point in points(names, seed=7):  # at those of `agree` the two products are always equal
        a, b = value(first, point), value(second, point)
        if a is None or b is None or not a or not b:
            continue
        at = {name: ("number", number) for name, number in point.items()}
        found = equal(("mul", first, _substituted(second, at)), ("mul", second, _substituted(first, at)))
        if found is True and not (a.imag or b.imag):
            return 1 if a * b > 0 else -1
        return None if found is None else int(found)
    raise Undecidable("it vanishes or is undefined at every point tried")


def difference(first: Node, second: Node) -> Fraction | None:
    """|first - second| of two real constants, to 15 digits where it is not rational; None for others."""
    try:
        a, b = rational(first), rational(second)
    except Unbounded:
        return None
    if a is not None and b is not None:
        return abs(a - b)
    if letters(first) | letters(second):
        return None
    x, y = value(first, {}), value(second, {})
    if x is None or y is None or x.imag or y.imag or abs(x - y) > 10**9:
        return None
    return Fraction(str(abs(x - y)))


def close(first: Node, second: Node, within: Fraction) -> bool:
    """Whether two real constants differ by at most `within`."""
    found = difference(first, second)
    return found is not None and found <= within


def _substituted(node: Node, values: dict[str, Node]) -> Node:
    if node[0] == "letter":
        return values[node[1]]
    return tuple(_substituted(part, values) if isinstance(part, tuple) else part for part in node)
