"""Exact linear arithmetic on text: `2x+4x-5` -> 6·x - 5 as Fractions. Fast, bounded, no library.

Grammar: integers, decimals, one-letter unknowns, + - * / ( ), `2x` and `2(x+1)`. Products of unknowns, powers and
division by an unknown are refused. Not a general algebra: that is `symbolic`.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

MAX_LENGTH = 400  # characters
MAX_DEPTH = 20  # nested parentheses and signs
MAX_DIGITS = 30  # digits of one number
MAX_BITS = 4_096  # size of an intermediate numerator or denominator

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z])|([-+*/()]))")


class NotLinear(ValueError):
    """The text is no linear expression within the bounds."""


@dataclass(frozen=True, slots=True)
class Linear:
    """`slope` times the unknown plus `constant`; `unknown` is empty when there is none."""

    slope: Fraction
    constant: Fraction
    unknown: str = ""


def value(text: str) -> Fraction:
    """The value of an arithmetic expression. Raises NotLinear."""
    form = linear(text)
    if form.unknown:
        raise NotLinear(f"{form.unknown} is not a number")
    return form.constant


def solution(equation: str, unknown: str = "") -> tuple[str, Fraction]:
    """The unknown of a linear equation and its only value. Raises NotLinear (also for none or many solutions)."""
    sides = equation.split("=")
    if len(sides) != 2:
        raise NotLinear("an equation has one equals sign")
    left, right = linear(sides[0]), linear(sides[1])
    name = _one_unknown(left, right)
    if not name or (unknown and name != unknown):
        raise NotLinear(f"the unknown is {name or 'missing'}, not {unknown}" if unknown else "there is no unknown")
    slope = left.slope - right.slope
    if slope == 0:
        raise NotLinear("the equation has no single solution")
    return name, (right.constant - left.constant) / slope


def linear(text: str) -> Linear:
    """The linear form of a whole text. Raises NotLinear."""
    if len(text) > MAX_LENGTH:
        raise NotLinear(f"longer than {MAX_LENGTH} characters")
    parser = _Parser(_tokens(text))
    form = parser.sum(0)
    if parser.peek():
        raise NotLinear(f"unexpected {parser.peek()!r}")
    return form


def _tokens(text: str) -> list[str]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        m = _TOKEN.match(text, at)
        if m is None:
            raise NotLinear(f"unexpected {text[at : at + 10]!r}")
        if m[1] and len(m[1]) > MAX_DIGITS:
            raise NotLinear(f"a number of more than {MAX_DIGITS} digits")
        tokens.append(m[0].strip())
        at = m.end()
    return tokens


class _Parser:
    """Recursive descent: sum -> product -> factor."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def sum(self, depth: int) -> Linear:
        form = self.product(depth)
        while self.peek() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            term = self.product(depth)
            form = _bounded(
                form.slope + sign * term.slope, form.constant + sign * term.constant, _one_unknown(form, term)
            )
        return form

    def product(self, depth: int) -> Linear:
        form = self.factor(depth)
        while (token := self.peek()) and token not in ("+", "-", ")"):
            if token in ("*", "/"):
                self.take()
            elif token[0].isdigit():
                raise NotLinear("two numbers in a row")
            factor = self.factor(depth)
            form = _divide(form, factor) if token == "/" else _multiply(form, factor)
        return form

    def factor(self, depth: int) -> Linear:
        if depth > MAX_DEPTH:
            raise NotLinear(f"nested deeper than {MAX_DEPTH}")
        token = self.take()
        if token in ("-", "+"):
            inner = self.factor(depth + 1)
            return Linear(-inner.slope, -inner.constant, inner.unknown) if token == "-" else inner
        if token == "(":
            inner = self.sum(depth + 1)
            if self.take() != ")":
                raise NotLinear("a parenthesis is never closed")
            return inner
        if token and token[0].isdigit():
            return Linear(Fraction(0), Fraction(token))
        if token.isalpha():
            return Linear(Fraction(1), Fraction(0), token)
        raise NotLinear(f"unexpected {token!r}" if token else "it ends too early")


def _one_unknown(a: Linear, b: Linear) -> str:
    if a.unknown and b.unknown and a.unknown != b.unknown:
        raise NotLinear(f"two unknowns, {a.unknown} and {b.unknown}")
    return a.unknown or b.unknown


def _bounded(slope: Fraction, constant: Fraction, unknown: str) -> Linear:
    for part in (slope, constant):
        if part.numerator.bit_length() > MAX_BITS or part.denominator.bit_length() > MAX_BITS:
            raise NotLinear("the numbers grow too large")
    return Linear(slope, constant, unknown)


def _multiply(a: Linear, b: Linear) -> Linear:
    if a.unknown and b.unknown:
        raise NotLinear("a product of unknowns")
    if b.unknown:
        a, b = b, a
    return _bounded(a.slope * b.constant, a.constant * b.constant, a.unknown)


def _divide(a: Linear, b: Linear) -> Linear:
    if b.unknown or b.constant == 0:
        raise NotLinear("a division by zero or by an unknown")
    return _bounded(a.slope / b.constant, a.constant / b.constant, a.unknown)
