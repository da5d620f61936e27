"""Probes of `exact`: the gold's words in other letter case and spacing, other words, hedges."""

from collections.abc import Iterator
from random import Random

from data import gold
from data.records import Problem
from verifiers.probes import Probe
from verifiers.probes._common import LONG, concluded, idle, sayable, squeezed


def probes(problem: Problem, rng: Random, solution: str) -> Iterator[Probe]:
    """Fresh labelled attempts; none when the gold is no answer, or one without letters and digits."""
    known = gold.load(problem.gold)
    if not isinstance(known, gold.Answer) or not squeezed(known.value):
        return
    value = known.value.strip()
    steps = solution or f"#### {value}"
    if sayable(value):
        yield Probe("gold", steps, True)
        yield Probe("gold", f"<think>#### something else</think>\n{steps}", True)
    if sayable(value) and value.isascii() and all(c.isalnum() or c == " " for c in value):
        spellings = [value.upper(), value.lower(), value.replace(" ", "  "), f"**{value}**", f"{value}."]
        yield from (Probe("spelling", concluded(steps, text), True) for text in spellings)
        yield Probe("spelling", f"So it is \\boxed{{{value}}}", True)
    for text in _others(value, rng):
        if squeezed(text) != squeezed(value):
            yield Probe("near_miss", concluded(steps, text), False)
    rival = f"q{rng.randint(10**6, 10**7)}"
    for text in (f"{value} or {rival}", f"{rival}, {value}", f"\\boxed{{{value}}} or \\boxed{{{rival}}}"):
        yield Probe("listed", concluded(steps, text), False)
    yield Probe("changed_mind", f"#### {value}\n#### {rival}", False)
    yield Probe("injected", concluded(steps, f'"{value}".__class__("{value}" + str({rng.randint(1, 99)}))'), False)
    yield Probe("over_long", concluded(steps, f"{value} " * (LONG // len(value))), False)
    if not known.bare:  # else whatever stands last is the answer
        yield from idle(problem, rng, value)
        yield Probe("early_exit", concluded(steps, ""), False)
        yield Probe("unmarked", f"{steps.rpartition('####')[0]}{value}", False)
        yield Probe("unclosed", f"<think>\n{steps}", False)


def _others(value: str, rng: Random) -> list[str]:
    """Texts one edit away: a letter more, less or changed, two swapped, the words reversed."""
    spots = [i for i, c in enumerate(value) if c.isalnum()]
    at, letter = rng.choice(spots), rng.choice("qxz7")
    swapped = value[:at] + value[at + 1 : at + 2] + value[at] + value[at + 2 :]
    edits = [value[:at] + letter + value[at:], value[:at] + value[at + 1 :], value[:at] + letter + value[at + 1 :]]
    return [text for text in (*edits, swapped, value[::-1], f"not {value}", f"{value}{letter}") if squeezed(text)]
