"""Two independent deciders of equality for scalar trees of `_grammar.py`: values at random points, and exact algebra.

`equal` is True only when both agree, False when the values differ at every point tried, and None otherwise: say where
two expressions agree on positive numbers alone. The values are computed by our own evaluator on mpmath, the algebra by
SymPy on objects built from our own tree; no text reaches either. Slow inputs are the parent's business (`_pool.py`).
"""

from fractions import Fraction
from random import Random
from typing import Any

from verifiers._exact import rational
from verifiers._grammar import Node

POINTS = 12  # tried; at least NEEDED must be inside both domains
NEEDED = 8
DIGITS, MORE_DIGITS = 50, 120
MAX_MAGNITUDE = 20_000  # natural logarithm of the largest value on the way
MAX_EXPONENT = 200  # of a power in exact algebra

MAX_ROOT = 100  # largest denominator of an exponent in exact algebra
MAX_RADICALS = 4  # whose minimal polynomial is computed

_NAMES: dict[str, str] = {"ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan"}


class Undecidable(ValueError):
    """Out of bounds, or undefined wherever it was tried."""


def equal(first: Node, second: Node) -> bool | None:
    """Whether two expressions are identical; None when that is not certain. Raises Undecidable."""
    a, b = rational(first), rational(second)
    if a is not None and b is not None:
        return a == b
    same = _same_values(first, second)
    if same is not True:
        return same
    return True if _vanishes(("sub", first, second)) else None


def proportional(first: Node, second: Node) -> bool | None:
    """Whether one polynomial is a constant, non-zero multiple of the other. Raises Undecidable."""
    names = sorted(letters(first) | letters(second))
    rng = Random(7)
    point = {name: _point(rng, 0) for name in names}
    a, b = (_value(node, point, DIGITS) for node in (first, second))
    if a is None or b is None or a == 0 or b == 0:
        raise Undecidable("it vanishes or is undefined at a random point")
    at = {name: ("number", value) for name, value in point.items()}
    fixed = [rational(_substituted(node, at)) for node in (first, second)]
    if fixed[0] is None or fixed[1] is None:
        raise Undecidable("an equation that is not between polynomials")
    return equal(("mul", first, ("number", fixed[1])), ("mul", second, ("number", fixed[0])))


def letters(node: Node) -> set[str]:
    """Names of the letters in a tree."""
    if node[0] == "letter":
        return {node[1]}
    return set().union(*(letters(part) for part in node[1:] if isinstance(part, tuple)))


def close(first: Node, second: Node, half_unit: Fraction) -> bool:
    """Whether two constants differ by at most `half_unit`: one may be the other, rounded."""
    if letters(first) | letters(second):
        return False
    a, b = (_value(node, {}, DIGITS) for node in (first, second))
    return a is not None and b is not None and bool(abs(a - b) <= float(half_unit) * (1 + 1e-9))


def _substituted(node: Node, values: dict[str, Node]) -> Node:
    if node[0] == "letter":
        return values[node[1]]
    return tuple(_substituted(part, values) if isinstance(part, tuple) else part for part in node)


def _same_values(first: Node, second: Node) -> bool | None:
    """True: equal at all points inside both domains. False: different at all of them. None: neither, or too few."""
    names = sorted(letters(first) | letters(second))
    if not names:
        return _same(first, second, {}, DIGITS) and _same(first, second, {}, MORE_DIGITS)
    rng = Random(20)
    found = [_same(first, second, {n: _point(rng, i) for n in names}, DIGITS) for i in range(POINTS)]
    defined = [f for f in found if f is not None]
    if len(defined) < NEEDED or len(set(defined)) > 1:
        return None
    return defined[0]


def _point(rng: Random, index: int) -> Any:
    """A random rational (positive, then negative) or complex number."""
    real = Fraction(rng.randint(10**5, 3 * 10**6), 10**6 + 3)
    imaginary = Fraction(rng.randint(10**5, 2 * 10**6), 10**6 + 7)
    if index < POINTS // 3:
        return real
    return -real if index < POINTS // 2 else (real if index % 2 else -real, imaginary)


def _same(first: Node, second: Node, point: dict[str, Any], digits: int) -> bool | None:
    a, b = (_value(node, point, digits) for node in (first, second))
    if a is None or b is None:
        return None
    largest = max(abs(a), abs(b))
    return bool(abs(a - b) <= largest / 10 ** (digits // 2)) if largest else True


def _value(node: Node, point: dict[str, Any], digits: int) -> Any:
    """The complex value of a tree, or None where it is undefined or too large."""
    import mpmath  # type: ignore[import-untyped]

    with mpmath.workdps(digits):
        try:
            value = mpmath.mpmathify(_evaluate(node, point, mpmath))
        except (ZeroDivisionError, OverflowError, ValueError):
            return None
        return value if mpmath.isfinite(value) else None


def _evaluate(node: Node, point: dict[str, Any], mp: Any) -> Any:
    kind, *parts = node
    if kind in ("number", "letter"):
        return _number(parts[0] if kind == "number" else point[parts[0]], mp)
    if kind == "constant":
        if parts[0] not in ("pi", "e", "i"):
            raise ValueError("no number")
        return {"pi": +mp.pi, "e": +mp.e, "i": mp.mpc(0, 1)}[parts[0]]
    if kind in ("factorial", "binom"):
        known = rational(node)
        if known is None:
            raise Undecidable("a factorial of something that is no number")
        return _number(known, mp)
    if kind == "call":
        value = _evaluate(parts[1], point, mp)
        if abs(value) > MAX_MAGNITUDE and parts[0] in ("exp", "sinh", "cosh"):
            raise OverflowError
        return abs(value) if parts[0] == "abs" else _function(mp, parts[0])(value)
    values = [_evaluate(part, point, mp) for part in parts]
    first, last = values[0], values[-1]
    match kind:
        case "add":
            return first + last
        case "sub":
            return first - last
        case "mul":
            return first * last
        case "div":
            return first / last
        case "neg":
            return -first
    if first == 0 and last.imag == 0 and last.real > 0:
        return first
    if first == 0 or abs(mp.log(first) * last) > MAX_MAGNITUDE:
        raise ValueError("a power of zero, or too large")
    return first**last


def _function(library: Any, name: str) -> Any:
    """The function of ours by its name in mpmath and SymPy; the name is one of `_tokens.FUNCTIONS` or sqrt."""
    return getattr(library, _NAMES.get(name, name))


def _number(value: Any, mp: Any) -> Any:
    if isinstance(value, tuple):
        return mp.mpc(_number(value[0], mp), _number(value[1], mp))
    return mp.mpf(value.numerator) / value.denominator


def _vanishes(node: Node) -> bool:
    """Whether exact algebra shows that an expression is zero everywhere."""
    import sympy

    difference = build(node)
    for attempt in (sympy.expand, lambda d: sympy.cancel(sympy.together(d)), sympy.simplify, sympy.sqrtdenest):
        difference = attempt(difference)
        if difference == 0:
            return True
    radicals = [p.exp for p in difference.atoms(sympy.Pow) if p.exp.is_Rational and p.exp.q > 1]
    if difference.free_symbols or not difference.is_algebraic or len(radicals) > MAX_RADICALS:
        return False
    return bool(sympy.minimal_polynomial(difference) == _symbol("x"))


def _symbol(name: str) -> Any:
    import sympy

    return sympy.Symbol(name)


def build(node: Node) -> Any:
    """The SymPy expression of a scalar tree. Raises Undecidable for powers beyond the bounds."""
    import sympy

    known = rational(node)
    if known is not None:
        return sympy.Rational(known.numerator, known.denominator)
    kind, *parts = node
    if kind == "letter":
        return _symbol(parts[0])
    if kind == "constant":
        return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I}[parts[0]]
    if kind == "call":
        return sympy.Abs(build(parts[1])) if parts[0] == "abs" else _function(sympy, parts[0])(build(parts[1]))
    left, right = build(parts[0]), build(parts[-1])
    match kind:
        case "add":
            return left + right
        case "sub":
            return left - right
        case "mul":
            return left * right
        case "neg":
            return -left
        case "div":
            if right == 0:
                raise Undecidable("a division by zero")
            return left / right
        case "pow":
            if right.is_number and abs(right.evalf(10)) > MAX_EXPONENT:
                raise Undecidable(f"an exponent beyond {MAX_EXPONENT}")
            if right.is_Rational and right.q > MAX_ROOT:
                raise Undecidable(f"a root beyond {MAX_ROOT}")
            return left**right
    raise Undecidable(f"no algebra for {kind}")
