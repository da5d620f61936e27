"""Re-verification: stored attempts judged again by the verifiers as they are today, the new verdicts beside the old.

They are rows of `reviews`, committed by a stage of their own in the round they belong to, so nothing that reads
`verdicts` changes: finished rounds stay what they are and unfinished ones resume. A killed review repeats at most one
part. Not here: what a flip did to training, which is SQL (`data/sql/flips.sql`, `flipped_models.sql`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from data import registry
from data.errors import UserError
from data.ids import content_id
from data.progress import Progress, silent
from data.records import Attempt, EvalSample, Problem, Review
from data.schemas import rows
from data.store import At, Store
from tasks.settings import VerifySettings
from tasks.verify import judge_parts
from verifiers._judge import Judged
from verifiers._pool import Pool

VERSION = 1
PART = 2048  # texts per part
_NAMES = {"attempts": "review", "eval_samples": "review-held-out"}
_PROBLEMS = {"attempts": "problems", "eval_samples": "eval_problems"}

Text = tuple[str, Problem, str]  # id, problem, text


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is judged again; empty: all there is. `held_out`: held-out samples too."""

    verifiers: Sequence[str] = ()
    runs: Sequence[str] = ()
    rounds: Sequence[int] = ()
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class _Job:
    """The texts of one relation in one round that one verifier has judged."""

    run: str
    round: int
    relation: str
    verifier: str
    texts: int


@dataclass(frozen=True, slots=True)
class Report:
    """Tables of what was judged again: counts by old and new fate, kept attempts that flipped, models, scores."""

    counts: pa.Table
    kept: pa.Table
    models: pa.Table
    scores: pa.Table


def reverify(store: Store, chosen: Chosen, settings: VerifySettings, progress: Progress = silent) -> None:
    """Stages `review-<verifier>-v<version>`: write `reviews`. Does nothing twice.

    Raises UserError when there is no such verifier, or nothing that it has judged.
    """
    jobs = _jobs(store, chosen)
    done, total = 0, sum(j.texts for j in jobs)
    with Pool(settings.workers, settings.timeout_s) as pool:
        for job in jobs:
            start = done

            def tell(count: int, start: int = start) -> None:
                progress(start + count, total, "judged again")

            _review(store, job, pool, settings, tell)
            done += job.texts
            progress(done, total, "judged again")


def report(store: Store, chosen: Chosen) -> Report:
    """What the newest reviews of the chosen attempts say, flips first of those that were kept."""
    where = ["true"]
    params: dict[str, object] = {}
    for column in ("run", "round", "verifier"):
        if values := list(getattr(chosen, f"{column}s")):
            where.append(f"list_contains(${column}s, {column})")
            params[f"{column}s"] = values
    these = " AND ".join(where)

    def ask(sql: str) -> pa.Table:
        return store.query(sql, params)

    return Report(
        counts=ask(
            f"""SELECT held_out, verifier, old_version, version, old_fate, fate, count(*) AS texts FROM reviewed
            WHERE {these} GROUP BY ALL ORDER BY ALL"""
        ),
        kept=ask(f"SELECT * FROM flips WHERE {these} AND kept ORDER BY run, round, attempt_id, used_in_round, role"),
        models=ask(
            f"""SELECT * FROM flipped_models
            WHERE (run, model_id) IN (SELECT (run, model_id) FROM flips WHERE {these}) ORDER BY run, round, role"""
        ),
        scores=ask(
            f"""SELECT * FROM reviewed_scores
            WHERE (run, round) IN (SELECT (run, round) FROM reviewed WHERE {these} AND held_out) ORDER BY run, round"""
        ),
    )


def _jobs(store: Store, chosen: Chosen) -> list[_Job]:
    """The work, in order of runs and rounds. Raises UserError that says what there is when there is none."""
    known = registry.known("verifiers")
    if unknown := [name for name in chosen.verifiers if name not in known]:
        raise UserError(f"there is no verifier {unknown[0]!r}: known are {', '.join(known)}")
    table = store.query("FROM review_work ORDER BY ALL")
    found = [_Job(**row) for row in table.to_pylist()]
    if not found:
        raise UserError(f"no attempt has been judged in {store.home} yet: start a run, or set FLYWHEEL_HOME")
    jobs = [j for j in found if j.verifier in known and _wanted(j, chosen)]
    if not jobs:
        there = sorted({f"{j.run} round {j.round} ({j.verifier})" for j in found if j.relation == "attempts"})
        more = f" and {len(there) - 10} more" if len(there) > 10 else ""
        raise UserError(f"nothing of that kind has been judged: there is {', '.join(there[:10])}{more}")
    return jobs


def _wanted(job: _Job, chosen: Chosen) -> bool:
    return (
        (not chosen.verifiers or job.verifier in chosen.verifiers)
        and (not chosen.runs or job.run in chosen.runs)
        and (not chosen.rounds or job.round in chosen.rounds)
        and (chosen.held_out or job.relation == "attempts")
    )


def _review(store: Store, job: _Job, pool: Pool, settings: VerifySettings, tell: Callable[[int], None]) -> None:
    """One stage: the texts of one job, in parts."""
    version: int = registry.load("verifiers", job.verifier).VERSION
    inputs = store.inputs(job.run, {0, job.round}, [job.relation, _PROBLEMS[job.relation]])
    fingerprint = content_id("review", VERSION, job.verifier, version, settings.timeout_s, inputs)
    name = f"{_NAMES[job.relation]}-{job.verifier}-v{version}"
    stage = store.stage(At(job.run, job.round, 0), name, fingerprint)
    if stage.done:
        return
    texts = _stored(store, job)
    parts = [texts[start : start + PART] for start in range(0, len(texts), PART)]
    left = [part for part in parts if not stage.has("reviews", _key(part))]
    done = len(texts) - sum(map(len, left))
    judged = judge_parts(pool, [[(problem, text) for _, problem, text in part] for part in left])
    for part, found in zip(left, judged, strict=True):
        stage.write("reviews", _key(part), [_row(i, j) for (i, _, _), j in zip(part, found, strict=True)])
        done += len(part)
        tell(done)
    stage.commit({"rows": len(texts)})


def _key(part: Sequence[Text]) -> str:
    return content_id([i for i, _, _ in part])


def _stored(store: Store, job: _Job) -> list[Text]:
    """The texts of a job; equal ones of a problem are neighbours."""
    places: Collection[int] = [job.round] if job.relation == "attempts" else [0]
    table = store.read(_PROBLEMS[job.relation], job.run, places)
    problems = {p.id: p for p in rows(table, Problem) if p.verifier == job.verifier}
    record: type[Attempt] | type[EvalSample] = Attempt if job.relation == "attempts" else EvalSample
    found = rows(store.read(job.relation, job.run, [job.round]), record)
    known = [(row.id, problems[row.problem_id], row.text) for row in found if row.problem_id in problems]
    return sorted(known, key=lambda t: (t[1].id, t[2], t[0]))


def _row(attempt_id: str, judged: Judged) -> Review:
    v = judged.verdict
    wrong = sum(s.outcome == "incorrect" for s in judged.steps)
    return Review(
        attempt_id, v.outcome, v.reason, v.answer, v.verifier, v.version, v.isolation, v.ms, len(judged.steps), wrong
    )


reverify_task = task(name="reverify", cache_policy=NO_CACHE)(reverify)
