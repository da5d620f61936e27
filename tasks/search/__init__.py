"""The contract of a search strategy: a file here that defines `search(problems, engine, judge, budget, seed)`.

It spends a budget of samples on each problem and yields attempts, problem by problem, in the order in which they
finish. Tree strategies set `parent` and `node` of an attempt and may ask `judge` for verdicts on the way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from data.records import Attempt, Problem, Verdict
from tasks.engines import Engine
from tasks.settings import SamplingSettings

Judge = Callable[[Sequence[tuple[Problem, str]]], list[Verdict]]


@dataclass(frozen=True, slots=True)
class Budget:
    """What one problem may cost."""

    samples: int
    sampling: SamplingSettings


class Search(Protocol):
    """The function a strategy file defines. Yields all attempts of one problem together."""

    def __call__(
        self, problems: Sequence[Problem], engine: Engine, judge: Judge, budget: Budget, seed: int, model_id: str
    ) -> Iterator[list[Attempt]]: ...
