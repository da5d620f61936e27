"""Each file in data/sql/macros: given rows lead to answers worked out by hand, and pass@k to those of enumeration."""

from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from data import catalog
from tests.rows import ask, given


def chance(n: int, c: int, k: int) -> float:
    """Of all ways to draw k of n samples, c of them right: those with a right one."""
    draws = list(combinations(range(n), k))
    return sum(min(draw) < c for draw in draws) / len(draws)


def in_sql(triples: list[tuple[int, int, int]]) -> list[float | None]:
    asked = ", ".join(f"({i}, {n}, {c}, {k})" for i, (n, c, k) in enumerate(triples))
    rows = ask(f"SELECT pass_at_k(n, c, k) AS p FROM (VALUES {asked}) t(i, n, c, k) ORDER BY i")
    return [row["p"] for row in rows]


def test_pass_at_k_is_what_enumeration_says():
    triples = [(n, c, k) for n in range(1, 9) for c in range(n + 1) for k in range(1, n + 1)]
    assert in_sql(triples) == pytest.approx([chance(*t) for t in triples], abs=1e-15)


@settings(max_examples=25)
@drawn(st.lists(st.integers(1, 100_000).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n) | st.integers(0, min(n, 3)), st.integers(1, min(n, 4096)))
), min_size=1, max_size=5))  # fmt: skip
def test_pass_at_k_is_exact_for_many_samples(triples):
    exact = [float(1 - Fraction(comb(n - c, k), comb(n, k))) for n, c, k in triples]
    assert in_sql(triples) == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_pass_at_k_is_unknown_where_it_cannot_be_estimated():
    assert in_sql([(3, 1, 4), (3, 1, 0), (3, 4, 1), (3, -1, 1), (0, 0, 1)]) == [None] * 5
    assert in_sql([(100_000, 50_000, 100_000), (100_000, 0, 100_000)]) == [1, 0]


def sample(model: str, problem: str, *outcomes: str, level: int = 1, round: int = 0) -> list[dict[str, Any]]:
    row = {"model_id": model, "problem_id": problem, "domain": "sums", "level": level, "round": round}
    return [{**row, "outcome": outcome} for outcome in outcomes]


MODELS = [
    {"id": "g", "objective": "given"},
    {"id": "a", "parent_id": "g", "objective": "sft", "dataset_id": "d1", "round": 1},
    {"id": "b", "parent_id": "a", "objective": "dpo", "dataset_id": "d2", "round": 2},
    {"id": "c", "parent_id": "a", "objective": "sft", "dataset_id": "d3", "round": 3},
    {"id": "z", "parent_id": "z", "dataset_id": "d4", "round": 3},  # a training that changed nothing
    {"id": "a", "parent_id": "q", "dataset_id": "d1", "run": "other", "round": 1},
]
DATA = {
    "examples": [
        {"dataset_id": "d1", "attempt_id": "x", "round": 1},
        {"dataset_id": "d1", "attempt_id": "y", "round": 1},
        {"dataset_id": "d3", "attempt_id": "x", "round": 3},
        {"dataset_id": "d4", "attempt_id": "w", "round": 3},
    ],
    "pairs": [{"dataset_id": "d2", "chosen_id": "x", "rejected_id": "n", "round": 2}],
    "rounds": [
        {"challenger_id": "a", "promoted": True, "round": 1},
        {"challenger_id": "b", "promoted": False, "round": 2},
    ],
}
SCORE = {"domain": "all", "band": "all", "metric": "pass@k", "k": 1}

CASES: list[tuple[str, dict[str, list[dict[str, Any]]], list[dict[str, Any]]]] = [
    (
        "FROM lineage('b')",
        {
            "models": MODELS,
            **DATA,
            "scores": [
                {**SCORE, "model_id": "a", "value": 0.5},
                {**SCORE, "model_id": "a", "value": 0.6, "round": 1},
                {**SCORE, "model_id": "a", "value": 0.9, "k": 2},
                {**SCORE, "model_id": "a", "value": 0.1, "band": "easy"},
            ],
        },
        [
            {"depth": 0, "round": 2, "model_id": "b", "objective": "dpo", "members": 1, "pass1": None}
            | {"promoted": False},
            {"depth": 1, "round": 1, "model_id": "a", "dataset_id": "d1", "members": 2, "pass1": 0.6, "promoted": True},
            {"depth": 2, "round": 0, "model_id": "g", "parent_id": "", "members": None, "promoted": None},
        ],
    ),
    ("FROM lineage('z')", {"models": MODELS}, [{"depth": 0, "model_id": "z"}]),
    ("FROM lineage('nobody')", {"models": MODELS}, []),
    (
        "SELECT * FROM trained_on('x') ORDER BY model_id, role",
        {"models": MODELS, **DATA},
        [
            {"run": "r", "round": 1, "model_id": "a", "role": "example", "depth": 0, "promoted": True},
            {"round": 2, "model_id": "b", "role": "chosen", "depth": 0, "promoted": False},
            {"round": 2, "model_id": "b", "role": "example", "depth": 1},
            {"round": 3, "model_id": "c", "role": "example", "depth": 0, "promoted": None},
        ],
    ),
    (
        "SELECT * FROM trained_on('n')",
        {"models": MODELS, **DATA},
        [{"model_id": "b", "role": "rejected", "depth": 0}],
    ),
    ("FROM trained_on('w')", {"models": MODELS, **DATA}, [{"model_id": "z", "depth": 0}]),
    (
        "FROM why_dropped('x')",
        {
            "attempts": [{"id": "x", "text": "8-2\n7\n5\n#### 6"}, {"id": "x", "round": 1}],
            "verdicts": [{"attempt_id": "x", "reason": "6 is 6"}],
            "step_verdicts": [
                {"attempt_id": "x", "index": 2, "kind": "same_value", "outcome": "incorrect", "reason": "5, not 6"},
                {"attempt_id": "x", "index": 1, "kind": "same_value", "outcome": "incorrect", "reason": "7, not 6"},
                {"attempt_id": "x", "index": 0, "kind": "same_value"},
            ],
            "decisions": [{"attempt_id": "x", "kept": False, "reason": "lucky"}],
        },
        [
            {"round": 0, "kept": False, "why": "lucky", "outcome": "correct", "verdict": "6 is 6", "wrong_step": 1}
            | {"step": "7", "fault": "7, not 6"},
            {"round": 1, "kept": None, "why": "not decided yet", "outcome": None, "wrong_step": None},
        ],
    ),
    (
        "FROM pass_at_k_of('m')",
        {
            "eval_samples": [
                *sample("m", "p", "correct", "incorrect", "incorrect", "no_answer"),
                *sample("m", "q", "correct", "correct", "unverified", "unverified"),
                *sample("m", "s", "incorrect", "incorrect", level=2),
                *sample("m", "old", "correct", "correct", round=-1),
                *sample("other", "p", "correct"),
            ]
        },
        [
            {"domain": "sums", "level": 1, "k": 1, "pass_at_k": (1 / 4 + 1) / 2, "problems": 2},
            {"level": 1, "k": 2, "pass_at_k": (1 / 2 + 1) / 2, "problems": 2},
            {"level": 1, "k": 4, "pass_at_k": 1.0, "problems": 1},
            {"level": 2, "k": 1, "pass_at_k": 0.0, "problems": 1},
            {"level": 2, "k": 2, "pass_at_k": 0.0, "problems": 1},
        ],
    ),
]


@pytest.mark.parametrize(("query", "rows", "expect"), CASES, ids=[query for query, _, _ in CASES])
def test_given_rows_lead_to_the_expected_ones(query: str, rows: dict[str, Any], expect: list[dict[str, Any]]):
    found = ask(query, **{name: given(name, *of) for name, of in rows.items()})
    assert len(found) == len(expect), found
    for row, expected in zip(found, expect, strict=True):
        for column, value in expected.items():
            assert row[column] == pytest.approx(value), (column, row)


def test_every_macro_has_a_case():
    asked = {name for name in catalog.macros() for query, _, _ in CASES if f"{name}(" in query}
    assert asked | {"pass_at_k"} == {*catalog.macros()}
