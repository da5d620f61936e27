"""Verdicts on the single steps of a trace, by the rule in the gold. Fast, exact, bounded; never raises.

A step is one line before the final `####` line (`same_value`, `same_solution`) or one part of the first line (`trace`).
A line that does not parse is an incorrect step. So is, under `same_value`, a final line that is still a sum
(`#### 8-2`, or the question itself): it has the value, but nobody has worked it out.
Not here: what curation makes of a wrong step.
"""

import re
from collections.abc import Callable

from data import gold
from data.records import Problem, StepVerdict
from verifiers import _linear
from verifiers._extract import normalise, without_thinking

MAX_STEPS = 200  # further lines are one incorrect step
MAX_LINE = 2_000  # characters

_SUM = re.compile(r"[\d)}\]][ \t]*[+-]")


def step_offsets(text: str) -> list[int]:
    """Offsets at which the lines of `text` start that are not blank (characters)."""
    offsets, at = [], 0
    for line in text.split("\n"):
        if line.strip():
            offsets.append(at)
        at += len(line) + 1
    return offsets


def check_steps(problem: Problem, text: str) -> list[StepVerdict]:
    """One verdict per step of a completion; empty when the gold has no rule or cannot be read."""
    try:
        rule = gold.load(problem.gold).steps
    except ValueError:
        return []
    body = without_thinking(text)
    if not rule.kind or body is None:
        return []
    if rule.kind == "trace":
        return _trace(rule.start, body)
    try:
        return _lines(rule.kind, _check_of(rule), body)
    except _linear.NotLinear as e:
        return [StepVerdict(0, "unverified", rule.kind, f"the rule's start is not understood: {e}")]


def _check_of(rule: gold.StepRule) -> Callable[[str], str]:
    """A function from a line to what is wrong with it (empty: nothing). Raises NotLinear when `start` is unreadable."""
    if rule.kind == "same_value":
        value = _linear.value(rule.start)
        return lambda line: (
            "" if (v := _linear.value(line)) == value else f"the value is {_short(v)}, not {_short(value)}"
        )
    unknown, solved = _linear.solution(rule.start)

    def same_solution(line: str) -> str:
        found = _linear.solution(line, unknown)[1]
        return "" if found == solved else f"{unknown} would be {_short(found)}, not {_short(solved)}"

    return same_solution


def _lines(kind: str, wrong: Callable[[str], str], body: str) -> list[StepVerdict]:
    lines = body.split("\n")
    final = max((i for i, line in enumerate(lines) if line.lstrip().startswith("####")), default=len(lines))
    verdicts: list[StepVerdict] = []
    for line in lines[:final]:
        if not line.strip():
            continue
        index = len(verdicts)
        if index == MAX_STEPS:
            verdicts.append(StepVerdict(index, "incorrect", kind, f"more than {MAX_STEPS} steps"))
            break
        try:
            reason = wrong(normalise(line[:MAX_LINE]))
        except _linear.NotLinear as e:
            reason = f"not understood: {e}"
        verdicts.append(StepVerdict(index, "incorrect" if reason else "correct", kind, reason))
    if kind == "same_value" and final < len(lines) and _SUM.search(normalise(lines[final][:MAX_LINE])):
        verdicts.append(StepVerdict(len(verdicts), "incorrect", kind, "the answer is a sum that is not worked out"))
    return verdicts


def _trace(start: str, body: str) -> list[StepVerdict]:
    first = next((line for line in body.split("\n") if line.strip()), "")
    wanted, got = start.split(">"), first.strip()[:MAX_LINE].split(">")[: MAX_STEPS + 1]
    verdicts = []
    for index in range(max(len(wanted), len(got))):
        if index >= len(wanted):
            reason = "a part too many"
        elif index >= len(got):
            reason = f"a part is missing: {_short(wanted[index])}"
        else:
            reason = "" if got[index] == wanted[index] else f"{_short(got[index])} should be {_short(wanted[index])}"
        verdicts.append(StepVerdict(index, "incorrect" if reason else "correct", "trace", reason))
        if reason and (index >= len(wanted) or index >= len(got)):
            break
    return verdicts


def _short(thing: object) -> str:
    text = str(thing)
    return text if len(text) <= 40 else text[:37] + "..."
