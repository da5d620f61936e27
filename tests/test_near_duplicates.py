"""Near copies: whoever is dropped resembles one that stays, whoever stays resembles none, and other numbers differ."""

import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.duck import Workspace
from data.rules import rules
from data.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
from _planted import alike, near, shingles

Row = tuple[str, str, str]  # id, prompt, text
WORDS = [f"{a}{b}" for a in ("ba", "ke", "lo", "mi", "nu", "pra", "sto", "tri") for b in ("lan", "mer", "nox", "pid")]


OPEN: list[Workspace] = []


@pytest.fixture(scope="module", autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with Store(tmp_path_factory.mktemp("home")).workspace() as ws:
        OPEN.append(ws)
        yield
        OPEN.clear()  # else Hypothesis, which keeps what a test was given, would keep the connection


def dropped(rows: list[Row], similarity: float = 0.8, draws: dict[str, int] | None = None) -> set[str]:
    """The ids that the rule drops; of a pair the earlier in `draws` stays, else the earlier row."""
    order = draws or {row[0]: i for i, row in enumerate(rows)}
    table = pa.table(
        {
            "attempt_id": pa.array([r[0] for r in rows], pa.string()),
            "prompt": pa.array([r[1] for r in rows], pa.string()),
            "text": pa.array([r[2] for r in rows], pa.string()),
            "draw": pa.array([order[r[0]] for r in rows], pa.uint64()),
        }
    )
    rule, known, ws = rules()["near_duplicate"], {"similarity": similarity}, OPEN[0]
    ws.give("given", table)
    ws.view("candidates", "FROM given")
    ws.view("alive", "SELECT attempt_id, draw FROM given")
    for name, text in rule.steps:
        ws.table(name, text, known)
    return set(ws.arrow(rule.select)["attempt_id"].to_pylist())


def story(draw: random.Random, words: int = 120) -> str:
    """A text of its own: words and numbers in lines."""
    said = [draw.choice(WORDS) if draw.random() < 0.8 else str(draw.randint(10, 99)) for _ in range(words)]
    return "\n".join(" ".join(said[i : i + 12]) for i in range(0, words, 12))


def nearness(rows: list[Row], one: str, other: str) -> float:
    by_id = {row[0]: row for row in rows}
    return alike(by_id[one][1:], by_id[other][1:])


CASES = {
    "the same, white space and case aside": ("p", "one two three four", "p", "One  two\nthree FOUR ", True),
    "a word of twenty": ("p", " ".join(WORDS[:20]), "p", " ".join([*WORDS[:19], "other"]), True),
    "a word of five": ("p", "a b c d e", "p", "a b x d e", False),
    "another number": ("p", "3 + 5 - 2\n8 - 2\n#### 6", "p", "3 + 5 - 1\n8 - 1\n#### 7", False),
    "another sign": ("p", "9 - 2 = 7", "p", "9 + 2 = 7", False),
    "the same answer where the prompt's numbers differ": ("3+5=?", "it is\n#### 8", "2+6=?", "it is\n#### 8", False),
    "the same numbers in another order": ("7-2", "it is five", "2-7", "it is five", False),
    "the same answer to another prompt without numbers": ("prove that a", "trivial", "count sheep", "trivial", False),
    "a prompt with a word replaced": (
        "Ann has 4 red apples and buys 3 green ones how many now", "4 + 3 = 7",
        "Ann has 4 red apples and gets 3 green ones how many now", "4 + 3 = 7", True,
    ),
    "one token, the same": ("p", "7", "p", "7", True),
    "one token, another": ("p", "7", "p", "8", False),
    "two tokens of three": ("p", "a b", "p", "a b c", False),
    "a mark is a token": ("p", "a, b, c", "p", "a b c", False),
    "nothing said twice": ("p", "", "p", " \n", False),
    "letters of any script": ("p", "наш ответ равен семи", "p", "Наш ответ  равен семи", True),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_two_texts(name: str):
    prompt, text, other_prompt, other, near_copy = CASES[name]
    assert dropped([("a", prompt, text), ("b", other_prompt, other)]) == ({"b"} if near_copy else set())


def test_nothing_alive():
    assert dropped([]) == set()


def test_planted_copies_are_found_and_nothing_else():
    draw = random.Random(7)
    rows: list[Row] = []
    planted: dict[str, str] = {}
    for i in range(4000):
        prompt = f"{draw.choice(WORDS)} asks {i % 50} times"
        rows.append((f"s{i}", prompt, story(draw)))
        if i % 4 == 0:
            text = near(rows[-1][2], draw.choice(["words", "moved", "both", "spaces"]), draw)
            rows.append((f"c{i}", prompt, text))
            planted[f"c{i}"] = f"s{i}"
    found = dropped(rows)
    close = {copy for copy, source in planted.items() if nearness(rows, copy, source) >= 0.8}
    assert len(rows) == 5000 and 600 < len(close) < 950  # both sides of the threshold are there
    assert len(found & close) >= 0.98 * len(close)
    assert found <= close


@pytest.mark.parametrize("similarity", [0.7, 0.8, 0.9])
def test_the_threshold_is_exact(similarity: float):
    """Copies just under it stay, just over it go; some of the latter may be missed, and then are kept."""
    draw = random.Random(1)
    rows, over = [], set()
    for i in range(600):
        source = story(draw, draw.choice([30, 60, 120]))
        copy = near(source, "words", draw)
        rows += [(f"s{i}", "p", source), (f"c{i}", "p", copy)]
        if alike(("p", source), ("p", copy)) >= similarity:
            over.add(f"c{i}")
    found = dropped(rows, similarity)
    assert found <= over
    assert len(found) >= 0.97 * len(over) > 30


def test_a_chain_loses_only_what_resembles_one_that_stays():
    words = [f"w{i}" for i in range(100)]
    chain = {"a": words, "b": ["x1", "x2", *words[2:]], "c": ["x1", "x2", *words[2:-8]]}
    rows = [(name, "p", " ".join(text)) for name, text in chain.items()]
    assert nearness(rows, "a", "b") > 0.9 and nearness(rows, "b", "c") > 0.9 and nearness(rows, "a", "c") > 0.8
    assert dropped(rows, 0.9) == {"b"}  # c resembles b alone, which is gone
    assert dropped(rows, 0.8) == {"b", "c"}
    assert dropped(rows, 0.9, {"b": 0, "a": 1, "c": 2}) == {"a", "c"}


def test_a_drawer_that_all_are_in_costs_little_and_leaves_one():
    rows = [(f"a{i:05}", "p", "the very same words in every one of them") for i in range(8_000)]
    assert dropped(rows) == {row[0] for row in rows[1:]}


TEXT = st.lists(st.sampled_from(list("abcabcdefgh12+")), max_size=30).map(" ".join)


@st.composite
def families(draw: st.DrawFn) -> list[Row]:
    """Some texts, and variants of them with one or two tokens changed, at two prompts."""
    rows: list[Row] = []
    for text in draw(st.lists(TEXT, min_size=1, max_size=5)):
        for _ in range(draw(st.integers(1, 4))):
            tokens = text.split()
            for _ in range(draw(st.integers(0, 2))):
                place = draw(st.integers(0, len(tokens)))
                tokens[place : place + draw(st.integers(0, 1))] = [draw(st.sampled_from("abc19"))]
            rows.append((f"r{len(rows)}", draw(st.sampled_from(["what is 3", "what is 4"])), " ".join(tokens)))
    return rows


@settings(max_examples=12)
@given(rows=families(), similarity=st.sampled_from([0.6, 0.8, 1.0]))
def test_whoever_goes_resembles_one_that_stays(rows: list[Row], similarity: float):
    draws = {row[0]: i for i, row in enumerate(rows)}
    found = dropped(rows, similarity, draws)
    kept = [row for row in rows if row[0] not in found]
    for gone in (row for row in rows if row[0] in found):
        same = [k for k in kept if re.findall(r"\d+", k[1]) == re.findall(r"\d+", gone[1])]
        assert any(draws[k[0]] < draws[gone[0]] and alike(k[1:], gone[1:]) >= similarity for k in same)
        assert shingles(gone[2])
    assert dropped(sorted(rows, key=lambda row: row[::-1]), similarity, draws) == found
    assert dropped(kept, similarity, draws) == set()
