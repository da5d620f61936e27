"""Exact rational values of trees and of plain numbers, as Fractions. Decides most answers; imports no library."""

import math
import re
from fractions import Fraction

from verifiers._grammar import Node

MAX_BITS = 100_000  # size of a numerator or denominator on the way
MAX_FACTORIAL = 3_000
_PLAIN = re.compile(r"-?\d{1,400}(?:\.\d{1,400})?|(-?\d{1,400})/(\d{1,400})")


class Unbounded(ValueError):
    """The value would be larger than MAX_BITS."""


def plain(text: str) -> Fraction | None:
    """The value of `-3`, `0.25` or `7/2`, the form of nearly all answers; None for any other text."""
    match = _PLAIN.fullmatch(text)
    if match is None or (match[2] and not int(match[2])):
        return None
    return Fraction(text)


def rational(node: Node) -> Fraction | None:
    """The exact value of a tree without letters, roots and functions; None for others. Raises Unbounded."""
    kind, *parts = node
    if kind == "number":
        found: Fraction = parts[0]
        return found
    if kind not in ("add", "sub", "mul", "div", "neg", "pow", "factorial", "binom"):
        return None
    values = [rational(part) for part in parts]
    if any(v is None for v in values):
        return None
    return _combine(kind, [v for v in values if v is not None])


def _combine(kind: str, values: list[Fraction]) -> Fraction | None:
    first, last = values[0], values[-1]
    match kind:
        case "add":
            return _bounded(first + last)
        case "sub":
            return _bounded(first - last)
        case "mul":
            return _bounded(first * last)
        case "div":
            return _bounded(first / last) if last else None
        case "neg":
            return -first
        case "pow":
            return _power(first, last)
        case "factorial":
            return Fraction(math.factorial(_small(first)))
        case _:
            return Fraction(math.comb(_small(first), _small(last)))


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise Unbounded("the numbers grow too large")
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1 or (base == 0 and exponent <= 0):
        return None
    if base in (0, 1, -1):
        return base if exponent % 2 else base * base
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent) * bits > MAX_BITS:
        raise Unbounded("the numbers grow too large")
    return Fraction(base**exponent)


def _small(value: Fraction) -> int:
    if value.denominator != 1 or not 0 <= value <= MAX_FACTORIAL:
        raise Unbounded(f"a factorial of something that is not in 0..{MAX_FACTORIAL}")
    return int(value)
