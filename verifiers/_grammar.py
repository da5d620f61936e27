r"""A small grammar of our own for plain and simple LaTeX mathematics, to a bounded tree. Text is never evaluated.

    list     := relation ((',' | ';' | 'and' | 'or') relation)*        relation := union (('=' | '<' | ...) union)*
    union    := sum ('\cup' sum)*                                       sum      := product (('+' | '-') product)*
    product  := power (('*' | '/')? power)*                             power    := atom '!'? ('^' power)?
    atom     := number | letter | constant | function argument | bracket | '\frac'.. | '\sqrt'.. | '|' sum '|' | matrix

A node is a tuple: ('number', Fraction), ('letter', name), ('constant', name), ('call', function, node),
('add' | 'sub' | 'mul' | 'div' | 'pow' | 'binom', node, node), ('neg' | 'factorial', node), or a shape:
('list' | 'set' | 'union' | '()' | '[]' | '(]' | '[)' | 'matrix' | 'row', nodes...), ('relation', operator, node, node).
Raises Unreadable for everything else.
"""

from fractions import Fraction
from typing import Any

from verifiers._tokens import CONSTANTS, FUNCTIONS, Unreadable, is_number, tokens

MAX_DEPTH = 40
MAX_NODES = 300
SHAPES = frozenset({"list", "set", "union", "()", "[]", "(]", "[)", "matrix", "row", "relation"})
RELATIONS = frozenset({"=", "<", ">", "<=", ">=", "!=", "in"})

_ENDS = frozenset({"", ",", ";", ")", "]", "}", "\\}", "|", "+", "-", "pm", "!", "&", "\\\\", "end", "cup"}) | RELATIONS

Node = tuple[Any, ...]


def parse(text: str) -> Node:
    """The tree of the whole text. Raises Unreadable."""
    reader = _Reader(tokens(text))
    node = reader.list_or_one()
    if reader.peek():
        raise Unreadable(f"unexpected {reader.peek()!r}")
    return node


class _Reader:
    """Recursive descent over the tokens. `pm` is the sign a plus-minus reads as; an item that has one is read twice."""

    def __init__(self, found: list[str]) -> None:
        self._tokens, self._at, self._nodes = found, 0, 0
        self._pm, self._saw_pm = "+", False

    def peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise Unreadable(f"expected {wanted or 'more'} but found {token or 'the end'}")
        self._at += 1
        return token

    def node(self, *parts: Any) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise Unreadable(f"more than {MAX_NODES} parts")
        return parts

    def scalar(self, *parts: Any) -> Node:
        """An arithmetic node: its children may not be tuples, sets and the like."""
        if any(isinstance(p, tuple) and p[0] in SHAPES for p in parts):
            raise Unreadable("arithmetic on something that is no number")
        return self.node(*parts)

    def list_or_one(self) -> Node:
        """The whole text: items between commas; a single one is itself."""
        items = self.items(0)
        return items[0] if len(items) == 1 else self.node("list", *items)

    def items(self, depth: int) -> list[Node]:
        items = self.item(depth)
        while self.peek() in (",", ";"):
            while self.peek() in (",", ";"):
                self.take()
            items += self.item(depth)
        return items

    def item(self, depth: int) -> list[Node]:
        """One relation; two where it contains a plus-minus."""
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH}")
        start, outer = self._at, (self._pm, self._saw_pm)
        self._pm, self._saw_pm = "+", False
        found = [self.relation(depth)]
        if self._saw_pm:
            self._at, self._pm = start, "-"
            found.append(self.relation(depth))
        self._pm, self._saw_pm = outer
        return found

    def relation(self, depth: int) -> Node:
        sides, operators = [self.union(depth)], []
        while self.peek() in RELATIONS:
            operators.append(self.take())
            sides.append(self.union(depth))
        if len(operators) == 1:
            return self.node("relation", operators[0], *sides)
        if operators:
            pairs = zip(operators, sides, sides[1:], strict=False)
            return self.node("row", *(self.node("relation", o, a, b) for o, a, b in pairs))
        return sides[0]

    def union(self, depth: int) -> Node:
        parts = [self.sum(depth)]
        while self.peek() == "cup":
            self.take()
            parts.append(self.sum(depth))
        return parts[0] if len(parts) == 1 else self.node("union", *parts)

    def sum(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH}")
        left: Node | None = None
        while left is None or self.peek() in ("+", "-", "pm"):
            sign = self.sign() if self.peek() in ("+", "-", "pm") else ""
            right = self.product(depth)
            if left is None:
                left = self.scalar("neg", right) if sign == "-" else right
            else:
                left = self.scalar("sub" if sign == "-" else "add", left, right)
        return left

    def sign(self) -> str:
        token = self.take()
        if token == "pm":
            self._saw_pm = True
            return self._pm
        return token

    def product(self, depth: int) -> Node:
        left = self.power(depth)
        while (token := self.peek()) not in _ENDS:
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
        while self.peek() == "!":
            self.take()
            base = self.scalar("factorial", base)
        if self.peek() != "^":
            return base
        self.take()
        if self.peek() == "circ":
            self.take()
            return self.degrees(base)
        return self.scalar("pow", base, self.signed_power(depth + 1))

    def degrees(self, node: Node) -> Node:
        return self.scalar(
            "mul", node, self.node("div", self.node("constant", "pi"), self.node("number", Fraction(180)))
        )

    def atom(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH}")
        token = self.take()
        if is_number(token):
            return self.number(token)
        if token in ("(", "[", "{", "\\{"):
            return self.bracket(token, depth)
        if token == "|":
            inner = self.sum(depth + 1)
            self.take("|")
            return self.scalar("call", "abs", inner)
        if token in ("frac", "binom"):
            over, under = self.argument(depth), self.argument(depth)
            return self.scalar("div" if token == "frac" else "binom", over, under)
        if token == "sqrt":
            return self.root(depth)
        if token in FUNCTIONS:
            return self.function(token, depth)
        if token in CONSTANTS:
            return self.node("constant", token)
        if token == "begin":
            return self.matrix(depth)
        if token[0].isalpha() and (len(token) == 1 or token[1] == "_" or token[-1] == "\\"):
            return self.node("letter", token)
        raise Unreadable(f"unexpected {token[:20]!r}")

    def number(self, token: str) -> Node:
        """A number; `1 1/2` and `1\\frac{1}{2}` are mixed ones."""
        if " " in token:
            whole, _, part = token.partition(" ")
            return self.node("number", Fraction(whole) + Fraction(part))
        return self.node("number", Fraction(token))

    def bracket(self, opening: str, depth: int) -> Node:
        if opening == "\\{" or (opening == "{" and depth == 1):
            inner = self.node("set", *self.items(depth + 1))
            self.take("\\}" if opening == "\\{" else "}")
            return inner if opening == "\\{" or len(inner) > 2 else inner[1]
        items = self.items(depth + 1)
        closing = self.take()
        if len(items) == 1:
            if (opening, closing) not in (("(", ")"), ("[", "]"), ("{", "}")) or items[0][0] == "relation":
                raise Unreadable("brackets that do not match")
            return items[0]
        if opening == "{" or closing not in (")", "]"):
            raise Unreadable("brackets that do not match")
        return self.node(opening + closing, *items)

    def argument(self, depth: int) -> Node:
        """`{sum}`, or in short form one token: `\\frac12` arrives as two digits."""
        if self.peek() != "{":
            if len(self.peek()) > 1 and is_number(self.peek()):
                raise Unreadable("an argument of several digits without braces")
            return self.atom(depth + 1)
        self.take()
        inner = self.sum(depth + 1)
        self.take("}")
        return inner

    def root(self, depth: int) -> Node:
        if self.peek() != "[":
            return self.scalar("call", "sqrt", self.atom(depth + 1))
        self.take()
        index = self.sum(depth + 1)
        self.take("]")
        return self.scalar("pow", self.atom(depth + 1), self.node("div", self.node("number", Fraction(1)), index))

    def function(self, name: str, depth: int) -> Node:
        """`\\sin^2 x`, `\\log_2 8`, `\\sin(x)`, `\\sin 2x`; `log` without a base is of an unknown one."""
        base = power = None
        if name == "log" and self.peek() == "_":
            self.take()
            base = self.argument(depth)
        if self.peek() == "^":
            self.take()
            power = self.signed_power(depth + 1)
            if power == ("neg", ("number", Fraction(1))):
                raise Unreadable("an inverse function or a reciprocal")
        if self.peek() in ("(", "{", "["):
            inner = self.atom(depth + 2)
        else:
            inner = self.power(depth + 1)
            while (token := self.peek()) not in _ENDS and token not in ("*", "/") and token not in FUNCTIONS:
                inner = self.scalar("mul", inner, self.power(depth + 1))
        node = self.scalar("call", "ln" if name == "log" else name, inner)
        if name == "log":
            divisor = self.scalar("call", "ln", base) if base else self.node("letter", "log\\")
            node = self.scalar("div", node, divisor)
        return node if power is None else self.scalar("pow", node, power)

    def matrix(self, depth: int) -> Node:
        rows, row = [], [self.sum(depth + 1)]
        while (token := self.take()) != "end":
            if token == "\\\\":
                if self.peek() == "end":
                    continue
                rows.append(self.node("row", *row))
                row = [self.sum(depth + 1)]
            elif token == "&":
                row.append(self.sum(depth + 1))
            else:
                raise Unreadable(f"unexpected {token!r} in a matrix")
        return self.node("matrix", *rows, self.node("row", *row))
