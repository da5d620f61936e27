"""Probes are fresh, their labels certain without the verifier they measure; sound verifiers pass, weak ones do not."""

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import domains, gold, registry
from data.errors import UserError
from data.records import Problem
from verifiers._judge import Judged, judge
from verifiers._pool import Pool
from verifiers.probes import Probe

GENERATED = [name for name in registry.known("data.domains") if name != "file"]
ROWS = [
    '{"prompt": "A third of one?", "answer": "1/3"}',
    '{"prompt": "A quarter of one?", "answer": 0.25}',
    '{"prompt": "A dozen owed?", "answer": "-12"}',
    '{"prompt": "Nothing?", "answer": 0}',
    '{"prompt": "Simplify the square root of 8.", "answer": "2\\\\sqrt{2}"}',
    '{"prompt": "Where?", "answer": "(1,2]", "verifier": "symbolic"}',
    '{"prompt": "How many of a hundred?", "answer": "50%"}',
    '{"prompt": "What is 17 * 23?", "answer": 391}',
    '{"prompt": "Capital of France?", "answer": "Paris"}',
    '{"prompt": "Which choice?", "answer": "B"}',
    '{"prompt": "Which country, in short?", "answer": "U.S."}',
    '{"prompt": "Which is larger, 2^10 or 3^6?", "answer": "2^10"}',
    '{"prompt": "Largest city of the USA?", "answer": "New York City"}',
    '{"prompt": "Write f(x), the square of x.", "tests": ["assert f(3) == 9", "assert f(-2) == 4"]}',
    '{"prompt": "g?", "entry": "g", "tests": [{"args": [[1, "a"]], "expected": {"a": [1.5]}},'
    ' {"args": [[]], "expected": null}]}',
]
KINDS = {
    "symbolic": {
        "gold",
        "spelling",
        "unfinished",
        "near_miss",
        "listed",
        "injected",
        "over_long",
        "changed_mind",
        "lucky",
        "copied",
    }
    | {"empty", "refusal", "early_exit", "unclosed", "unmarked"},
    "console": {"spelling", "near_miss", "listed", "injected", "over_long", "copied", "empty", "refusal"}
    | {"early_exit", "unclosed"},
    "exact": {"gold", "spelling", "near_miss", "listed", "injected", "over_long", "changed_mind", "copied", "empty"}
    | {"refusal", "early_exit", "unclosed", "unmarked"},
    "unit_tests": {"gold", "spelling", "near_miss", "listed", "injected", "over_long", "lucky", "copied", "empty"}
    | {"refusal", "early_exit", "unclosed"},
}


SUMS = Problem(
    "sums",
    "file:sums.jsonl",
    1,
    "Read n, then n numbers; print their sum and then each of them.",
    gold.dump(gold.Console([gold.Exchange("2\n1 2\n", "3\n1\n2\n"), gold.Exchange("0\n\n", "0\n")])),
    "console",
    "test",
    "train",
)


def own(row: str) -> Problem:
    problem = domains.load("file").parse(row)
    assert problem is not None, row
    return problem


def some(names: list[str], levels: tuple[int, ...] = (1, 4), each: int = 1) -> list[Problem]:
    """Problems of generated domains, and those of a user."""
    fresh = [p for name in names for n in levels for p in islice(domains.load(name).problems("train", 11, n), each)]
    return [*fresh, *map(own, ROWS), SUMS]


def solution(problem: Problem) -> str:
    try:
        return str(domains.load(problem.domain).solve(problem))
    except UserError:
        return ""


def made(problem: Problem, seed: int = 1) -> list[Probe]:
    module = registry.load("verifiers.probes", problem.verifier)
    return list(module.probes(problem, Random(seed), solution(problem)))


def accepted(found: Judged) -> bool:
    return found.verdict.outcome == "correct" and all(step.outcome != "incorrect" for step in found.steps)


def test_every_verifier_has_probes() -> None:
    assert set(registry.known("verifiers")) <= set(registry.known("verifiers.probes"))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_there_and_both_labels(name: str) -> None:
    found = [probe for problem in some(GENERATED) if problem.verifier == name for probe in made(problem)]
    assert {probe.kind for probe in found} == KINDS[name]
    assert {probe.kind for probe in found if probe.accept} == KINDS[name] & {"gold", "spelling"}


def test_the_same_draw_gives_the_same_probes_and_another_draw_others() -> None:
    for problem in some(GENERATED):
        first = made(problem)
        assert first == made(problem)
        assert {p.text for p in first} != {p.text for p in made(problem, seed=2)}
        labels: dict[str, bool] = {}
        for probe in first:
            assert labels.setdefault(probe.text, probe.accept) == probe.accept, probe


def test_a_sound_verifier_accepts_what_it_must_and_nothing_else() -> None:
    asked = [(p, probe) for p in some(GENERATED, (1, 3, 6), 2) for seed in (1, 2) for probe in made(p, seed)]
    with Pool(2) as pool:
        judged = pool.judge((str(i), p, probe.text) for i, (p, probe) in enumerate(asked))
        wrong = [
            (p.verifier, p.prompt, probe, found.verdict, [s for s in found.steps if s.outcome != "correct"])
            for (p, probe), found in zip(asked, judged, strict=True)
            if accepted(found) != probe.accept
        ]
    assert len(asked) > 1000
    assert not wrong, wrong[:3]


# Each weakness: whether it lets an attempt pass that the sound verifier refuses. None runs what is in the attempt.
def last_number(problem: Problem, text: str) -> bool:
    numbers = re.findall(r"-?\d+", text)
    return bool(numbers) and numbers[-1] == answer(problem)


def anywhere(problem: Problem, text: str) -> bool:
    return answer(problem) in re.findall(r"-?\d+", text)


def nearly(problem: Problem, text: str) -> bool:
    found = re.search(r"#### (-?[\d.]+)$", text)
    return bool(found) and abs(float(found[1].strip(".")) - float(answer(problem))) < 1e-4


def steps_unread(problem: Problem, text: str) -> bool:
    return judge(problem, text).verdict.outcome == "correct"


def thinking_counts(problem: Problem, text: str) -> bool:
    return accepted(judge(problem, text.replace("<think>\n", "")))


def first_answer(problem: Problem, text: str) -> bool:
    lines = re.findall(r"#### (.*)", text)
    return bool(lines) and lines[0].strip() == answer(problem)


def code_is_run(problem: Problem, text: str) -> bool:
    found = re.search(r'#### eval\("\((.*)\)"\)$', text)
    return bool(found) and found[1] == answer(problem)


def a_question_counts(problem: Problem, text: str) -> bool:
    return text.endswith(f"#### {problem.prompt.removesuffix('=?')}")


def answer(problem: Problem) -> str:
    known = gold.load(problem.gold)
    assert isinstance(known, gold.Answer)
    return known.value


WEAK: list[tuple[Callable[[Problem, str], bool], str]] = [
    (last_number, "unmarked"),
    (anywhere, "listed"),
    (nearly, "near_miss"),
    (steps_unread, "lucky"),
    (thinking_counts, "unclosed"),
    (first_answer, "changed_mind"),
    (code_is_run, "injected"),
    (a_question_counts, "copied"),
]


@pytest.mark.parametrize(("accepts", "kind"), WEAK, ids=lambda v: getattr(v, "__name__", ""))
def test_a_weakness_is_found_by_the_probe_made_for_it(accepts: Callable[[Problem, str], bool], kind: str) -> None:
    problems = [p for p in some(["chain_sum"], (2, 5), 8) if p.domain == "chain_sum"]
    assert [probe for p in problems for probe in made(p) if probe.kind == kind and accepts(p, probe.text)]


def test_a_judge_that_leaves_out_a_hidden_case_is_found() -> None:
    """The real verifier, with the gold of one case less, accepts the program that is wrong on that case."""
    problem = own(ROWS[-2])
    known = gold.load(problem.gold)
    assert isinstance(known, gold.Tests)
    weak = replace(problem, gold=gold.dump(replace(known, cases=known.cases[:1])))
    passed = [
        p.kind for seed in range(4) for p in made(problem, seed) if not p.accept and accepted(judge(weak, p.text))
    ]
    assert "near_miss" in passed


@given(st.fractions(-1000, 1000, max_denominator=40), st.integers(0, 2**20))
def test_other_numbers_are_other_and_spellings_are_the_same(number: Fraction, seed: int) -> None:
    """Read here by the simplest means, and not by the verifier."""
    problem = own(json.dumps({"prompt": "How many?", "answer": str(number), "verifier": "symbolic"}))
    for probe in made(problem, seed):
        if probe.kind in ("near_miss", "spelling") and (value := read(probe.text)) is not None:
            assert (value == number) == probe.accept, probe


@given(st.decimals(-99, 99, places=2), st.integers(0, 2**20))
def test_near_misses_of_a_decimal_are_no_roundings_of_it(number: Any, seed: int) -> None:
    problem = own(json.dumps({"prompt": "How many?", "answer": str(number), "verifier": "symbolic"}))
    for probe in made(problem, seed):
        if probe.kind == "near_miss" and (value := read(probe.text)) is not None:
            assert abs(value - Fraction(number)) >= Fraction(1, 100), probe


def read(text: str) -> Fraction | None:
    """The number on the last line; None where it is more than a number."""
    last = text.rpartition("####")[2].strip(" *$.")
    last = re.sub(r"(-?)\\d?frac\{(\d+)\}\{(\d+)\}", r"\1\2/\3", last)
    return Fraction(last) if re.fullmatch(r"-?\d+(/\d+|\.\d+)?", last) else None


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), st.integers(0, 2**20))
def test_words_that_are_not_the_gold_are_other_words(word: str, seed: int) -> None:
    if not word.strip() or not any(c.isalnum() for c in word):
        return
    problem = Problem("w", "test", 1, "?", gold.dump(gold.Answer(word)), "exact", "test", "train")
    for probe in registry.load("verifiers.probes", "exact").probes(problem, Random(seed), ""):
        if probe.kind in ("near_miss", "spelling"):
            said = probe.text.rpartition("####")[2] if "####" in probe.text else probe.text.partition("{")[2]
            same = [c for c in said.casefold() if c.isalnum()] == [c for c in word.casefold() if c.isalnum()]
            assert same == probe.accept, probe


def programs() -> Iterator[Problem]:
    return (p for p in some(["programs"], (1, 3, 6), 4) if p.verifier == "unit_tests")


def test_programs_do_what_their_label_says() -> None:
    """Run here, outside of any sandbox: these are programs of ours, with the reference in them."""
    count = 0
    for problem in programs():
        known = gold.load(problem.gold)
        assert isinstance(known, gold.Tests)
        for probe in made(problem):
            if probe.kind in ("near_miss", "spelling", "listed", "lucky"):
                count += 1
                right = runs_right(probe.text, known)
                assert right == (probe.accept or probe.kind == "lucky"), probe
    assert count > 100


def runs_right(text: str, known: gold.Tests) -> bool:
    code = (
        text.split("```")[1].partition("\n")[2]
        if "```" in text
        else text[re.search(r"^(def|import) ", text, re.M).start() :]
    )
    space: dict[str, Any] = {}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, space)
            values = [space[known.entry](*json.loads(json.dumps(case.args))) for case in known.cases]
    except ValueError:
        return False
    return values == [case.expected for case in known.cases]


@pytest.mark.parametrize("name", GENERATED)
def test_a_wrong_step_is_named_and_its_attempt_is_not_accepted(name: str) -> None:
    """In every generated domain: the verdict is not correct, or its steps object and its reason names the first."""
    domain, found = domains.load(name), 0
    for problem in islice(domain.problems("train", 4, 4), 8):
        assert accepted(judge(problem, domain.solve(problem)))
        for probe in made(problem):
            if probe.kind in ("lucky", "near_miss"):
                judged = judge(problem, probe.text)
                assert not accepted(judged), probe
                wrong = [step for step in judged.steps if step.outcome == "incorrect"]
                assert not wrong or wrong[0].reason in judged.verdict.reason, judged
                found += bool(wrong)
    assert found > 0
