r"""Random expressions with a value of their own, exact in Q(sqrt 2): spelled in plain text, LaTeX, unicode; rewritten.

Nothing here comes from the code under test. A tree is ('n', int), ('root',), ('x', letter), ('neg', tree) or
(operator, tree, tree) with an operator of `+-*/^`; the exponent of `^` is an ('n', int) of 0 to 3.
"""

from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import strategies as st

Tree = tuple[Any, ...]
Value = tuple[Fraction, Fraction]  # a + b sqrt 2

LETTERS = "xyab"
_POINTS = [
    {name: Fraction(rng.randint(-40, 40), rng.randint(1, 9)) for name in LETTERS}
    for rng in (Random(k) for k in range(9))
]


def _grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    pairs = st.tuples(st.sampled_from("+-*/"), inner, inner)
    powers = st.tuples(st.just("^"), inner, st.integers(0, 3).map(lambda n: ("n", n)))
    return st.one_of(pairs, pairs, powers, inner.map(lambda e: ("neg", e)))


_numbers = st.integers(0, 12).map(lambda n: ("n", n))
_leaves = st.one_of(_numbers, _numbers, st.sampled_from(LETTERS).map(lambda x: ("x", x)), st.just(("root",)))
constants = st.recursive(st.one_of(_numbers, st.just(("root",))), _grow, max_leaves=7)
trees = st.recursive(_leaves, _grow, max_leaves=8)


def values(tree: Tree) -> list[Value | None]:
    """The exact values at some points; None where it divides by zero."""
    return [_value(tree, point) for point in _POINTS]


def _value(tree: Tree, point: dict[str, Fraction]) -> Value | None:
    kind, *parts = tree
    if kind == "n":
        return Fraction(parts[0]), Fraction(0)
    if kind == "root":
        return Fraction(0), Fraction(1)
    if kind == "x":
        return point[parts[0]], Fraction(0)
    found = [_value(part, point) for part in parts]
    if found[0] is None or found[-1] is None:
        return None
    (a, b), (c, d) = found[0], found[-1]
    match kind:
        case "neg":
            return -a, -b
        case "+":
            return a + c, b + d
        case "-":
            return a - c, b - d
        case "*":
            return a * c + 2 * b * d, a * d + b * c
        case "/":
            norm = c * c - 2 * d * d
            return None if not norm else ((a * c - 2 * b * d) / norm, (b * c - a * d) / norm)
    if not (a or b) and c == 0:
        return None
    power = (Fraction(1), Fraction(0))
    for _ in range(int(c)):
        power = power[0] * a + 2 * power[1] * b, power[0] * b + power[1] * a
    return power


def rewritten(tree: Tree, rng: Random) -> Tree:
    """Another tree of the same value wherever both are defined."""
    kind, *parts = tree
    if kind in ("neg", "+", "-", "*", "/"):
        tree = (kind, *(rewritten(part, rng) for part in parts))
    elif kind == "^":
        tree = ("^", rewritten(parts[0], rng), parts[1])
    if rng.random() < 0.5:
        return tree
    return rng.choice([rule for rule in _RULES if rule(tree, rng) is not None])(tree, rng)


def _commuted(t: Tree, _: Random) -> Tree | None:
    return (t[0], t[2], t[1]) if t[0] in ("+", "*") else None


def _associated(t: Tree, _: Random) -> Tree | None:
    return (t[0], t[1][1], (t[0], t[1][2], t[2])) if t[0] in ("+", "*") and t[1][0] == t[0] else None


def _distributed(t: Tree, _: Random) -> Tree | None:
    return (t[2][0], ("*", t[1], t[2][1]), ("*", t[1], t[2][2])) if t[0] == "*" and t[2][0] in ("+", "-") else None


def _exchanged(t: Tree, _: Random) -> Tree | None:
    return ("neg", ("-", t[2], t[1])) if t[0] == "-" else None


def _expanded(t: Tree, rng: Random) -> Tree | None:
    k = ("n", rng.randint(2, 9))
    return ("/", ("*", k, t[1]), ("*", t[2], k)) if t[0] == "/" else None


def _multiplied(t: Tree, _: Random) -> Tree | None:
    return ("*", t[1], ("*", t[1], ("^", t[1], ("n", t[2][1] - 2)))) if t[0] == "^" and t[2][1] > 2 else None


_RULES = [
    _commuted, _associated, _distributed, _exchanged, _expanded, _multiplied, lambda t, r: ("+", t, ("n", 0)),
    lambda t, r: ("*", ("n", 1), t), lambda t, r: ("neg", ("neg", t)), lambda t, r: ("-", ("n", 0), ("neg", t)),
    lambda t, r: ("/", ("*", ("n", 6), t), ("n", 6)),
]  # fmt: skip


def mutated(tree: Tree, rng: Random) -> Tree:
    """The tree with one number, sign, letter or operator changed."""
    kind, *parts = tree
    if kind == "n":
        return ("n", rng.choice([n for n in range(13) if n != parts[0]]))
    if kind == "root":
        return ("n", rng.randint(0, 12))
    if kind == "x":
        return ("x", rng.choice([x for x in LETTERS if x != parts[0]]))
    if rng.random() < 0.4:
        return ("neg", tree) if kind in ("^", "neg") else (rng.choice([o for o in "+-*/" if o != kind]), *parts)
    if kind == "^":
        return ("^", mutated(parts[0], rng), parts[1])
    at = rng.randrange(len(parts))
    return (kind, *(mutated(p, rng) if i == at else p for i, p in enumerate(parts)))


def spelled(tree: Tree, rng: Random, style: str) -> str:
    """One spelling; `style` is plain, latex or unicode. Brackets wherever they might matter, sometimes elsewhere."""
    kind, *parts = tree
    if kind == "n":
        return str(parts[0]) if rng.random() < 0.8 else f"{parts[0]}.0"
    if kind == "root":
        return {"plain": "sqrt(2)", "latex": rng.choice([r"\sqrt{2}", r"\sqrt 2"]), "unicode": "√2"}[style]
    if kind == "x":
        return str(parts[0])
    if kind == "/" and style == "latex":
        over, under = (spelled(part, rng, style) for part in parts)
        return rf"\{rng.choice(['frac', 'dfrac'])}{{{over}}}{{{under}}}"
    inner = [_bracketed(part, rng, style) for part in parts]
    if kind == "neg":
        return ("−" if style == "unicode" else "-") + inner[0]
    if kind == "^":
        if style == "unicode":
            return inner[0] + "⁰¹²³"[parts[1][1]]
        return f"{inner[0]}^{{{parts[1][1]}}}" if style == "latex" else f"{inner[0]}^{parts[1][1]}"
    signs = {
        "plain": {"*": "*", "/": "/"}, "latex": {"*": r"\cdot "}, "unicode": {"*": "×", "/": "÷", "-": "−"}
    }[style]  # fmt: skip
    space = rng.choice(["", " "])
    return f"{inner[0]}{space}{signs.get(kind, kind)}{space}{inner[1]}"


def _bracketed(tree: Tree, rng: Random, style: str) -> str:
    text = spelled(tree, rng, style)
    if tree[0] in ("n", "x", "root") and rng.random() < 0.9:
        return text
    return rf"\left({text}\right)" if style == "latex" and rng.random() < 0.5 else f"({text})"
