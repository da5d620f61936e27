"""Probes that hold for any verifier: attempts that answer nothing, and right answers with a wrong step.

Labels follow from how a text was made, never from what a verifier says of it. Not here: probes of one kind of gold.
"""

import re
from collections.abc import Iterator
from random import Random

from data.gold import StepRule
from data.records import Problem
from verifiers.probes import Probe

LONG = 30_000  # characters of an over-long attempt
MAX_GOLD = 200  # characters; the own text of a longer gold is no probe

_REFUSALS = ("I'm sorry, but I cannot help with that.", "I don't know.", "#### I don't know", "#### ?", "#### None")
_NUMBER = re.compile(r"(?<==)\d+")


def idle(problem: Problem, rng: Random, known: str = "") -> Iterator[Probe]:
    """Attempts without an answer; one that reads like the gold's own text `known` is left out."""
    yield Probe("empty", "", False)
    yield Probe("empty", " \n\t" * rng.randint(1, 9), False)
    found = [("refusal", rng.choice(_REFUSALS)), ("refusal", f"{problem.prompt}\n{rng.choice(_REFUSALS)}")]
    found += [("copied", problem.prompt), ("copied", f"#### {problem.prompt}"), ("copied", problem.prompt * 2)]
    found += [("over_long", rng.choice(("so ", "1 ", "\n\n", "#### ")) * (LONG // 3))]
    yield from (Probe(kind, text, False) for kind, text in found if squeezed(text) != squeezed(known))


def lucky(rule: StepRule, rng: Random, solution: str) -> Iterator[Probe]:
    """The solution with one wrong step: its verdict may be `correct`, its steps must object. None without steps.

    `+n` at the end of an expression or an equation with one solution changes its value or its solution, whatever it is.
    """
    lines = solution.split("\n")
    if rule.kind == "trace" and lines[0] == rule.start and (values := list(_NUMBER.finditer(lines[0]))):
        spot = rng.choice(values)
        wrong = f"{lines[0][: spot.start()]}{int(spot[0]) + rng.randint(1, 9)}{lines[0][spot.end() :]}"
        yield Probe("lucky", "\n".join([wrong, *lines[1:]]), False)
    if rule.kind in ("same_value", "same_solution"):
        for at in rng.sample(steps := [i for i, line in enumerate(lines) if line[:4] != "####"], min(2, len(steps))):
            text = "\n".join([*lines[:at], f"{lines[at]}+{rng.randint(1, 9)}", *lines[at + 1 :]])
            yield Probe("lucky", text, False)


def squeezed(text: str) -> str:
    """Letters and digits of a text, without regard to case: texts that differ here are other answers."""
    return "".join(c for c in text.casefold() if c.isalnum())


def sayable(value: str) -> bool:
    """Whether the text of a gold can be marked as a final answer at all."""
    marks = ("####", "<think>", "</think>", "\\boxed", "\\fbox", "answer is", "answer:")
    return 0 < len(value) <= MAX_GOLD and value.isprintable() and not any(mark in value.lower() for mark in marks)


def concluded(solution: str, answer: str) -> str:
    """The steps of a solution, then this final answer."""
    steps = solution.rpartition("####")[0] if "####" in solution else ""
    return f"{steps}#### {answer}"
