r"""A small grammar of our own for plain and simple LaTeX mathematics, to a bounded tree. Text is never evaluated.

    list     := relation ((',' | ';' | 'and' | 'or') relation)*        relation := ratio (('=' | '<' | ...) ratio)*
    ratio    := union (':' union)*                union := sum (('\cup' | '\setminus') sum)*       sum: `_scalars.py`

A node is a tuple: ('number', Fraction), ('letter', name), ('constant', name), ('call', function, node),
('add' | 'sub' | 'mul' | 'div' | 'pow' | 'binom', node, node), ('neg' | 'factorial', node), ('apply', name, nodes...),
or a shape: ('list' | 'set' | 'union' | '()' | '[]' | '(]' | '[)' | 'matrix' | 'row' | 'ratio', nodes...),
('minus', set, set), ('builder', letter, conditions...), ('numeral', digits, base), ('relation', operator, node, node),
('chain', operators, nodes...). Raises Unreadable for everything else.
"""

from verifiers._scalars import MAX_DEPTH, RELATIONS, SHAPES, Node, Scalars
from verifiers._tokens import Unreadable, is_letter, tokens

__all__ = ["SHAPES", "Node", "Unreadable", "parse"]

_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))


def parse(text: str, grouped: bool = True) -> Node:
    """The tree of the whole text; `grouped`: `1,000` is one number, not two. Raises Unreadable."""
    reader = _Reader(tokens(text, grouped))
    node = reader.list_or_one()
    if reader.peek():
        raise Unreadable(f"unexpected {reader.peek()[:20]!r}")
    return node


class _Reader(Scalars):
    """An item that has a plus-minus is read twice, once for each sign."""

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
        start, outer = self._at, (self._pm, self._signs, self._bars)
        self._pm, self._signs, self._bars = "+", 0, 0
        found = [self.relation(depth)]
        if self._signs > 1 and "mp" not in self._tokens[start : self._at]:
            raise Unreadable("several plus-minus signs, which may or may not go together")
        if self._signs:
            self._at, self._pm = start, "-"
            found.append(self.relation(depth))
        self._pm, self._signs, self._bars = outer
        return found

    def relation(self, depth: int) -> Node:
        if self.peek() in ("approx", "="):  # `≈ 3.14`
            self.take()
        sides, operators = [self.ratio(depth)], []
        while self.peek() in RELATIONS:
            operators.append(self.take())
            sides.append(self.ratio(depth))
        if len(operators) == 1:
            return self.node("relation", operators[0], *sides)
        return self.node("chain", tuple(operators), *sides) if operators else sides[0]

    def ratio(self, depth: int) -> Node:
        parts = [self.union(depth)]
        while self.peek() == ":":
            self.take()
            parts.append(self.union(depth))
        return parts[0] if len(parts) == 1 else self.node("ratio", *parts)

    def union(self, depth: int) -> Node:
        parts = [self.sum(depth)]
        while (token := self.peek()) in ("cup", "setminus"):
            self.take()
            part = self.sum(depth)
            if token == "cup":
                parts.append(part)
            else:
                whole = parts[0] if len(parts) == 1 else self.node("union", *parts)
                parts = [self.node("minus", whole, part)]
        return parts[0] if len(parts) == 1 else self.node("union", *parts)

    def bracket(self, opening: str, depth: int) -> Node:
        if opening == "\\{" or (opening == "{" and depth == 1):
            return self.set(opening, depth)
        outer, self._bars = self._bars, 0
        items = [self.relation(depth + 1)]  # a plus-minus in a tuple makes two tuples
        while self.peek() in (",", ";"):
            self.take()
            items.append(self.relation(depth + 1))
        self._bars = outer
        closing = self.take()
        if len(items) == 1:
            if (opening, closing) not in _PAIRS or items[0][0] in ("relation", "chain", "ratio"):
                raise Unreadable("brackets that do not match")
            return items[0] if opening != "[" or items[0][0] != "[]" else self.rows(items)
        if opening == "{" or closing not in (")", "]"):
            raise Unreadable("brackets that do not match")
        if opening + closing == "[]" and all(item[0] == "[]" for item in items):
            return self.rows(items)
        return self.node(opening + closing, *items)

    def rows(self, items: list[Node]) -> Node:
        """`[[1, 2], [3, 4]]` is a matrix."""
        if len({len(item) for item in items}) != 1:
            raise Unreadable("rows of different lengths")
        return self.node("matrix", *(self.node("row", *item[1:]) for item in items))

    def set(self, opening: str, depth: int) -> Node:
        """`{1, 2}`, `{}` and `{x | x > 0}`; plain braces around one thing are only brackets."""
        closing = "\\}" if opening == "\\{" else "}"
        if self.peek() == closing:
            self.take()
            return self.node("constant", "emptyset")
        if is_letter(self.peek()):
            start, letter = self._at, self.take()
            if self.peek() == "in" and self.peek(1) == "reals":
                self._at += 2
            if self.peek() in ("mid", "|", ":"):
                self.take()
                found = self.node("builder", letter, *self.items(depth + 1))
                self.take(closing)
                return found
            self._at = start
        inner = self.node("set", *self.items(depth + 1))
        self.take(closing)
        return inner if opening == "\\{" or len(inner) > 2 else inner[1]

    def matrix(self, depth: int) -> Node:
        """The rows up to `end`; one column of relations is a system, hence a list."""
        rows: list[list[Node]] = [[]]
        while self.peek() != "end":
            if self.peek() == "\\\\":
                self.take()
                rows.append([])
                continue
            if rows[-1]:
                self.take("&" if self.peek() == "&" else ",")
            if self.peek() not in ("end", "\\\\"):
                rows[-1].append(self.relation(depth + 1))
        self.take()
        rows = [row for row in rows if row]
        if not rows or len({len(row) for row in rows}) != 1:
            raise Unreadable("rows of different lengths")
        if all(entry[0] in ("relation", "chain") for row in rows for entry in row):
            return self.node("list", *(entry for row in rows for entry in row))
        return self.node("matrix", *(self.node("row", *row) for row in rows))
