"""Steps of a trace: exact, by the gold's rule; a wrong or unreadable line is a wrong step, whatever the answer is."""

from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import domains
from data.gold import Answer, StepRule, dump
from data.records import Problem
from verifiers._linear import NotLinear, linear, solution, value
from verifiers._steps import check_steps, step_offsets

GENERATED = ("chain_sum", "equations", "programs")


def problem(kind: str, start: str) -> Problem:
    gold = Answer("0", StepRule(kind, start))  # type: ignore[arg-type]
    return Problem("p", "d", 1, "?", dump(gold), "exact", "test", "train")


VALUE = [
    ("8-2\n#### 6", "+"),
    ("8-2\n\n  6 \n#### 9", "++"),  # the answer is the verifier's business
    ("8-3\n#### 6", "-"),
    ("9-2\n8-2\n#### 6", "-+"),
    ("2*3\n12/2\n(1+1)*3\n6.0\n-(-6)\n#### 6", "+++++"),
    ("banana\n#### 6", "-"),
    ("6=6\n#### 6", "-"),
    ("6 6\n#### 6", "-"),
    ("1/0\n#### 6", "-"),
    ("9**9**9\n#### 6", "-"),
    ("(" * 500 + "6" + ")" * 500 + "\n#### 6", "-"),
    ("8-2", "+"),
    ("#### 6", ""),
    ("#### -6", ""),
    ("#### 12/2", ""),
    ("8-2\n#### 8-2", "+-"),
    ("#### 3 + 5 \N{MINUS SIGN} 2", "-"),
    ("#### (3+5)-2", "-"),
    ("#### 3+5\n#### 6", "-"),  # the first is a line before the final one
    ("", ""),
    ("<think>1-1</think>\n8-2\n#### 6", "+"),
    ("<think>8-2\n#### 6", ""),
]
SOLUTION = [
    ("2x+4x-5=13\n6x-5=13\n6x=18\nx=3\n#### 3", "++++"),
    ("6x=18\n6x=19\nx=3\n#### 3", "+-+"),
    ("2(x+3)=12\n18=6x\nx/3=1\n#### 3", "+++"),
    ("y=3\n#### 3", "-"),
    ("0=0\n#### 3", "-"),
    ("x=x\n#### 3", "-"),
    ("x*x=9\n#### 3", "-"),
    ("x=3=3\n#### 3", "-"),
    ("x+y=3+y\n#### 3", "-"),
    ("6x\n#### 3", "-"),
]
TRACE = [
    ("2>5>10\ndef f(x): ...", "+++"),
    ("2>6>10", "+-+"),
    ("2>5", "++-"),
    ("2>5>10>11>12", "+++-"),
    ("", "--"),  # a wrong part, and that the rest is missing
    ("def f(x): return x", "--"),
]


def marks(kind: str, start: str, text: str) -> str:
    return "".join("+" if s.outcome == "correct" else "-" for s in check_steps(problem(kind, start), text))


@pytest.mark.parametrize(("text", "expected"), VALUE)
def test_same_value(text: str, expected: str) -> None:
    assert marks("same_value", "3+5-2", text) == expected


@pytest.mark.parametrize(("text", "expected"), SOLUTION)
def test_same_solution(text: str, expected: str) -> None:
    assert marks("same_solution", "2x+3+4x-5=16", text) == expected


@pytest.mark.parametrize(("text", "expected"), TRACE)
def test_trace(text: str, expected: str) -> None:
    assert marks("trace", "2>5>10", text) == expected


def test_indices_reasons_and_bounds() -> None:
    found = check_steps(problem("same_value", "6"), "6\n" * 100_000)
    assert len(found) == 201 and [s.index for s in found] == list(range(201))
    assert found[-1].outcome == "incorrect" and "steps" in found[-1].reason
    assert check_steps(problem("same_value", "6"), "7\n#### 6")[0].reason == "the value is 7, not 6"
    assert check_steps(problem("trace", "2>5"), "2>6")[1].reason == "6 should be 5"
    assert check_steps(problem("", ""), "6") == []
    assert check_steps(problem("same_value", "what?"), "6")[0].outcome == "unverified"


@pytest.mark.parametrize("name", GENERATED)
def test_a_worked_solution_has_only_right_steps_and_a_spoilt_one_has_a_wrong_one(name: str) -> None:
    domain = domains.load(name)
    for level in (1, 3, 6):
        for fresh in islice(domain.problems("train", 3, level), 20):
            text = domain.solve(fresh)
            steps = check_steps(fresh, text)
            assert all(s.outcome == "correct" for s in steps), (text, steps)
            if steps:
                first = text.split("\n")[0]
                spoilt = text.replace(first, first + "1", 1)
                assert any(s.outcome == "incorrect" for s in check_steps(fresh, spoilt))


def test_agrees_with_sympy() -> None:
    import sympy

    for fresh in islice(domains.load("equations").problems("train", 4, 4), 40):
        for line in domains.load("equations").solve(fresh).split("\n")[:-1]:
            left, right = (
                sympy.sympify(side.replace("x", "*x").lstrip("*").replace("+*", "+").replace("-*", "-"))
                for side in line.split("=")
            )
            assert sympy.solve(left - right) == [sympy.Rational(str(solution(line)[1]))]


@given(st.lists(st.integers(-99, 99), min_size=1, max_size=8), st.integers(-20, 20), st.integers(1, 9))
def test_sums_and_equations(terms: list[int], root: int, slope: int) -> None:
    text = "".join(f"{t:+d}" for t in terms)
    assert value(text) == sum(terms)
    right = slope * root + sum(terms)
    assert solution(f"{slope}x{text}={right}") == ("x", Fraction(root))


@given(st.text(alphabet="0123456789x+-*/()=. y", max_size=40))
def test_any_line_is_read_or_refused(text: str) -> None:
    try:
        linear(text)
    except NotLinear:
        return


@given(st.text(max_size=80))
def test_offsets_are_those_of_the_lines(text: str) -> None:
    lines = [line for line in text.split("\n") if line.strip()]
    offsets = step_offsets(text)
    assert [text[at : at + len(line)] for at, line in zip(offsets, lines, strict=True)] == lines
