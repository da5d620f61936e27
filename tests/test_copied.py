"""A calculation copied out of the question is no answer; a number or a choice that the question names may be one."""

import pytest

from data import domains
from verifiers._copied import repeats
from verifiers._judge import judge

CASES = [
    ("What is 17 * 23?", "17*23", "391", True),
    ("What is $17 \\cdot 23$?", "17 \\cdot 23", "391", True),
    ("What is $\\left(2+3\\right)^2$?", "(2+3)^2", "25", True),
    ("3+5-2=?", "3+5-2", "6", True),
    ("3+5-2=?", "5-2", "6", True),  # a part of it
    ("3+5\N{MINUS SIGN}2=?", "3+5-2", "6", True),
    ("Expand $(x+1)^2$.", "(x+1)^2", "x^2+2x+1", True),
    ("3+5-2=?", "8-2", "6", False),  # not in the question
    ("Is it 2 or 3?", "3", "3", False),
    ("From 1 down to -3?", "-3", "-3", False),
    ("Which is larger, 2^10 or 3^6?", "2^10", "2^10.", False),
    ("Which is larger, 2^10 or 3^6?", "2^10", "2^10", False),
    ("Simplify 2/4.", "2/4", "1/2", False),  # a number in another form
    ("Paris or Rome?", "Paris", "Paris", False),
    ("", "", "", False),
]


@pytest.mark.parametrize(("prompt", "answer", "gold", "expected"), CASES)
def test_repeats(prompt: str, answer: str, gold: str, expected: bool) -> None:
    assert repeats(prompt, answer, gold) is expected


def test_the_verdict_on_a_copied_question() -> None:
    problem = domains.load("file").parse('{"prompt": "What is 17 * 23?", "answer": 391}')
    assert problem is not None
    copied, worked = (judge(problem, f"#### {text}").verdict for text in ("17 * 23", "391"))
    assert (copied.outcome, worked.outcome) == ("no_answer", "correct")
    assert "repeats the question" in copied.reason
