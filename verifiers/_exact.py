r"""Exact rational values of plain numbers and of trees, as Fractions. Decides most answers; imports no library.

`quick` is the path that nearly all answers take: numbers, fractions and tuples of them as they are usually written.
"""

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

MAX_BITS = 100_000  # size of a numerator or denominator on the way
MAX_FACTORIAL = 3_000

_PLAIN = re.compile(
    r"(?P<whole>-?\d{1,400})(?:/(?P<under>\d{1,400}))?"
    r"|(?P<sign>-?)\\[dt]?frac\{(?P<n>-?\d{1,400})\}\{(?P<d>\d{1,400})\}"
    r"|(?P<decimal>-?\d{0,400}\.\d{1,400})"
    r"|(?P<grouped>-?[1-9]\d{0,2}(?:(?:,|\{,\})\d{3}){1,100})(?:\.0*)?"
)


class Unbounded(ValueError):
    """The value would be larger than MAX_BITS."""


@lru_cache(maxsize=8192)
def plain(text: str) -> Fraction | int | None:
    r"""The value of `-3`, `0.25`, `7/2`, `\frac{7}{2}` or `1,000`; None for any other text."""
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    kind = match.lastgroup
    if kind == "whole":
        return int(match["whole"])
    if kind == "decimal":
        return Fraction(match["decimal"])
    if kind == "grouped":
        return int(match["grouped"].replace("{,}", "").replace(",", ""))
    over, under = (int(match["whole"]), int(match["under"])) if kind == "under" else (int(match["n"]), int(match["d"]))
    if not under:
        return None
    return Fraction(-over if match["sign"] else over, under)


def quick(known: str, answer: str) -> bool | None:
    """Whether two plain numbers, or tuples or intervals of them with the same brackets, are equal; None for others."""
    first = plain(known)
    if first is not None:
        second = plain(answer)
        return None if second is None else first == second
    if (
        known[:1] not in ("(", "[")
        or known[:1] != answer[:1]
        or known[-1:] != answer[-1:]
        or known[-1:] not in (")", "]")
    ):
        return None
    wanted, got = ([_member(part.strip()) for part in text[1:-1].split(",")] for text in (known, answer))
    if None in wanted or None in got or len(wanted) < 2:
        return None
    return wanted == got


def apart(known: str, answer: str) -> bool:
    """Whether two plain numbers differ by more than rounding could explain."""
    first, second = plain(known), plain(answer)
    if first is None or second is None:
        return False
    places = [len(text.partition(".")[2]) for text in (known, answer) if "." in text]
    return not places or abs(Fraction(first) - second) * 2 * 10 ** min(places) > 1


def _member(text: str) -> Fraction | int | None:
    return None if "{,}" in text else plain(text)


def rational(node: Any, point: dict[str, Fraction] | None = None) -> Fraction | None:
    """The exact value of a tree without roots and functions, its letters read from `point`. Raises Unbounded."""
    kind = node[0]
    if kind == "number":
        found: Fraction = node[1]
        return found
    if kind == "letter":
        return point[node[1]] if point else None
    if kind not in ("add", "sub", "mul", "div", "neg", "pow", "factorial", "binom"):
        return None
    first = rational(node[1], point)
    if first is None:
        return None
    if len(node) == 2:
        return -first if kind == "neg" else Fraction(math.factorial(_small(first)))
    last = rational(node[2], point)
    return None if last is None else _combined(kind, first, last)


def _combined(kind: str, first: Fraction, last: Fraction) -> Fraction | None:
    match kind:
        case "add":
            return _bounded(first + last)
        case "sub":
            return _bounded(first - last)
        case "mul":
            return _bounded(first * last)
        case "div":
            return _bounded(first / last) if last else None
        case "pow":
            return _power(first, last)
        case _:
            return Fraction(math.comb(_small(first), _small(last)))


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise Unbounded("the numbers grow too large")
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1:
        return _root(base, exponent)
    if base == 0 and exponent <= 0:
        return None
    if base in (0, 1, -1):
        return base if exponent % 2 else base * base
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent) * bits > MAX_BITS:
        raise Unbounded("the numbers grow too large")
    return Fraction(base**exponent.numerator)


def _root(base: Fraction, exponent: Fraction) -> Fraction | None:
    """The square root of a rational, where it is rational."""
    if exponent != Fraction(1, 2) or base < 0:
        return None
    over, under = math.isqrt(base.numerator), math.isqrt(base.denominator)
    return Fraction(over, under) if over * over == base.numerator and under * under == base.denominator else None


def _small(value: Fraction) -> int:
    if value.denominator != 1 or not 0 <= value <= MAX_FACTORIAL:
        raise Unbounded(f"a factorial of something that is not in 0..{MAX_FACTORIAL}")
    return int(value)
