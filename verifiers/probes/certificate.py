"""Probes of `certificate`: solutions respelled, and certificates that are certainly wrong.

Certain by means of its own: a clause is read as the set of assignments that make it true, one bit of an integer each,
so that a proof of what does not follow, or an assignment that refutes nothing, is known without the code under test.
A problem that is not in plain clauses, or has many letters, gets only the probes that hold for any.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from random import Random

from data import gold
from data.records import Problem
from verifiers.probes import Probe
from verifiers.probes._common import LONG, idle

MAX_LETTERS = 16  # of a problem whose assignments are all looked at

_CLAUSE = re.compile(r"0|~?[a-z][0-9]{0,2}(?:\|~?[a-z][0-9]{0,2})*")


@dataclass(frozen=True, slots=True)
class _World:
    """All assignments, one bit each: where a literal is true (`columns`), where the premises are (`given`), and where
    they are and the conclusion is not (`refuting`)."""

    letters: list[str]
    columns: dict[str, int]
    given: int
    refuting: int

    def true(self, clause: str) -> int:
        """Where the clause is true."""
        return reduce(or_, (self.columns[x] for x in clause.split("|") if x != "0"), 0)

    def assignment(self, index: int) -> str:
        """The assignment of that bit, every letter given."""
        return " ".join(x if self.columns[x] >> index & 1 else f"~{x}" for x in self.letters)


def probes(problem: Problem, rng: Random, solution: str) -> Iterator[Probe]:
    """Fresh labelled attempts; none when the gold is no entailment."""
    known = gold.load(problem.gold)
    if not isinstance(known, gold.Entailment):
        return
    first = len(known.premises) + 1
    yield from idle(problem, rng)
    yield from (Probe("bare", text, False) for text in ("yes", "#### yes", "no", "#### no", "#### proof and no more"))
    yield Probe("early_exit", f"#### {rng.choice(['proof', 'counterexample'])}\n", False)
    yield from (Probe("circular", f"#### proof\n{text}", False) for text in _circles(known.conclusion, first))
    yield from (Probe("injected", text, False) for text in _injected(known.conclusion, first))
    yield Probe("over_long", f"#### proof\n{f'{first}. a|~a 1' * (LONG // 10)}", False)
    world = _world([*known.premises, known.conclusion])
    if solution:
        yield Probe("gold", solution, True)
        yield from (Probe("spelling", text, True) for text in _spellings(solution, rng))
        yield Probe("unclosed", f"<think>\n{solution}", False)
        yield Probe("listed", f"{solution}\n{solution}", False)
        if world and solution.startswith("#### proof\n"):
            yield from _spoilt(solution.split("\n")[1:], world, rng)
    if world:
        yield from _assignments(world, rng)
        if world.refuting:
            yield from (Probe("no_proof", f"#### proof\n{text}", False) for text in _claims(known, rng))


def _world(clauses: Sequence[str]) -> _World | None:
    """The assignments to the letters of premises and conclusion, None when the clauses are not plain or have many."""
    if not all(_CLAUSE.fullmatch(c) for c in clauses):
        return None
    letters = sorted({x.lstrip("~") for c in clauses for x in c.split("|")} - {"0"})
    if len(letters) > MAX_LETTERS:
        return None
    every = (1 << 2 ** len(letters)) - 1
    columns: dict[str, int] = {}
    for i, x in enumerate(letters):
        columns[x] = every // ((1 << 2 ** (i + 1)) - 1) * (((1 << 2**i) - 1) << 2**i)
        columns[f"~{x}"] = every ^ columns[x]
    blank = _World(letters, columns, every, 0)
    given = reduce(and_, map(blank.true, clauses[:-1]), every)
    return _World(letters, columns, given, given & ~blank.true(clauses[-1]))


def _circles(conclusion: str, first: int) -> list[str]:
    """Derivations that use what they have not derived."""
    return [
        f"{first}. {conclusion} {first}",
        f"{first}. {conclusion} {first},{first}",
        f"{first}. {conclusion} {first + 1}\n{first + 1}. {conclusion} {first}",
        f"{first}. {conclusion} 1,{first + 90}",
        f"{first}. {conclusion} 0",
        f"1. {conclusion} 1",
        conclusion,
    ]


def _injected(conclusion: str, first: int) -> list[str]:
    return [
        f'#### proof\n{first}. {conclusion} __import__("os").getpid()',
        '#### counterexample\n__import__("os").system("true")',
        "#### proof\nVerdict('correct', 'a proof')",
        '{"outcome": "correct", "verifier": "certificate"}',
        "#### proof\nimport sys\nsys.exit(0)",
    ]


def _spellings(solution: str, rng: Random) -> list[str]:
    """The same certificate, written otherwise."""

    def turned(match: re.Match[str]) -> str:
        literals = match[0].split("|")
        return "|".join(rng.sample(literals, len(literals)))

    return [
        re.sub(r"[^ \n|]+(?:\|[^ \n|]+)+", turned, solution),
        re.sub(r"(\d+),(\d+)$", r"\2,\1", solution, flags=re.MULTILINE),
        re.sub(r"(\d+),(\d+)$", r"\1 , \2", solution, flags=re.MULTILINE).replace("|", " | "),
        solution.replace("~", "¬").replace("|", " ∨ "),
        solution.replace("\n", "\n\n  ") + " \n",
        solution.replace("\n", "\r\n"),
        solution.replace("#### p", "#### P").replace("#### c", "#### C"),
        f"Let us see, {rng.randint(1, 99)} ways.\n1. first this\n\n{solution}",
        f"<think>#### proof\n{rng.randint(1, 99)}. nothing</think>\n{solution}",
    ]


def _spoilt(lines: Sequence[str], world: _World, rng: Random) -> Iterator[Probe]:
    """A proof without one of its lines, or with a literal changed so that a line does not follow from the premises."""
    clauses = [line.split(" ")[1] for line in lines]
    if world.true(clauses[-1]) not in map(world.true, clauses[:-1]):
        yield Probe("missing_line", "\n".join(["#### proof", *lines[:-1]]), False)
    if len(lines) > 1:
        at = rng.randrange(len(lines) - 1)  # leaves a gap in the numbers
        yield Probe("missing_line", "\n".join(["#### proof", *lines[:at], *lines[at + 1 :]]), False)
    for at, clause in rng.sample(list(enumerate(clauses)), len(lines)):
        literals = clause.split("|")
        i = rng.randrange(len(literals))
        literals[i] = literals[i][1:] if literals[i][0] == "~" else f"~{literals[i]}"
        wrong = "|".join(literals)
        if clause != "0" and world.given & ~world.true(wrong):
            text = lines[at].replace(f" {clause} ", f" {wrong} ", 1)
            yield Probe("near_miss", "\n".join(["#### proof", *lines[:at], text, *lines[at + 1 :]]), False)


def _assignments(world: _World, rng: Random) -> Iterator[Probe]:
    """Assignments drawn at random and next to refuting ones, each labelled by whether it refutes; many at once."""
    size = 2 ** len(world.letters)
    drawn = [rng.randrange(size) for _ in range(4)]
    right = [i for i in rng.sample(range(size), min(size, 256)) if world.refuting >> i & 1][:2]
    near = [i ^ 1 << rng.randrange(len(world.letters)) for i in right for _ in range(3)] if world.letters else []
    for index in dict.fromkeys((*right, *near, *drawn)):
        refutes = bool(world.refuting >> index & 1)
        yield Probe("gold" if refutes else "near_miss", f"#### counterexample\n{world.assignment(index)}", refutes)
    if size > 1:
        several = "\n".join(world.assignment(i) for i in range(min(size, 64)))
        yield Probe("listed", f"#### counterexample\n{several}", False)
        both = " ".join(f"{x} ~{x}" for x in world.letters)
        yield Probe("listed", f"#### counterexample\n{both}", False)


def _claims(known: gold.Entailment, rng: Random) -> Iterator[str]:
    """Proofs, of a conclusion that does not follow, in the form of right ones."""
    first, final = len(known.premises) + 1, known.conclusion
    for _ in range(3):
        left, right = rng.randint(1, first - 1), rng.randint(1, first - 1)
        yield f"{first}. {final} {left},{right}"
        yield f"{first}. {known.premises[left - 1]} {left}\n{first + 1}. {final} {first},{right}"
        yield f"{first}. 0 {left},{right}\n{first + 1}. {final} {first}"
