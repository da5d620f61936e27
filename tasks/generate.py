"""The stage in which the model tries the round's problems. Not here: how it searches, what is right.

A killed stage continues: problems whose attempts lie in a written part are not asked again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter

from prefect import task
from prefect.cache_policies import NO_CACHE

from data import registry
from data.ids import content_id, derived_seed
from data.progress import Progress, silent
from data.records import Attempt, Problem
from data.store import At, Stage, Store
from tasks.engines import Engine
from tasks.search import Budget, Judge
from tasks.settings import GenerateSettings

VERSION = 1


@dataclass(frozen=True, slots=True)
class Generated:
    """What the stage wrote. Speed and `generation_seconds`: of the process that finished it, without start-up."""

    problems: int
    attempts: int
    tokens: int
    startup_seconds: float
    generation_seconds: float
    tokens_per_s: float


def generate(
    store: Store,
    at: At,
    problems: Sequence[Problem],
    model_id: str,
    engine: Callable[[], Engine],
    judge: Judge,
    settings: GenerateSettings,
    progress: Progress = silent,
) -> Generated:
    """Stage `generate`: writes `attempts`, a part every `settings.shard` problems.

    `engine` is called only when something is left to ask; the engine stays the caller's, who closes it.
    """
    wanted = {p.id: p for p in problems}
    asked = settings.model_dump(include={"strategy", "samples", "sampling"})
    stage = store.stage(at, "generate", content_id("generate", VERSION, at.seed, asked, model_id, sorted(wanted)))
    if stage.done:
        return Generated(**stage.meta["generated"])
    present = stage.partial("attempts")
    finished = set(present.column("problem_id").to_pylist())
    missing = [p for p in wanted.values() if p.id not in finished]
    attempts, tokens, new, startup = len(present), sum(present.column("tokens").to_pylist()), 0, 0.0
    started = perf_counter()
    if missing:
        progress(len(finished), len(wanted), "starting the engine")
        running = engine()
        startup = perf_counter() - started
        search = registry.load("tasks.search", settings.strategy).search
        seed = derived_seed(at.seed, at.round, "generate")
        found = search(missing, running, judge, Budget(settings.samples, settings.sampling), seed, model_id)
        for done, tried in enumerate(_written(stage, found, settings.shard), len(finished) + 1):
            attempts, new = attempts + len(tried), new + sum(a.tokens for a in tried)
            progress(done, len(wanted), f"{new / (perf_counter() - started - startup):,.0f} tokens/s")
    seconds = perf_counter() - started - startup
    speed = new / seconds if new else 0.0
    result = Generated(len(wanted), attempts, tokens + new, startup, seconds, speed)
    stage.commit({"generated": asdict(result), "startup_seconds": startup, "rows": attempts, "tokens": tokens + new})
    return result


def _written(stage: Stage, found: Iterator[list[Attempt]], shard: int) -> Iterator[list[Attempt]]:
    """Pass on each problem's attempts; every `shard` problems, and at the end, write those so far as one part."""
    batch: list[list[Attempt]] = []
    for tried in found:
        batch.append(tried)
        if len(batch) == shard:
            _write(stage, batch)
            batch = []
        yield tried
    if batch:
        _write(stage, batch)


def _write(stage: Stage, batch: Sequence[Sequence[Attempt]]) -> None:
    attempts = [a for tried in batch for a in tried]
    stage.write("attempts", content_id(sorted({a.problem_id for a in attempts})), attempts)


generate_task = task(name="generate", cache_policy=NO_CACHE)(generate)
