"""Decides small entailments and certifies either side: a search whose failure is a derivation.

DPLL (Davis, Logemann, Loveland, 1962) on the premises, starting from the conclusion made false. Where a branch makes a
line false, that line says why; the reasons of both branches on a letter resolve into the reason above them, and the
topmost one is the conclusion or part of it. Exponential at worst, so callers bound the letters. Not a domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from data.clauses import Clause, negated, write


@dataclass(frozen=True, slots=True)
class Step:
    """A derived clause and the numbers of the lines it comes from: two to resolve, one to weaken."""

    clause: Clause
    parents: tuple[int, ...]


def derive(premises: Sequence[Clause], conclusion: Clause, rng: Random, tries: int = 20) -> list[Step] | None:
    """The shortest derivation in so many random searches; None when the conclusion does not follow."""
    best: list[Step] | None = None
    for _ in range(tries):
        search = _Search(premises, rng)
        reason = search.explore([negated(x) for x in sorted(conclusion)])
        if reason is None:
            return None
        steps = search.proof(reason, conclusion)
        if best is None or len(steps) < len(best):
            best = steps
    return best


def refute(premises: Sequence[Clause], conclusion: Clause, rng: Random) -> list[str] | None:
    """Literals, in the order found, that make each premise true and the conclusion false; None when there are none."""
    search = _Search(premises, rng)
    return search.model if search.explore([negated(x) for x in sorted(conclusion)]) is None else None


class _Search:
    def __init__(self, premises: Sequence[Clause], rng: Random) -> None:
        self._lines = [Step(premise, ()) for premise in premises]
        self._given = len(premises)
        self._rng = rng
        self.model: list[str] = []

    def explore(self, truth: list[str]) -> int | None:
        """The index of a line that `truth` makes false; None when `model` extends it to make every premise true."""
        shortest: list[str] = []
        for index, line in enumerate(self._lines):
            if line.clause.isdisjoint(truth):
                rest = [x for x in line.clause if negated(x) not in truth]
                if not rest:
                    return index
                longer = len(rest) - len(shortest)
                if not shortest or longer < 0 or (longer == 0 and self._rng.random() < 0.5):
                    shortest = rest
        if not shortest:
            self.model = truth
            return None
        chosen = self._rng.choice(sorted(shortest))
        reasons = []
        for assumed in (negated(chosen), chosen):
            reason = self.explore([*truth, assumed])
            if reason is None or negated(assumed) not in self._lines[reason].clause:
                return reason
            reasons.append(reason)
        left, right = (self._lines[index].clause for index in reasons)
        self._lines.append(Step(left - {chosen} | right - {negated(chosen)}, (reasons[0] + 1, reasons[1] + 1)))
        return len(self._lines) - 1

    def proof(self, last: int, conclusion: Clause) -> list[Step]:
        """The derived lines that the one at index `last` needs, numbered on from the premises, then the conclusion."""
        needed, waiting = set(), [last]
        while waiting:
            index = waiting.pop()
            if index >= self._given and index not in needed:
                needed.add(index)
                waiting += [number - 1 for number in self._lines[index].parents]
        number = {index: index + 1 for index in range(self._given)}
        steps: list[Step] = []
        for index in sorted(needed):
            number[index] = self._given + len(steps) + 1
            line = self._lines[index]
            steps.append(Step(line.clause, tuple(number[parent - 1] for parent in line.parents)))
        if not steps or steps[-1].clause != conclusion:
            steps.append(Step(conclusion, (number[last],)))
        return steps


def show(steps: Sequence[Step], given: int) -> str:
    """The derivation as text, numbered on from `given` premises."""
    lines = (f"{n}. {write(step.clause)} {','.join(map(str, step.parents))}" for n, step in enumerate(steps, given + 1))
    return "\n".join(lines)
