"""A small grammar of our own for plain and LaTeX expressions, to a bounded tree. Text is never evaluated.

    sum := product (('+'|'-') product)*       product := power (('*'|'/')? power)*      power := atom ('^' power)?
    atom := number | letter | constant | function atom | '(' sum ')' | '\\frac{sum}{sum}' | '\\sqrt[sum]{sum}'

A node is (operator, children...) or ('number', Fraction) or ('letter', name). Raises Unreadable for everything else.
"""

import re
from fractions import Fraction
from typing import Any

MAX_LENGTH = 500
MAX_DEPTH = 40
MAX_DIGITS = 60  # of one number
MAX_NODES = 300

Node = tuple[Any, ...]
FUNCTIONS = ("sqrt", "sin", "cos", "tan", "log", "ln", "exp", "abs", "arcsin", "arccos", "arctan")
CONSTANTS = ("pi", "e", "i", "infty")
_TOKEN = re.compile(r"\s*(\d+\.\d+|\.\d+|\d+|\\[a-zA-Z]+|[a-zA-Z]+|[-+*/^()\[\]{}|,=!])")
_DROP = re.compile(r"\\(?:left|right|displaystyle|,|;|!|:|quad|mathrm|operatorname)\b|\\[,;!: ]|\$")


class Unreadable(ValueError):
    """The text is not an expression of this grammar, or over its bounds."""


def parse(text: str) -> Node:
    """The tree of the whole text."""
    if len(text) > MAX_LENGTH:
        raise Unreadable(f"longer than {MAX_LENGTH} characters")
    reader = _Reader(_tokens(_DROP.sub(" ", text)))
    node = reader.sum(0)
    if reader.peek():
        raise Unreadable(f"unexpected {reader.peek()!r}")
    return node


def _tokens(text: str) -> list[str]:
    tokens, at, text = [], 0, text.strip().replace("**", "^").replace("√", "\\sqrt ").replace("π", "\\pi ")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise Unreadable(f"unexpected {text[at:].strip()[:1]!r}")
        tokens += _words(match[1])
        at = match.end()
    return tokens


def _words(token: str) -> list[str]:
    """A run of letters is one known name, or else a product of single letters."""
    name = token.removeprefix("\\").lower()
    aliases = {"cdot": "*", "times": "*", "div": "/", "dfrac": "frac", "tfrac": "frac"}
    if token.startswith("\\"):
        name = aliases.get(name, name)
        if name not in (*FUNCTIONS, *CONSTANTS, "frac", "*", "/"):
            raise Unreadable(f"unknown command {token}")
        return [name]
    return (
        [name] if name in (*FUNCTIONS, *CONSTANTS) else list(token) if token.isalpha() and len(token) < 4 else [token]
    )


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at, self._nodes = tokens, 0, 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise Unreadable(f"expected {wanted or 'more'} but found {token or 'the end'}")
        self._at += 1
        return token

    def _node(self, *parts: Any) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Unreadable(f"more than {MAX_NODES} parts")
        return parts

    def sum(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH}")
        sign = self.take() if self.peek() in ("+", "-") else ""
        left = self.product(depth)
        left = self._node("neg", left) if sign == "-" else left
        while self.peek() in ("+", "-"):
            left = self._node("add" if self.take() == "+" else "sub", left, self.product(depth))
        return left

    def product(self, depth: int) -> Node:
        left = self.power(depth)
        while (token := self.peek()) and token not in ("+", "-", ")", "]", "}", ",", "=", "|", "!"):
            operator = self.take() if token in ("*", "/") else "*"
            left = self._node("mul" if operator == "*" else "div", left, self.power(depth))
        return left

    def power(self, depth: int) -> Node:
        base = self.atom(depth + 1)
        if self.peek() != "^":
            return base
        self.take()
        if self.peek() == "-":
            self.take()
            return self._node("pow", base, self._node("neg", self.power(depth + 1)))
        return self._node("pow", base, self.power(depth + 1))

    def atom(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH}")
        token = self.take()
        if token[0].isdigit() or token[0] == ".":
            if len(token) > MAX_DIGITS:
                raise Unreadable(f"a number of more than {MAX_DIGITS} digits")
            return self._node("number", Fraction(token))
        if token in "([{":
            inner = self.sum(depth + 1)
            self.take({"(": ")", "[": "]", "{": "}"}[token])
            return inner
        if token == "frac":
            return self._node("div", self._braced(depth), self._braced(depth))
        if token == "sqrt" and self.peek() == "[":
            self.take()
            index = self.sum(depth + 1)
            self.take("]")
            return self._node("root", self.atom(depth + 1), index)
        if token in FUNCTIONS:
            return self._node("call", token, self.atom(depth + 1))
        if token in CONSTANTS:
            return self._node("constant", token)
        if len(token) == 1 and token.isalpha():
            return self._node("letter", token)
        raise Unreadable(f"unexpected {token!r}")

    def _braced(self, depth: int) -> Node:
        self.take("{")
        inner = self.sum(depth + 1)
        self.take("}")
        return inner
