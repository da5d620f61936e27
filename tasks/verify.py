"""The stage that judges the round's attempts, in killable worker processes. Not here: the judging (`verifiers/`).

Equal texts of one problem are judged once. A killed stage repeats at most one part of about PART attempts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import groupby

from prefect import task
from prefect.cache_policies import NO_CACHE

from data import registry
from data.ids import content_id
from data.progress import Progress, silent
from data.records import Attempt, Problem, Verdict
from data.schemas import rows
from data.store import At, Stage, Store
from tasks.search import Judge
from tasks.settings import VerifySettings
from verifiers._judge import Judged
from verifiers._pool import Pool

VERSION = 1
PART = 2048  # attempts per part, give or take those of one problem


@dataclass(frozen=True, slots=True)
class Verified:
    """Verdicts per outcome, and how many distinct texts were judged for them."""

    attempts: int
    distinct: int
    outcomes: dict[str, int]


def verify(store: Store, at: At, settings: VerifySettings, progress: Progress = silent) -> Verified:
    """Stage `verify`: writes `verdicts` and `step_verdicts` of the attempts that `generate` committed this round."""
    attempts = sorted(rows(store.read("attempts", at.run, [at.round]), Attempt), key=lambda a: (a.problem_id, a.id))
    problems = {p.id: p for p in rows(store.read("problems", at.run, [at.round]), Problem)}
    stage = store.stage(at, "verify", _fingerprint(attempts, problems, settings))
    if stage.done:
        return Verified(**stage.meta["verified"])
    parts = list(_parts(attempts))
    left = [part for part in parts if not stage.has("verdicts", _key(part))]
    if left:
        done = len(attempts) - sum(map(len, left))
        with Pool(settings.workers, settings.timeout_s) as pool:
            texts = [[(problems[a.problem_id], a.text) for a in part] for part in left]
            for part, judged in zip(left, judge_parts(pool, texts), strict=True):
                _judge_part(stage, part, judged)
                done += len(part)
                progress(done, len(attempts), "attempts judged")
    outcomes = Counter(stage.partial("verdicts").column("outcome").to_pylist())
    distinct = len({(a.problem_id, a.text) for a in attempts})
    result = Verified(len(attempts), distinct, dict(sorted(outcomes.items())))
    stage.commit({"verified": asdict(result), "rows": len(attempts)})
    return result


def judge_once(pool: Pool, items: Sequence[tuple[Problem, str]]) -> list[Judged]:
    """A judgement for every (problem, text), in order; equal ones are judged once."""
    return next(judge_parts(pool, [items]))


def judge_parts(pool: Pool, parts: Sequence[Sequence[tuple[Problem, str]]]) -> Iterator[list[Judged]]:
    """The judgements of each part, equal ones of a part judged once. The next parts are judged while one is written."""
    distinct = [{(p.id, text): p for p, text in part} for part in parts]
    judged = pool.judge(("", p, text) for keys in distinct for (_, text), p in keys.items())
    for part, keys in zip(parts, distinct, strict=True):
        known = {key: next(judged) for key in keys}
        yield [known[p.id, text] for p, text in part]


def judge_with(settings: VerifySettings) -> Judge:
    """What search strategies ask for verdicts. Each call has its own pool, so ask for many at a time."""

    def judge(items: Sequence[tuple[Problem, str]]) -> list[Verdict]:
        with Pool(settings.workers, settings.timeout_s) as pool:
            return [found.verdict for found in judge_once(pool, items)]

    return judge


def versions(problems: Iterable[Problem]) -> dict[str, int]:
    """The version of every verifier these problems need."""
    return {name: registry.load("verifiers", name).VERSION for name in sorted({p.verifier for p in problems})}


def _fingerprint(attempts: Sequence[Attempt], problems: dict[str, Problem], settings: VerifySettings) -> str:
    """Covers the attempts with their texts, the golds, the time limit and the versions of the verifiers they need."""
    digest = sha256()
    for a in sorted(attempts, key=lambda a: a.id):
        digest.update(f"{a.id} {len(a.text)} {a.text}".encode(errors="replace"))
    golds = sorted((p.id, p.gold) for p in problems.values())
    return content_id("verify", VERSION, digest.hexdigest(), golds, settings.timeout_s, versions(problems.values()))


def _parts(attempts: Sequence[Attempt]) -> Iterator[list[Attempt]]:
    """Whole problems, at least PART attempts at a time; `attempts` must be sorted by problem."""
    part: list[Attempt] = []
    for _, tried in groupby(attempts, key=lambda a: a.problem_id):
        part += tried
        if len(part) >= PART:
            yield part
            part = []
    if part:
        yield part


def _key(part: Sequence[Attempt]) -> str:
    return content_id([a.id for a in part])


def _judge_part(stage: Stage, part: Sequence[Attempt], judged: Sequence[Judged]) -> None:
    """Write one part, the steps first: its verdicts say that both are there."""
    both = list(zip(part, judged, strict=True))
    steps = [replace(s, attempt_id=attempt.id) for attempt, found in both for s in found.steps]
    stage.write("step_verdicts", _key(part), steps)
    stage.write("verdicts", _key(part), [replace(found.verdict, attempt_id=attempt.id) for attempt, found in both])


verify_task = task(name="verify", cache_policy=NO_CACHE)(verify)
