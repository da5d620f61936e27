"""An expression is itself however rewritten and spelled, and never another one. No text breaks the comparison."""

import os
import time
import unicodedata
from fractions import Fraction
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.expressions import Tree, constants, mutated, rewritten, spelled, trees, values
from verifiers._tokens import MAX_LENGTH
from verifiers.symbolic import compare

EXAMPLES = int(os.environ.get("EQUIVALENCE_EXAMPLES", "80"))
STYLES = ["plain", "latex", "unicode"]
MAX_TEXT = 300  # a longer spelling may be out of bounds

seeds = st.integers(0, 2**32).map(Random)
often = settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 80)
styles = st.sampled_from(STYLES)
_WORDS = r"""
\frac \sqrt \sin \log \pm \cup \infty \le \in \begin{pmatrix} \end{pmatrix} \\ \text{cm} \{ \} ^\circ
\overline{3} \pi and km ≈ \mid \left( \right) \lfloor \rfloor \binom \mathbb{R} \setminus e \ldots percent AB PM
"""
FRAGMENTS = [*"0123+-*/^()[]{}|,;=<>!&_%$:.' xyeif", *_WORDS.split()]
soups = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)


def texts(tree: Tree, style: str, rng: Random) -> str:
    """A spelling within the bounds."""
    text = spelled(tree, rng, style)
    assume(len(text) <= MAX_TEXT)
    return text


def defined(tree: Tree) -> bool:
    return sum(v is None for v in values(tree)) <= 2


@pytest.mark.parametrize("style", STYLES)
@often
@given(tree=trees, rng=seeds, other=styles)
def test_an_expression_is_itself_rewritten_and_respelled(style: str, tree: Tree, rng: Random, other: str) -> None:
    assume(defined(tree))
    again = rewritten(tree, rng)
    gold, answer = texts(tree, style, rng), texts(again, other, rng)
    assert compare(gold, answer)[0] == "correct", (gold, answer)
    assert compare(answer, gold)[0] == "correct", (answer, gold)


@often
@given(tree=st.one_of(trees, constants), rng=seeds, style=styles, other=styles)
def test_an_expression_with_one_thing_changed_is_another(tree: Tree, rng: Random, style: str, other: str) -> None:
    changed = mutated(tree, rng)
    ours, theirs = values(tree), values(changed)
    assume(any(a is not None and b is not None and a != b for a, b in zip(ours, theirs, strict=True)))
    gold, answer = texts(tree, style, rng), texts(rewritten(changed, rng), other, rng)
    assert compare(gold, answer)[0] != "correct", (gold, answer)
    assert compare(answer, gold)[0] != "correct", (answer, gold)


@often
@given(first=constants, second=constants, rng=seeds, style=styles)
def test_constants_are_decided_as_their_exact_values_are(first: Tree, second: Tree, rng: Random, style: str) -> None:
    assume(defined(first) and defined(second))
    gold, answer = texts(first, style, rng), texts(second, style, rng)
    wanted = "correct" if values(first)[0] == values(second)[0] else "incorrect"
    found = compare(gold, answer)[0]
    assert found == wanted or (found == "unverified" and ".0" in gold + answer and wanted == "incorrect"), (
        gold,
        answer,
    )


@often
@given(members=st.lists(constants, min_size=2, max_size=4), rng=seeds, style=styles)
def test_lists_and_sets_have_no_order_and_tuples_have(members: list[Tree], rng: Random, style: str) -> None:
    assume(all(defined(m) for m in members))
    parts = [texts(m, style, rng) for m in members]
    assume(sum(map(len, parts)) < MAX_TEXT)
    mixed = [texts(rewritten(m, rng), style, rng) for m in rng.sample(members, len(members))]
    assert compare(", ".join(parts), ", ".join(mixed))[0] == "correct"
    assert compare(rf"\{{{','.join(parts)}\}}", rf"\{{{', '.join(mixed)}\}}")[0] == "correct"
    turned = members[1:] + members[:1]
    same = [values(a)[0] for a in members] == [values(b)[0] for b in turned]
    found = compare(f"({', '.join(parts)})", f"({', '.join(texts(m, style, rng) for m in turned)})")[0]
    assert (found == "correct") == same


WRAPPERS = [
    "{}",
    "${}$",
    "({})",
    r"\left({}\right)",
    " {} ",
    "{}.",
    r"{}\,",
    r"x = {}",
    r"{}\text{{ cm}}",
    r"\displaystyle {}",
    "[{}]",
]


@often
@given(tree=constants, rng=seeds, wrapper=st.sampled_from(WRAPPERS), style=styles)
def test_wrapping_changes_nothing(tree: Tree, rng: Random, wrapper: str, style: str) -> None:
    assume(defined(tree))
    text = texts(tree, style, rng)
    assert compare(text, wrapper.format(text))[0] == "correct", (text, wrapper)
    more = texts(("+", tree, ("n", 1)), style, rng)
    assert compare(text, wrapper.format(more))[0] != "correct", (text, more, wrapper)


@often
@given(st.one_of(st.text(max_size=40), soups), st.one_of(st.text(max_size=40), soups))
def test_any_text_gets_the_same_verdict_twice(gold: str, answer: str) -> None:
    found = compare(gold, answer)
    assert found == compare(gold, answer)
    assert found[0] in ("correct", "incorrect", "no_answer", "unverified") and found[1]


ends = st.fractions(min_value=-20, max_value=20, max_denominator=6)


def inequality(low: Fraction, high: Fraction, closed: tuple[bool, bool], rng: Random) -> str:
    """low < x < high, in one of its spellings."""
    left, right = ("[" if closed[0] else "("), ("]" if closed[1] else ")")
    below, above = (r" \le " if c else " < " for c in closed)
    k, m = rng.randint(2, 9), rng.randint(-9, 9)
    return rng.choice(
        [
            f"{left}{low}, {high}{right}",
            rf"x \in \left{left}{low},{high}\right{right}",
            f"{low}{below}x{above}{high}",
            f"{high}{'>=' if closed[1] else '>'}x{'>=' if closed[0] else '>'}{low}",
            rf"\{{x \mid {low}{below}x{above}{high}\}}",
            f"{k * low + m}{below}{k}x + ({m}){above}{k * high + m}",
            f"{-k * high}{above}-{k}x{below}{-k * low}",
        ]
    )


@often
@given(st.lists(ends, min_size=2, max_size=2, unique=True).map(sorted), st.booleans(), st.booleans(), seeds)
def test_an_interval_is_its_inequality_and_no_other(bounds: list[Fraction], a: bool, b: bool, rng: Random) -> None:
    low, high = bounds
    gold = inequality(low, high, (a, b), rng)
    assume(gold[0] in "[(" or "x" in gold)
    assert compare(gold, inequality(low, high, (a, b), rng))[0] == "correct"
    for other in ((low, high, (not a, b)), (low, high, (a, not b)), (low - 1, high, (a, b)), (low, high + 1, (a, b))):
        answer = inequality(*other, rng)
        assert compare(gold, answer)[0] != "correct", (gold, answer)


@often
@given(tree=trees, other=trees, k=st.integers(2, 9), rng=seeds, style=styles)
def test_an_equation_may_be_turned_and_multiplied(tree: Tree, other: Tree, k: int, rng: Random, style: str) -> None:
    differences = values(("-", tree, other))
    assume(all(v is not None for v in differences) and len(set(differences)) > 2)
    gold = f"{texts(tree, style, rng)} = {texts(other, style, rng)}"
    left, right = (rewritten(("*", ("n", k), part), rng) for part in (tree, other))
    assert compare(gold, f"{texts(right, style, rng)} = {texts(left, style, rng)}")[0] == "correct", gold
    shifted = ("+", tree, ("n", 1))
    assert compare(gold, f"{texts(shifted, style, rng)} = {texts(other, style, rng)}")[0] != "correct", gold


UNITS = [("km", "m", 1000), ("meters", "cm", 100), ("hours", "minutes", 60), ("kg", "g", 1000), ("feet", "inches", 12)]
UNITS += [("dollars", "cents", 100), ("days", "hours", 24), ("cm^2", "mm^2", 100), (r"\text{ L}", r"\text{ mL}", 1000)]


@often
@given(st.integers(2, 10**6), st.sampled_from(UNITS), st.booleans())
def test_units_convert_and_may_be_left_out(number: int, units: tuple[str, str, int], turned: bool) -> None:
    large, small, size = units
    pair = [f"{number} {large}", f"{number * size} {small}"]
    gold, answer = reversed(pair) if turned else pair
    assert compare(gold, answer)[0] == "correct"
    assert compare(str(number), f"{number} {large}")[0] == compare(f"{number} {large}", str(number))[0] == "correct"
    assert compare(f"{number} {large}", f"{number} {small}")[0] == "incorrect"
    assert compare(gold, answer.replace(answer[0], str((int(answer[0]) + 1) % 10 or 1), 1))[0] != "correct"


@often
@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=3).map("".join), st.sampled_from(["", "1", "x+1"]))
def test_no_flood_takes_long(fragment: str, head: str) -> None:
    flood = (head + fragment * MAX_LENGTH)[:MAX_LENGTH]
    began = time.monotonic()
    compare("3", flood)
    compare(flood, flood[:-1] + "7")
    assert time.monotonic() - began < 2.5, flood


@often
@given(st.one_of(st.text(max_size=40), soups))
def test_no_text_without_its_digits_is_a_number(text: str) -> None:
    assume("79193" not in unicodedata.normalize("NFKC", text))
    assert compare("79193", text)[0] != "correct"
    assert compare(text, "79193")[0] != "correct"
    assert compare(r"79193\sqrt{5}x", text)[0] != "correct"
