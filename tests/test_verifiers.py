"""Every verifier keeps the contract: accepts its gold, survives anything, is deterministic, honours its limits."""

import time
from dataclasses import replace

import pytest

from data import gold, registry
from data.records import Problem
from verifiers._judge import judge

NAMES = registry.known("verifiers")
EXAMPLES = [(name, *example) for name in NAMES for example in registry.load("verifiers", name).EXAMPLES]
HOSTILE = {
    "empty": "",
    "spaces": " \n\t ",
    "nul": "\x00" * 50,
    "surrogate": "#### \ud800",
    "long": "x" * 1_000_000,
    "long answer": "#### " + "9" * 1_000_000,
    "many lines": "#### 1\n" * 50_000,
    "many boxes": "\\boxed{" * 20_000,
    "deep": "#### " + "(" * 5_000 + "1" + ")" * 5_000,
    "tower": "#### 9**9**9**9",
    "factorial": "#### 999999999!",
    "think": "<think>#### 6",
    "fence": "```python\n" * 5_000,
    "definition": "def f(x):" + " " * 100_000,
    "unicode": "#### ½²√∞𝟙٣",
    "copied question": "3+5-2=?",
}


@pytest.mark.parametrize(("name", "problem", "text", "outcome"), EXAMPLES)
def test_examples(name: str, problem: Problem, text: str, outcome: str) -> None:
    module = registry.load("verifiers", name)
    first, second = (module.verify(problem, text) for _ in range(2))
    assert first.outcome == outcome, first
    assert (first.verifier, first.version) == (name, module.VERSION)
    assert first.reason
    assert replace(first, ms=0) == replace(second, ms=0)


@pytest.mark.parametrize("name", NAMES)
def test_every_outcome_but_unverified_has_an_example(name: str) -> None:
    assert {"correct", "incorrect", "no_answer"} <= {e[-1] for e in registry.load("verifiers", name).EXAMPLES}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_hostile_is_correct_or_slow(name: str, kind: str) -> None:
    module = registry.load("verifiers", name)
    began = time.monotonic()
    for problem in {p.id: p for p, _, _ in module.EXAMPLES}.values():
        verdict = module.verify(problem, HOSTILE[kind])
        assert verdict.outcome != "correct", verdict
        assert len(verdict.reason) < 1_000
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("bad", ["", "{}", "null", "[1]", '{"kind": "answer"}', "not json"])
@pytest.mark.parametrize("name", NAMES)
def test_a_broken_gold_is_a_fault_not_a_wrong_answer(name: str, bad: str) -> None:
    problem, text, _ = registry.load("verifiers", name).EXAMPLES[0]
    assert judge(replace(problem, gold=bad), text).verdict.outcome == "unverified"


def test_a_gold_of_another_kind_is_unverified() -> None:
    tests, code, _ = registry.load("verifiers", "unit_tests").EXAMPLES[0]
    answer = replace(tests, gold=gold.dump(gold.Answer("6")))
    assert judge(answer, code).verdict.outcome == "unverified"
    for name in ("exact", "symbolic"):
        assert judge(replace(tests, verifier=name), "#### 6").verdict.outcome == "unverified"


def test_an_unknown_verifier_is_unverified() -> None:
    problem, text, _ = registry.load("verifiers", "exact").EXAMPLES[0]
    assert judge(replace(problem, verifier="nonsense"), text).verdict.outcome == "unverified"
