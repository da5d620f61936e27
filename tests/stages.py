"""What the tests of the stages share: a small ledger, and a scripted engine that notes requests and can break down."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from data.records import Attempt, Problem
from data.schemas import rows
from data.store import At, Store
from tasks.engines import Completion, Request
from tasks.engines.scripted import Scripted
from tasks.generate import Generated, generate
from tasks.problems import draw, held_out
from tasks.settings import EngineSettings, EvaluateSettings, GenerateSettings, SamplingSettings, VerifySettings
from tasks.verify import judge_with

AT = At("run", 1, 7)
LEVELS = {"chain_sum": [1, 2, 3], "equations": [1, 2], "programs": [1, 2]}
CHECKING = VerifySettings(workers=1)
GENERATE = GenerateSettings(problems=21, samples=4, shard=5, proposals=20, sampling=SamplingSettings(max_tokens=400))
EVALUATE = EvaluateSettings(problems=4, samples=4, bootstrap=200, sampling=SamplingSettings(max_tokens=400))


class Broken(RuntimeError):
    """The engine died."""


class Noting(Scripted):
    """The scripted engine; notes what it was asked and breaks down after `life` requests."""

    def __init__(self, folder: Path, skill: float = 0.6, life: int = 10**9) -> None:
        super().__init__(folder, EngineSettings(name="scripted", skill=skill))
        self.asked: list[str] = []
        self.life = life

    def complete(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        for request, completions in zip(requests, super().complete(requests), strict=True):
            if len(self.asked) == self.life:
                raise Broken
            self.asked.append(request.id)
            yield completions

    def __call__(self) -> "Noting":
        return self


def drawn(store: Store, at: At = AT) -> list[Problem]:
    draw(store, at, LEVELS, {}, GENERATE)
    return rows(store.read("problems", at.run, [at.round]), Problem)


def generated(store: Store, problems: Sequence[Problem], engine: Noting, at: At = AT) -> Generated:
    return generate(store, at, problems, "m0", engine, judge_with(CHECKING), GENERATE)


def attempts(store: Store, at: At = AT) -> list[Attempt]:
    return sorted(rows(store.read("attempts", at.run, [at.round]), Attempt), key=lambda a: a.id)


def measured_on(levels: dict[str, list[int]] = LEVELS) -> list[Problem]:
    return held_out(levels, EVALUATE.problems, EVALUATE.seed)
