"""Checking the steps of a trace, line by line, with exact arithmetic of our own. Steps are lines.

`same_value`: a line is a sum of whole numbers with the value of the start. `same_solution`: a line is a linear equation
in x with the one solution of the start. `trace`: the first line reads as the start, part by part. The line of the final
answer is judged by the verifier, not here. A line that does not parse is a wrong step.
"""

import re
from fractions import Fraction

from data import gold
from data.records import Outcome, Problem, StepVerdict

MAX_STEPS = 200
MAX_LINE = 1_000

_TERM = re.compile(r"([+-]?)(\d{0,9})(x?)")


def step_offsets(text: str) -> list[int]:
    """Offset of each line of a completion that is not blank."""
    offsets, at = [], 0
    for line in text.split("\n"):
        if line.strip():
            offsets.append(at)
        at += len(line) + 1
    return offsets


def check_steps(problem: Problem, text: str) -> list[StepVerdict]:
    """One verdict per checked step, in order; empty for problems whose steps are not checked."""
    rule = gold.load(problem.gold).steps
    lines = [line.strip() for line in text.split("\n")[: MAX_STEPS + 1] if line.strip()]
    if rule.kind == "trace":
        return _trace(rule.start, lines[0] if lines else "")
    if rule.kind == "same_value":
        start = value(rule.start)
        return [_verdict(i, rule.kind, value(line) == start, line) for i, line in enumerate(_before_answer(lines))]
    if rule.kind == "same_solution":
        root = solution(rule.start)
        return [_verdict(i, rule.kind, solution(line) == root, line) for i, line in enumerate(_before_answer(lines))]
    return []


def value(text: str) -> Fraction | None:
    """The value of a sum of whole numbers, or None when the text is not one."""
    form = _linear(text)
    return form[1] if form and form[0] == 0 and "x" not in text else None


def solution(text: str) -> Fraction | None:
    """The one solution of a linear equation in x, or None when there is not exactly one."""
    left, equals, right = text.partition("=")
    first, second = _linear(left), _linear(right)
    if not equals or first is None or second is None or first[0] == second[0]:
        return None
    return (second[1] - first[1]) / (first[0] - second[0])


def _linear(text: str) -> tuple[Fraction, Fraction] | None:
    """Coefficient of x and constant of a sum of terms such as `2x+3-x`."""
    text = text.replace(" ", "")
    if not text or len(text) > MAX_LINE:
        return None
    factor, constant, at = Fraction(0), Fraction(0), 0
    while at < len(text):
        match = _TERM.match(text, at)
        if not match or not (match[2] or match[3]) or (at and not match[1]):
            return None
        amount = Fraction(f"{match[1]}{match[2] or 1}")
        factor, constant = (factor + amount, constant) if match[3] else (factor, constant + amount)
        at = match.end()
    return factor, constant


def _before_answer(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("####")]


def _trace(start: str, line: str) -> list[StepVerdict]:
    """Part by part; a trace that is too short or too long has a wrong part where it ends."""
    wanted, found = start.split(">"), line[:MAX_LINE].split(">")
    padded = found[: len(wanted)] + [""] * (len(wanted) - len(found))
    verdicts = [_verdict(i, "trace", a == b, b) for i, (a, b) in enumerate(zip(wanted, padded, strict=True))]
    if len(found) > len(wanted):
        verdicts.append(_verdict(len(wanted), "trace", False, found[len(wanted)]))
    return verdicts


def _verdict(index: int, kind: str, right: bool, shown: str) -> StepVerdict:
    outcome: Outcome = "correct" if right else "incorrect"
    return StepVerdict(index, outcome, kind, "" if right else f"wrong: {shown[:80]}")
