"""Sums and differences of digits, solved left to right: `3+5-2=?` -> `8-2`, `#### 6`. Level = number of operations.

Every line of a trace is an expression of the same value, so each step can be checked. No other arithmetic.
"""

import re
from collections.abc import Iterator
from random import Random

from data.domains._fresh import build, distinct
from data.gold import Answer, StepRule
from data.records import Problem

VERIFIER = "symbolic"
BANDS = {"easy": (1, 2), "middle": (3, 5), "hard": (6, 8)}
HIGHEST = 30  # running values stay in 0..HIGHEST
INSTRUCTION = (
    "Compute the value step by step, from left to right. Write one line per step: the expression that remains after "
    "doing its first operation. End with a line `#### <the number>`."
)
EXAMPLES = ["3+5-2=?", "9+9=?", "1+2+3+4-5-5=?"]

_PROMPT = re.compile(r"([1-9](?:[+-][1-9]){1,12})=\?")
_TERM = re.compile(r"[+-]?\d+")


def _running(expression: str) -> list[int]:
    """Value after each term, the first included."""
    values: list[int] = []
    for term in _TERM.findall(expression):
        values.append((values[-1] if values else 0) + int(term))
    return values


def parse(text: str, source: str = "text") -> Problem | None:
    """The problem in `text`; None unless all of it parses and every running value is in 0..HIGHEST."""
    match = _PROMPT.fullmatch(text)
    if not match:
        return None
    values = _running(match[1])
    if not all(0 <= v <= HIGHEST for v in values):
        return None
    gold = Answer(str(values[-1]), StepRule("same_value", match[1]))
    return build("chain_sum", len(values) - 1, text, gold, VERIFIER, source)


def problems(split: str, seed: int, level: int) -> Iterator[Problem]:
    """Fresh problems of one level; level 1 has some 120 in all, the others are endless."""

    def draw(rng: Random) -> str:
        value = rng.randint(1, 9)
        text = str(value)
        for _ in range(level):
            step = rng.choice([s for s in range(-9, 10) if s and 0 <= value + s <= HIGHEST])
            value += step
            text += f"{step:+d}"
        return f"{text}=?"

    yield from distinct(draw, lambda text: parse(text, f"generator:{seed}"), split, seed, level)


def solve(problem: Problem) -> str:
    """The worked solution: the remaining expression after each operation."""
    expression = problem.prompt.removesuffix("=?")
    terms = _TERM.findall(expression)
    values = _running(expression)
    lines = [str(v) + "".join(terms[i + 1 :]) for i, v in enumerate(values)][1:-1]
    return "\n".join([*lines, f"#### {values[-1]}"])
