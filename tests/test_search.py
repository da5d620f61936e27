"""Every search strategy keeps its budget and its seeds, and is complete. On the scripted engine."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from data import domains, registry
from data.records import Attempt, Problem, Verdict
from tasks.engines import Engine, start
from tasks.search import Budget
from tasks.settings import EngineSettings, SamplingSettings

STRATEGIES = registry.known("tasks.search")
Run = Callable[..., list[list[Attempt]]]


def judge(pairs: Sequence[tuple[Problem, str]]) -> list[Verdict]:
    """A judge that never knows."""
    return [Verdict("unverified", "not asked") for _ in pairs]


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    """Eight problems of each generated domain."""
    names = ("chain_sum", "equations", "programs")
    return [p for n in names for p, _ in zip(domains.load(n).problems("train", 5, 3), range(8), strict=False)]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return start(tmp_path, EngineSettings(name="scripted", skill=0.5))


@pytest.fixture(params=STRATEGIES)
def run(request: pytest.FixtureRequest, engine: Engine) -> Run:
    """One strategy: (problems, seed=1, samples=4, sampling=…, model="m") -> all attempts, problem by problem."""
    search = registry.load("tasks.search", request.param).search

    def call(
        asked: Sequence[Problem], seed: int = 1, samples: int = 4, temperature: float = 1.0, model: str = "m"
    ) -> list[list[Attempt]]:
        budget = Budget(samples, SamplingSettings(temperature=temperature, max_tokens=200))
        return list(search(asked, engine, judge, budget, seed, model))

    return call


def test_every_problem_once_within_budget(run: Run, problems: list[Problem]) -> None:
    found = run(problems)
    assert sorted({a.problem_id for a in tried}.pop() for tried in found) == sorted(p.id for p in problems)
    for tried in found:
        assert 1 <= len(tried) <= 4 and len({a.problem_id for a in tried}) == 1
        for a in tried:
            assert a.model_id == "m" and a.tokens <= 200
            assert all(at == 0 or a.text[at - 1] == "\n" for at in a.steps) and a.steps == sorted(set(a.steps))
    ids = [a.id for tried in found for a in tried]
    assert len(ids) == len(set(ids))


def test_ids_and_texts_follow_from_seed_and_problem_alone(run: Run, problems: list[Problem]) -> None:
    whole = {a.id: a for tried in run(problems) for a in tried}
    part = {a.id: a for tried in run(problems[::-1][:5]) for a in tried}
    assert part == {key: whole[key] for key in part}, "a resumed stage must write what the first would have"


@pytest.mark.parametrize("change", [{"seed": 2}, {"temperature": 0.5}, {"model": "other"}])
def test_another_seed_sampling_or_model_is_another_attempt(
    run: Run, problems: list[Problem], change: dict[str, object]
) -> None:
    first = {a.id for tried in run(problems) for a in tried}
    assert first.isdisjoint(a.id for tried in run(problems, **change) for a in tried)


def test_the_gold_is_in_no_request(problems: list[Problem], engine: Engine) -> None:
    asked = []

    class Spy:
        startup_seconds = 0.0

        def complete(self, requests):
            asked.extend(requests)
            return engine.complete(requests)

    for name in STRATEGIES:
        list(registry.load("tasks.search", name).search(problems, Spy(), judge, Budget(2, SamplingSettings()), 1, "m"))
    for request in asked:
        [problem] = [p for p in problems if p.id == request.id.partition("/")[0]]
        assert request.prompt == problem.prompt and problem.gold not in request.system + request.prompt
        assert request.system == domains.load(problem.domain).INSTRUCTION
