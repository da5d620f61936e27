"""The stage that measures one model on the held-out problems. Every sample is kept; the arithmetic is in `scores.py`.

The same problems and the same request seeds for every model and every run, so that differences are paired.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter

import pyarrow.compute as pc
from prefect import task
from prefect.cache_policies import NO_CACHE

from data.errors import UserError
from data.ids import content_id, derived_seed
from data.progress import Progress, silent
from data.records import Attempt, EvalSample, Problem
from data.schemas import rows
from data.store import At, Stage, Store
from tasks.engines import Engine
from tasks.scores import measured, scores
from tasks.search import Budget, best_of_n
from tasks.settings import EvaluateSettings, VerifySettings
from tasks.verify import judge_once, judge_with, versions
from verifiers._judge import Judged
from verifiers._pool import Pool

VERSION = 1
SHARD = 256  # problems per part; a crash repeats at most one


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What was measured, and the round in which it was; the numbers are in `scores`."""

    model_id: str
    round: int
    problems: int
    samples: int
    tokens: int
    outcomes: dict[str, int]


def evaluate(
    store: Store,
    at: At,
    model_id: str,
    engine: Callable[[], Engine],
    problems: Sequence[Problem],
    settings: EvaluateSettings,
    checking: VerifySettings,
    progress: Progress = silent,
) -> Evaluated:
    """Stage `evaluate-<model>`: writes `eval_samples` and `scores`; `engine` stays the caller's, who closes it.

    A model that was measured in this run with the same problems, settings and verifiers is not measured again.
    Raises UserError when there is no held-out problem.
    """
    if not problems:
        raise UserError("there is no held-out problem to evaluate on: give more levels, or rows with `split` heldout")
    wanted = {p.id: p for p in problems}
    inputs = [model_id, settings.model_dump(), versions(problems), sorted((p.id, p.gold) for p in problems)]
    name, fingerprint = f"evaluate-{model_id}", content_id("evaluate", VERSION, inputs)
    for number in range(at.round, -1, -1):
        stage = store.stage(At(at.run, number, at.seed), name, fingerprint)
        if stage.done:
            return Evaluated(**stage.meta["evaluated"])
    stage = store.stage(at, name, fingerprint)
    _hold_out(store, at, list(wanted.values()))
    startup = _sample(stage, model_id, engine, wanted, settings, checking, progress)
    samples = rows(stage.partial("eval_samples"), EvalSample)
    seed = derived_seed("intervals", settings.seed)
    stage.write("scores", "all", scores(model_id, measured(samples), settings.bootstrap, seed))
    tokens = sum(s.tokens for s in samples)
    outcomes = dict(sorted(Counter[str](s.outcome for s in samples).items()))
    result = Evaluated(model_id, at.round, len(wanted), len(samples), tokens, outcomes)
    stage.commit({"evaluated": asdict(result), "rows": len(samples), "tokens": tokens, "startup_seconds": startup})
    return result


def samples_of(store: Store, run: str, model_id: str) -> list[EvalSample]:
    """The model's held-out samples in this run, those of the newest round that measured it."""
    table = store.read("eval_samples", run)
    table = table.filter(pc.equal(table["model_id"], model_id))
    return rows(table.filter(pc.equal(table["round"], pc.max(table["round"]))), EvalSample)


def _hold_out(store: Store, at: At, problems: Sequence[Problem]) -> None:
    """Write a set of held-out problems to `eval_problems`, once per run: it belongs to round 0."""
    ids = content_id(sorted((p.id, p.gold) for p in problems))
    stage = store.stage(At(at.run, 0, at.seed), f"held-out-{ids}", content_id("held-out", VERSION, ids))
    if not stage.done:
        stage.write("eval_problems", "all", problems)
        stage.commit()


def _sample(
    stage: Stage,
    model_id: str,
    engine: Callable[[], Engine],
    problems: dict[str, Problem],
    settings: EvaluateSettings,
    checking: VerifySettings,
    progress: Progress,
) -> float:
    """Write the samples of the problems that have none yet; seconds that the engine took to start."""
    done = set(stage.partial("eval_samples")["problem_id"].to_pylist())
    missing = [p for p in problems.values() if p.id not in done]
    if not missing:
        return 0.0
    progress(len(done), len(problems), "starting the engine")
    began = perf_counter()
    running = engine()
    startup = perf_counter() - began
    seed = derived_seed("evaluate", settings.seed)
    budget = Budget(settings.samples, settings.sampling)
    batch: list[list[Attempt]] = []
    with Pool(checking.workers, checking.timeout_s) as pool:
        for tried in best_of_n.search(missing, running, judge_with(checking), budget, seed, model_id):
            batch.append(tried)
            progress(len(done) + len(batch), len(problems), "problems sampled")
            if len(batch) == SHARD:
                _write(stage, pool, problems, batch)
                done |= {attempts[0].problem_id for attempts in batch}
                batch = []
        if batch:
            _write(stage, pool, problems, batch)
    return startup


def _write(stage: Stage, pool: Pool, problems: dict[str, Problem], batch: Sequence[Sequence[Attempt]]) -> None:
    """Judge and write the samples of some problems as one part."""
    both = [(attempt, number) for tried in batch for number, attempt in enumerate(tried)]
    judged = judge_once(pool, [(problems[a.problem_id], a.text) for a, _ in both])
    samples = [_row(problems[a.problem_id], a, n, found) for (a, n), found in zip(both, judged, strict=True)]
    stage.write("eval_samples", content_id(sorted(tried[0].problem_id for tried in batch)), samples)


def _row(problem: Problem, attempt: Attempt, number: int, found: Judged) -> EvalSample:
    return EvalSample(
        id=attempt.id,
        problem_id=problem.id,
        model_id=attempt.model_id,
        domain=problem.domain,
        level=problem.level,
        sample=number,
        text=attempt.text,
        answer=found.verdict.answer,
        outcome=found.verdict.outcome,
        reason=found.verdict.reason,
        steps_ok=all(step.outcome != "incorrect" for step in found.steps),
        tokens=attempt.tokens,
        finish=attempt.finish,
    )


evaluate_task = task(name="evaluate", cache_policy=NO_CACHE)(evaluate)
