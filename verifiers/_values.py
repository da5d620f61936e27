"""Values of scalar trees at random points: 50 digits, our own evaluator on mpmath; exact fractions where that will do.

The points are real. One where a root of a negative number, a logarithm of one and the like occur is outside of the
domain; an expression without letters may pass through complex numbers. Odd roots of negative numbers are real. Whether
two expressions agree is asked over the domain of the first: the second may have a larger one.
"""

from collections.abc import Iterator
from fractions import Fraction
from random import Random
from typing import Any

from verifiers._exact import Unbounded, rational
from verifiers._scalars import Node

NEEDED = 8  # points inside the domain
TRIED = 40
DIGITS, MORE_DIGITS = 50, 120
MAX_MAGNITUDE = 30_000  # binary logarithm of the largest value on the way
MAX_GAMMA = 3_000

_NAMES: dict[str, str] = {"ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan"}
_SCALES = (3, 1, 1, 12, 2, 150, 1, 6)

Point = dict[str, Fraction]


class Undecidable(ValueError):
    """Out of bounds, or undefined wherever it was tried."""


class _Outside(ValueError):
    """The point is not in the domain."""


def letters(node: Node) -> set[str]:
    """Names of the letters in a tree."""
    if node[0] == "letter":
        return {node[1]}
    return set().union(*(letters(part) for part in node[1:] if isinstance(part, tuple)))


def points(names: set[str], seed: int = 20) -> Iterator[Point]:
    """Positive ones, then of all signs; near and far."""
    rng, ordered = Random(seed), sorted(names)
    for index in range(TRIED):
        scale = _SCALES[index % len(_SCALES)]
        point = {n: Fraction(rng.randint(997, 9_973) * scale, 9_973) for n in ordered}
        if index >= 3:
            signs = [index // 3 >> k & 1 for k in range(len(ordered))] if index < TRIED // 2 else None
            for k, n in enumerate(ordered):
                point[n] *= (-1) ** (signs[k] if signs else rng.randint(0, 1))
        yield point


def agree(first: Node, second: Node) -> bool | None:
    """True: equal at NEEDED points of the first's domain, and nowhere different. False: different at all of the first
    three that both have. None: neither. Raises Undecidable."""
    names = letters(first) | letters(second)
    if not names:
        try:
            return _close(first, second, {}, DIGITS) and _close(first, second, {}, MORE_DIGITS)
        except _Outside:
            return None
    same = different = 0
    narrower = False  # the second is undefined somewhere where the first is not
    for point in points(names):
        try:
            found = _at(first, second, point)
        except _Outside:
            narrower = True
            continue
        if found is None:
            continue
        same, different = same + found, different + (not found)
        if same and (different or narrower):
            return None
        if different == 3:
            return False
        if same >= NEEDED:
            return True
    if same + different == 0:
        raise Undecidable("undefined wherever it was tried")
    return False if different and not narrower else None


def value(node: Node, point: Point, digits: int = DIGITS) -> Any:
    """The value at a point as an mpmath number, or None where it is undefined or too large.

    What is zero but for the digits that a sum loses is 0.
    """
    found = _Evaluator(point, digits).value(node)
    if found is None:
        return None
    return found[0] if abs(found[0]) > found[1] / 10 ** (digits - 12) or not found[1] else 0 * found[0]


def _at(first: Node, second: Node, point: Point) -> bool | None:
    """Whether both are equal at a point; None outside of the first's domain."""
    try:
        a, b = rational(first, point), rational(second, point)
    except Unbounded:
        a = b = None
    if a is not None and b is not None:
        return a == b
    return _close(first, second, point, DIGITS)


def _close(first: Node, second: Node, point: Point, digits: int) -> bool | None:
    left = _Evaluator(point, digits).value(first)
    if left is None:
        return None
    right = _Evaluator(point, digits).value(second)
    if right is None:
        raise _Outside
    (a, lost), (b, more) = left, right
    distance, largest = abs(a - b), max(abs(a), abs(b))
    return bool(distance <= largest / 10 ** (digits // 2) or distance <= max(lost, more) / 10 ** (digits - 12))


class _Evaluator:
    """One evaluation; `_largest` is the largest number that was added on the way, by which digits may be lost."""

    def __init__(self, point: Point, digits: int) -> None:
        import mpmath  # type: ignore[import-untyped]

        self._mp, self._point, self._digits = mpmath, point, digits
        self._largest: Any = 0

    def value(self, node: Node) -> tuple[Any, Any] | None:
        with self._mp.workdps(self._digits):
            try:
                found = self._mp.mpmathify(self.of(node))
            except (ZeroDivisionError, OverflowError, ValueError):
                return None
            return (found, self._largest) if self._mp.isfinite(found) else None

    def number(self, known: Fraction) -> Any:
        return (
            self._mp.mpf(known.numerator) / known.denominator
            if known.denominator != 1
            else self._mp.mpf(known.numerator)
        )

    def of(self, node: Node) -> Any:
        kind, *parts = node
        match kind:
            case "number":
                return self.number(parts[0])
            case "letter":
                return self.number(self._point[parts[0]])
            case "constant":
                return self.constant(parts[0])
            case "call":
                return self.call(parts[0], self.of(parts[1]))
            case "apply":
                return self.applied(parts[0], [self.of(p) for p in parts[1:]])
            case "neg":
                return -self.of(parts[0])
            case "pow":
                return self.power(self.of(parts[0]), parts[1])
            case "factorial" | "binom":
                return self.gamma(node, kind, [self.of(p) for p in parts])
        first, last = self.of(parts[0]), self.of(parts[1])
        if kind == "mul":
            return first * last
        if kind == "div":
            return first / last
        self._largest = max(self._largest, abs(first), abs(last))
        return first + last if kind == "add" else first - last

    def constant(self, name: str) -> Any:
        if name not in ("pi", "e", "i"):
            raise ValueError("no number")
        return {"pi": +self._mp.pi, "e": +self._mp.e, "i": self._mp.mpc(0, 1)}[name]

    def call(self, name: str, x: Any) -> Any:
        mp = self._mp
        if name == "abs":
            return abs(x)
        if name in ("floor", "ceil"):
            if x.imag:
                raise ValueError("no real number")
            near = mp.nint(x)
            if abs(x - near) < mp.mpf(10) ** (12 - self._digits):  # may be a whole number that was rounded
                return near
            return mp.floor(x) if name == "floor" else mp.ceil(x)
        if abs(x) > MAX_MAGNITUDE and name in ("exp", "sinh", "cosh", "tanh"):
            raise OverflowError
        if (
            self._point
            and not x.imag
            and ((name == "ln" and x.real < 0) or (name in ("arcsin", "arccos") and abs(x) > 1))
        ):
            raise _Outside
        if name == "ln" and not x:
            raise ValueError("the logarithm of zero")
        return getattr(mp, _NAMES.get(name, name))(x)

    def applied(self, name: str, values: list[Any]) -> Any:
        """An unknown function: some smooth function that its name picks."""
        rng = Random(name)
        total = self._mp.mpf(rng.randint(1, 10**9)) / 10**9
        for x in values:
            total += self._mp.sin(x * rng.randint(1, 10**6) / 10**6) + x * rng.randint(1, 10**6) / 10**5
        return total

    def power(self, base: Any, exponent: Node) -> Any:
        mp, known = self._mp, rational(exponent)
        last = self.of(exponent)
        if base == 0:
            if last.imag == 0 and last.real > 0:
                return base
            raise ValueError("a power of zero")
        if abs(mp.mag(base) * last) > MAX_MAGNITUDE:
            raise OverflowError
        if not base.imag and base.real < 0 and (known is None or known.denominator != 1):
            if known is not None and known.denominator % 2:
                return (-1) ** (known.numerator % 2) * abs(base) ** last
            if self._point:
                raise _Outside
        if known is not None and known.denominator == 1:
            return base ** int(known)
        if known == Fraction(1, 2):
            return mp.sqrt(base)
        return base**last

    def gamma(self, node: Node, kind: str, values: list[Any]) -> Any:
        try:
            known = rational(node)
        except Unbounded as e:
            raise Undecidable(str(e)) from None
        if known is not None:
            return self.number(known)
        if any(abs(x) > MAX_GAMMA for x in values):
            raise OverflowError
        return self._mp.factorial(values[0]) if kind == "factorial" else self._mp.binomial(*values)
