r"""Recursive descent over tokens: the arithmetic half of the grammar, from sums down to atoms. See `_grammar.py`.

    sum   := product (('+' | '-') product)*          product := power (('*' | '/')? power)*
    power := atom ('!' | '%')* ('^' power)?          atom    := number | letter | constant | function argument | bracket
                                                                | '\frac'.. | '\sqrt'.. | '|' sum '|' | '\lfloor' sum ..

Brackets, matrices and what they may hold are the subclass's. Implicit products bind like explicit ones: `1/2x` is x/2.
"""

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any

from verifiers._matrices import combined
from verifiers._tokens import CONSTANTS, FUNCTIONS, Unreadable, is_letter, is_number

MAX_DEPTH = 40
MAX_NODES = 300
SHAPES = frozenset(
    {"list", "set", "union", "minus", "builder", "()", "[]", "(]", "[)", "matrix", "row", "relation", "chain", "ratio"}
    | {"numeral"}
)
RELATIONS = frozenset({"=", "<", ">", "<=", ">=", "!=", "in", "approx"})

_ENDS = frozenset(
    {"", ",", ";", ":", ")", "]", "}", "\\}", "+", "-", "pm", "mp", "!", "&", "\\\\", "end", "cup", "mid"}
)
_ENDS |= RELATIONS | {"setminus", "rfloor", "rceil"}
_INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}
_APPLIED = frozenset("fghFGH")  # a bracket after these letters is an argument; after P and Q only a plain one
_ROUNDING = {"lfloor": ("floor", "rfloor"), "lceil": ("ceil", "rceil")}

Node = tuple[Any, ...]


class Scalars(ABC):
    """The tokens, a position in them, and what the plus-minus signs read as on this pass."""

    def __init__(self, found: list[str]) -> None:
        self._tokens, self._at, self._nodes, self._bars = found, 0, 0, 0
        self._pm, self._signs = "+", 0

    def peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise Unreadable(f"expected {wanted or 'more'} but found {token[:20] or 'the end'}")
        self._at += 1
        return token

    def node(self, *parts: Any) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Unreadable(f"more than {MAX_NODES} parts")
        return parts

    def scalar(self, kind: str, *parts: Any) -> Node:
        """An arithmetic node: its children may not be tuples, sets and the like, but may be matrices."""
        shapes = [p[0] for p in parts if isinstance(p, tuple) and p[0] in SHAPES]
        if "matrix" in shapes and len(set(shapes)) == 1:
            self._nodes += sum(len(p) for p in parts)
            if found := combined(kind, *parts):
                return found
        if shapes:
            raise Unreadable("arithmetic on something that is no number")
        return self.node(kind, *parts)

    @abstractmethod
    def bracket(self, opening: str, depth: int) -> Node: ...

    @abstractmethod
    def matrix(self, depth: int) -> Node: ...

    def sum(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH}")
        left: Node | None = None
        while left is None or self.peek() in ("+", "-", "pm", "mp"):
            sign = self.sign() if self.peek() in ("+", "-", "pm", "mp") else ""
            right = self.product(depth)
            if left is None:
                left = self.scalar("neg", right) if sign == "-" else right
            elif sign == "-" and left == ("constant", "reals") and right[0] == "set":
                left = self.node("minus", left, right)
            else:
                left = self.scalar("sub" if sign == "-" else "add", left, right)
        return left

    def sign(self) -> str:
        token = self.take()
        if token in ("pm", "mp"):
            self._signs += 1
            return self._pm if token == "pm" else "-" if self._pm == "+" else "+"
        while self.peek() in ("+", "-"):  # x+-1
            token = "-" if (self.take() == "-") != (token == "-") else "+"
        return token

    def product(self, depth: int) -> Node:
        left = self.power(depth)
        while (token := self.peek()) not in _ENDS and not (token == "|" and self._bars):
            operator = self.take() if token in ("*", "/") else "*"
            if operator == "*" and is_number(token) and left[0] == "number":
                raise Unreadable("two numbers in a row")
            left = self.scalar("mul" if operator == "*" else "div", left, self.signed_power(depth))
        return left

    def signed_power(self, depth: int) -> Node:
        if self.peek() == "-":
            self.take()
            return self.scalar("neg", self.power(depth + 1))
        return self.power(depth)

    def power(self, depth: int) -> Node:
        base = self.atom(depth + 1)
        while self.peek() in ("!", "%"):
            if self.take() == "!":
                base = self.scalar("factorial", base)
            else:
                base = self.scalar("div", base, self.node("number", Fraction(100)))
        if self.peek() != "^":
            return base
        self.take()
        if self.peek() == "circ":
            self.take()
            return self.degrees(base)
        if self.peek() == "+":
            self.take()
        return self.scalar("pow", base, self.signed_power(depth + 1))

    def degrees(self, node: Node) -> Node:
        half_turn = self.node("number", Fraction(180))
        return self.scalar("mul", node, self.node("div", self.node("constant", "pi"), half_turn))

    def atom(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH}")
        token = self.take()
        if is_number(token):
            return self.number(token)
        if token in ("(", "[", "{", "\\{"):
            return self.bracket(token, depth)
        if token == "|" or token in _ROUNDING:
            return self.between(token, depth)
        if token in ("frac", "binom"):
            over, under = self.argument(depth), self.argument(depth)
            return self.scalar("div" if token == "frac" else "binom", over, under)
        if token in ("sqrt", "root"):
            return self.root(token, depth)
        if token in FUNCTIONS:
            return self.function(token, depth)
        if token in CONSTANTS:
            return self.node("constant", token)
        if token == "begin":
            return self.matrix(depth)
        if is_letter(token):
            return self.application(token, depth) if self.applied(token) else self.node("letter", token)
        raise Unreadable(f"unexpected {token[:20]!r}")

    def number(self, token: str) -> Node:
        """A number, with its places where it is a decimal; `1 1/2` is a mixed one and `12_3` a numeral."""
        if "_" in token:
            digits, _, base = token.partition("_")
            if not 2 <= int(base) <= 36 or any(int(d, 36) >= int(base) for d in digits):
                raise Unreadable("a digit that its base does not have")
            if int(base) == 10:
                return self.node("number", Fraction(digits))
            return self.node("numeral", digits.lstrip("0") or "0", int(base))
        whole, _, part = token.partition(" ")
        if part:
            return self.node("number", Fraction(whole) + Fraction(part))
        digits, _, ten = token.lower().partition("e")
        places = len(digits.partition(".")[2]) - int(ten or 0)
        return self.node("number", Fraction(token), places) if places > 0 else self.node("number", Fraction(token))

    def between(self, opening: str, depth: int) -> Node:
        """`|x|`, a floor or a ceiling."""
        name, closing = _ROUNDING.get(opening, ("abs", "|"))
        outer, self._bars = self._bars, int(opening == "|")
        inner = self.sum(depth + 1)
        self._bars = outer
        self.take(closing)
        return self.scalar("call", name, inner)

    def applied(self, token: str) -> bool:
        """Whether the bracket that follows a letter is an argument: f(x+1), P(2), but not P(1+r)."""
        if self.peek() != "(":
            return False
        plain = self.peek(2) == ")" and (is_number(self.peek(1)) or is_letter(self.peek(1)))
        return token[0] in _APPLIED or (token[0] in "PQ" and plain)

    def application(self, token: str, depth: int) -> Node:
        self.take("(")
        arguments = [self.sum(depth + 1)]
        while self.peek() == ",":
            self.take()
            arguments.append(self.sum(depth + 1))
        self.take(")")
        return self.scalar("apply", token, *arguments)

    def argument(self, depth: int) -> Node:
        """`{sum}`, or in short form one token: `\\frac12` arrives as two digits."""
        if self.peek() != "{":
            if len(self.peek()) > 1 and is_number(self.peek()):
                raise Unreadable("an argument of several digits without braces")
            return self.atom(depth + 1)
        return self.braced(depth)

    def braced(self, depth: int) -> Node:
        self.take("{")
        outer, self._bars = self._bars, 0
        inner = self.sum(depth + 1)
        self._bars = outer
        self.take("}")
        return inner

    def root(self, token: str, depth: int) -> Node:
        """`\\sqrt{x}`, `\\sqrt[3]{x}`, and the plain `sqrt(x)` or `√12`, where `\\sqrt12` would be ambiguous."""
        index: Node = ("number", Fraction(2))
        if self.peek() == "[":
            self.take()
            index = self.sum(depth + 1)
            self.take("]")
        inner = self.atom(depth + 1) if token == "root" and self.peek() != "{" else self.argument(depth)
        return self.scalar("pow", inner, self.node("div", self.node("number", Fraction(1)), index))

    def function(self, name: str, depth: int) -> Node:
        """`\\sin^2 x`, `\\log_2 8`, `\\sin(x)`, `\\sin 2x`, `\\sin^{-1} x`; `log` alone is of an unknown base."""
        base = power = None
        if name == "log" and self.peek() == "_":
            self.take()
            base = self.argument(depth)
        if self.peek() == "^":
            self.take()
            if len(self.peek()) > 1 and is_number(self.peek()):
                raise Unreadable("a power of several digits without braces")
            power = self.signed_power(depth + 1)
            if power == ("neg", ("number", Fraction(1))):
                if name not in _INVERSE:
                    raise Unreadable("an inverse function or a reciprocal")
                name, power = _INVERSE[name], None
        inner = self.function_argument(depth)
        node = self.scalar("call", "ln" if name in ("log", "lg") else name, inner)
        if name in ("log", "lg"):
            ten = self.node("number", Fraction(10))
            unknown = self.node("letter", "log\\")
            base = base or (ten if name == "lg" else None)
            node = self.scalar("div", node, self.scalar("call", "ln", base) if base else unknown)
        return node if power is None else self.scalar("pow", node, power)

    def function_argument(self, depth: int) -> Node:
        if self.peek() in ("(", "{", "["):
            return self.atom(depth + 2)
        minus = self.peek() == "-"
        if minus:
            self.take()
        inner = self.power(depth + 1)
        while (token := self.peek()) not in _ENDS and token not in ("*", "/", "|") and token not in FUNCTIONS:
            if is_number(token):
                raise Unreadable("a number after the argument of a function")
            inner = self.scalar("mul", inner, self.power(depth + 1))
        return self.scalar("neg", inner) if minus else inner
