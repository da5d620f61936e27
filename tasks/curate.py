"""Curate: judged attempts in, training data out. Every attempt gets one decision with one reason; all set logic is SQL.

What is not proven right never trains. What is right meets the rules of data/sql/rules in the order below; each is a
switch in the settings and a reason in the ledger. An earlier round's completions come back only as replay.
Not here: whether the result may be trained on (`gate.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from data import catalog, schemas
from data.duck import Workspace
from data.ids import content_id, derived_seed
from data.rules import Rule, rules
from data.store import At, Stage, Store
from tasks.settings import CurateSettings

VERSION = 3
FAULTS = (  # with one of these an attempt is nobody's right answer
    "contaminated",
    "lucky",
    "truncated",
    "endless",
    "foreign_characters",
    "length_outlier",
)
SURPLUS = ("duplicate", "used_before", "near_duplicate", "over_the_cap", "level_balance")  # of right ones, enough
ORDER = FAULTS + SURPLUS

_WRITES = {"decisions", "examples", "pairs"}


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
    on = [rules()[name] for name in ORDER if getattr(settings.rules, name)]
    stage = store.stage(at, "curate", _fingerprint(store, at, settings, on))
    if not stage.done:
        seed = str(derived_seed("curate", at.seed, at.round))
        known = {"round": at.round, "seed": seed, "drop_lucky": settings.rules.lucky, **settings.model_dump()}
        with store.workspace(at.run, range(at.round + 1), settings.memory_gib) as ws:
            attempts = _decide(ws, on, known)
            curated = _write(ws, stage, known, attempts)
        stage.commit({"curated": asdict(curated), "rows": curated.attempts})
    return Curated(**stage.meta["curated"])


def _fingerprint(store: Store, at: At, settings: CurateSettings, on: list[Rule]) -> str:
    """Covers what the stage reads: the judged attempts, what the rules look up, and what earlier rounds have used."""
    read = {"problems", "attempts", "verdicts", "step_verdicts", "contaminations"}.union(*(rule.reads() for rule in on))
    here = store.inputs(at.run, [at.round], (read & schemas.RELATIONS.keys()) - _WRITES)
    before = store.inputs(at.run, range(at.round), ("examples", "decisions"))
    return content_id("curate", VERSION, settings.model_dump(), asdict(at), (here, before))


def _decide(ws: Workspace, on: list[Rule], known: Mapping[str, Any]) -> int:
    """Leaves `attempted`, the round's with their texts, and `decided`, a decision on each; returns how many."""
    ws.table("attempted", catalog.statement("sft_attempts"), known)
    ws.view("candidates", "SELECT * EXCLUDE (fault) FROM attempted WHERE fault IS NULL")
    ws.table("alive", "SELECT attempt_id, problem_id, domain, level, draw FROM candidates")
    dropped = ["SELECT NULL::VARCHAR AS attempt_id, NULL::VARCHAR AS reason, NULL::BOOLEAN AS sound WHERE false"]
    for rule in on:
        for table, text in rule.steps:
            ws.table(table, text, known)
        if ws.table(f"dropped_{rule.name}", f"FROM alive SEMI JOIN (\n{rule.select}\n) USING (attempt_id)", known):
            ws.table("alive", f"FROM alive ANTI JOIN dropped_{rule.name} USING (attempt_id)")
        for table, _ in rule.steps:
            ws.drop(table)
        sound = rule.name in SURPLUS
        dropped.append(f"SELECT attempt_id, '{rule.reason}' AS reason, {sound} AS sound FROM dropped_{rule.name}")
    ws.view("dropped", " UNION ALL ".join(dropped))
    attempts = ws.table("decided", catalog.statement("sft_decisions"), known)
    if known["control"]:
        ws.table("decided", catalog.statement("sft_control"), known)
    return attempts


def _write(ws: Workspace, stage: Stage, known: Mapping[str, Any], attempts: int) -> Curated:
    """Stream the three relations into their parts. `members` holds one dataset at a time."""
    _stream(ws, stage, "decisions", "FROM decided ORDER BY attempt_id")
    counts = ws.arrow("SELECT reason, count(*) AS n FROM decided GROUP BY reason ORDER BY reason").to_pylist()
    examples = ws.table("members", catalog.statement("sft_examples"), known)
    replayed = ws.value("SELECT count(*) FROM members WHERE replay")
    dataset_id = _dataset(ws, stage, "examples", "replay, shuffled, attempt_id")
    pairs = ws.table("members", catalog.statement("dpo_pairs"), known)
    pairs_id = _dataset(ws, stage, "pairs", "problem_id, turn")
    reasons = {row["reason"]: row["n"] for row in counts}
    return Curated(dataset_id, pairs_id, attempts, examples - replayed, replayed, examples, pairs, reasons)


def _dataset(ws: Workspace, stage: Stage, relation: str, order: str) -> str:
    """Write `members` under their dataset's id, which depends on what they are and not on their order."""
    dataset_id: str = ws.value(catalog.statement("dataset_id"), {"kind": relation})
    _stream(ws, stage, relation, f"SELECT $id AS dataset_id, * FROM members ORDER BY {order}", {"id": dataset_id})
    return dataset_id


def _stream(ws: Workspace, stage: Stage, relation: str, text: str, known: Mapping[str, Any] | None = None) -> None:
    """Write the result of a SELECT as a part, unless a crash has left it whole."""
    if not stage.has(relation, "all"):
        stage.write(relation, "all", ws.stream(text, known))


curate_task = task(name="curate", cache_policy=NO_CACHE)(curate)
