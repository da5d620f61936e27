"""An expression is itself however rewritten and spelled, and never another one. No text breaks the comparison."""

import os
import time
import unicodedata
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
