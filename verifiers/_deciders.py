"""Two independent deciders of equality for trees of `_grammar.py`: exact simplification, high-precision values.

`equal` says correct only when both agree, incorrect when values differ beyond doubt, and otherwise cannot tell. SymPy
objects are built from our own tree; no text reaches SymPy. Runs in a killable worker: the parent enforces the time.
"""

from fractions import Fraction
from random import Random
from typing import Any

from verifiers._grammar import Node

MAX_EXPONENT = 64
POINTS = 10
DIGITS = 40
TOLERANCE = 1e-25


class Undecidable(ValueError):
    """Out of bounds, or undefined wherever it was tried."""


def equal(first: Node, second: Node) -> bool | None:
    """Whether two expressions are identical; None when the deciders disagree or cannot tell."""
    import sympy

    a, b = build(first), build(second)
    same = _same_values(a, b)
    if same is False:
        return False
    difference = sympy.simplify(a - b)
    exact = difference == 0 or difference.equals(0) is True
    return True if exact and same else None


def build(node: Node) -> Any:
    """The SymPy expression of a tree. Raises Undecidable for exponents beyond MAX_EXPONENT."""
    import sympy

    kind, *parts = node
    if kind == "number":
        value: Fraction = parts[0]
        return sympy.Rational(value.numerator, value.denominator)
    if kind == "letter":
        return sympy.Symbol(parts[0])
    if kind == "constant":
        return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "infty": sympy.oo}[parts[0]]
    if kind == "call":
        names = {"ln": "log", "abs": "Abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan"}
        name: str = parts[0]
        return getattr(sympy, names.get(name, name))(build(parts[1]))
    children = [build(p) for p in parts]
    if kind in ("pow", "root"):
        exponent = 1 / children[1] if kind == "root" else children[1]
        if exponent.is_number and abs(exponent.evalf(10)) > MAX_EXPONENT:
            raise Undecidable(f"an exponent beyond {MAX_EXPONENT}")
        return children[0] ** exponent
    if kind == "neg":
        return -children[0]
    left, right = children
    if kind == "div" and right == 0:
        raise Undecidable("division by zero")
    return {"add": left + right, "sub": left - right, "mul": left * right}[kind] if kind != "div" else left / right


def _same_values(a: Any, b: Any) -> bool | None:
    """Whether both have the same value at POINTS random points; None when undefined at all of them."""
    letters = sorted(a.free_symbols | b.free_symbols, key=str)
    rng = Random(20)
    tried = 0
    for _ in range(POINTS if letters else 1):
        point = {s: _rational(rng) for s in letters}
        values = [complex_value(e.subs(point)) for e in (a, b)]
        if None in values:
            continue
        tried += 1
        one, two = values
        if abs(one - two) > TOLERANCE * max(1, abs(one), abs(two)):
            return False
    return True if tried else None


def complex_value(expression: Any) -> Any:
    """The value to DIGITS digits, or None when it is not finite."""
    value = expression.evalf(DIGITS)
    return value if value.is_number and value.is_finite and not value.has(*_undefined()) else None


def _undefined() -> tuple[Any, ...]:
    import sympy

    return sympy.nan, sympy.zoo, sympy.oo


def _rational(rng: Random) -> Any:
    import sympy

    return sympy.Rational(rng.randint(1, 10**6), rng.randint(1, 10**6)) + rng.randint(0, 3)
