"""Curate: judged attempts in, training data out. Every attempt gets one decision with one reason; all set logic is SQL.

Kept: correct, no wrong step, ended by itself, not a copy, at most so many a problem. A completion that an earlier round
of the run has used comes back only as replay. `unverified` is neither an example nor either side of a pair.
Not here: whether the result may be trained on (`gate.py`).
"""

from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task
from prefect.cache_policies import NO_CACHE

from data import catalog
from data.ids import content_id, derived_seed
from data.store import At, Stage, Store
from tasks.settings import CurateSettings

VERSION = 1


@dataclass(frozen=True, slots=True)
class Curated:
    """What a round will train on. The ids are content hashes of the members; `reasons` counts attempts."""

    dataset_id: str
    pairs_id: str
    attempts: int
    kept: int
    replayed: int
    examples: int
    pairs: int
    reasons: dict[str, int]


def curate(store: Store, at: At, settings: CurateSettings) -> Curated:
    """Decide on this round's attempts and commit decisions, examples and pairs. Does nothing twice."""
    read = ("problems", "attempts", "verdicts", "step_verdicts")
    inputs = store.inputs(at.run, [at.round], read), store.inputs(at.run, range(at.round), ("examples", "decisions"))
    fingerprint = content_id("curate", VERSION, settings.model_dump(), asdict(at), inputs)
    stage = store.stage(at, "curate", fingerprint)
    if not stage.done:
        _work(store, at, settings, stage)
    return Curated(**stage.meta["curated"])


def _work(store: Store, at: At, settings: CurateSettings, stage: Stage) -> None:
    judged = store.query(
        "FROM judged WHERE round = $round", {"round": at.round}, run=at.run, rounds=range(at.round + 1)
    )
    tables = {"judged": judged}
    known = {"round": at.round, "seed": str(derived_seed("curate", at.seed, at.round)), **settings.model_dump()}

    def select(name: str) -> pa.Table:
        text = catalog.statement(name)
        params = {k: v for k, v in known.items() if f"${k}" in text}
        return store.query(text, params, run=at.run, rounds=range(at.round), tables=tables)

    decisions = tables["decided"] = select("sft_decisions")
    examples, dataset_id = _identified(select("sft_examples"), "examples")
    pairs, pairs_id = _identified(select("dpo_pairs"), "pairs")
    stage.write("decisions", "all", decisions)
    stage.write("examples", "all", examples)
    stage.write("pairs", "all", pairs)
    curated = Curated(
        dataset_id=dataset_id,
        pairs_id=pairs_id,
        attempts=len(decisions),
        kept=pc.sum(decisions["kept"]).as_py() or 0,
        replayed=pc.sum(examples["replay"]).as_py() or 0,
        examples=len(examples),
        pairs=len(pairs),
        reasons=_counts(decisions["reason"]),
    )
    stage.commit({"curated": asdict(curated), "rows": len(decisions)})


def _identified(members: pa.Table, kind: str) -> tuple[pa.Table, str]:
    """The members with their dataset's id, which depends on what they are and not on their order."""
    rows: list[dict[str, Any]] = members.to_pylist()
    dataset_id = content_id(kind, sorted([str(v) for v in row.values()] for row in rows))
    return members.append_column("dataset_id", pa.repeat(dataset_id, len(members))), dataset_id


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    return {
        row["values"]: row["counts"] for row in sorted(pc.value_counts(column).to_pylist(), key=lambda r: r["values"])
    }


curate_task = task(name="curate", cache_policy=NO_CACHE)(curate)
