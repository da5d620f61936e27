"""The quality gate: a good round passes, each expectation names who breaks it, its own faults are no bad data."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data import duck, expectations, gold
from data.records import Check
from tasks._quality_rules import rules
from tasks._quality_tables import examine
from tasks.settings import CurateSettings, GateSettings
from tests.rows import given

CURATE, LIMITS = CurateSettings(min_examples=3), GateSettings()
Rows = list[dict[str, Any]]
Ledger = dict[str, Rows]
USUAL: dict[str, dict[str, Any]] = {
    "problems": {"domain": "sums", "level": 1, "verifier": "exact", "gold": gold.dump(gold.Answer("2"))},
    "eval_problems": {"split": "heldout"},
    "attempts": {"problem_id": "p1", "model_id": "m", "tokens": 3, "text": "so it is 2"},
    "verdicts": {"verifier": "exact", "version": 1},
    "step_verdicts": {"kind": "same_value"},
    "decisions": {"problem_id": "p1", "kept": True, "reason": "kept"},
    "examples": {"dataset_id": "d", "problem_id": "p1", "prompt": "1+1"},
    "pairs": {"problem_id": "p1", "prompt": "1+1", "chosen": "2", "rejected": "3"},
    "eval_samples": {"round": 0, "problem_id": "h1", "model_id": "m", "tokens": 2},
    "scores": {"round": 0, "model_id": "m", "metric": "pass@k", "value": 0.5, "high": 1.0, "problems": 2, "samples": 8},
}


def good() -> Ledger:
    """Round 1: four right attempts that train, four wrong ones; one held-out problem, evaluated in round 0."""
    right, wrong = ([f"{kind}{i}" for i in range(1, 5)] for kind in ("r", "w"))
    return {
        "problems": [{"id": "p1", "prompt": "1+1"}, {"id": "p2", "prompt": "4-2", "level": 2}],
        "eval_problems": [{"id": "h1", "prompt": "what is\n 9-7 ?"}],
        "models": [{"id": "m"}],
        "attempts": [{"id": a, "text": f"so {a} it is"} for a in right + wrong],
        "verdicts": [{"attempt_id": a} for a in right] + [{"attempt_id": a, "outcome": "incorrect"} for a in wrong],
        "step_verdicts": [{"attempt_id": a, "index": i} for a in right for i in range(2)],
        "decisions": [{"attempt_id": a} for a in right]
        + [{"attempt_id": a, "kept": False, "reason": "incorrect"} for a in wrong],
        "examples": [{"attempt_id": a, "completion": f"so {a} it is"} for a in right],
        "pairs": [{"chosen_id": r, "rejected_id": w} for r, w in zip(right, wrong, strict=True)],
        "eval_samples": [{"id": f"s{i}", "sample": i} for i in range(2)],
        "scores": [{"k": 1}, {"k": 2}, {"metric": "tokens", "value": 7.0, "high": 9.0}],
    }


def added(extra: Mapping[str, Rows]) -> Ledger:
    return {name: [*rows, *extra.get(name, [])] for name, rows in good().items()}


def attempt(name: str, decided: dict[str, Any] | None = None, **columns: Any) -> Ledger:
    """A right attempt, judged and decided on; `columns` of the attempt."""
    decision = {
        "attempt_id": name,
        "kept": False,
        "reason": "over the cap",
        "problem_id": columns.get("problem_id", "p1"),
    }
    return {
        "attempts": [{"id": name, **columns}],
        "verdicts": [{"attempt_id": name}],
        "decisions": [decision | (decided or {})],
    }


def examined(
    ledger: Ledger, curate: CurateSettings = CURATE, limits: GateSettings = LIMITS
) -> dict[tuple[str, str], Check]:
    """The checks of round 1 of this ledger."""
    with duck.workspace(Path("/nowhere"), []) as ws, expectations.engine(ws.connection) as engine:
        for name, rows in ledger.items():
            ws.give(name, given(name, *({"round": 1, **USUAL.get(name, {}), **row} for row in rows)))
        return {(c.relation, c.expectation): c for c in examine(ws, engine, 1, curate, limits)}


def broken(*args: Any) -> dict[tuple[str, str], Rows]:
    return {key: json.loads(c.bad_rows) for key, c in examined(*args).items() if not c.success}


def test_a_good_round_breaks_nothing():
    checks = examined(good())
    assert [key for key, c in checks.items() if not c.success] == []
    assert list(checks) == [(r.relation, r.says) for r in rules(CURATE, LIMITS)]
    assert checks["attempts", "attempt_id is unique"].observed == "none in 8 rows"
    assert checks["attempts", "the accepted share is between 2% and 98%"].observed == "0.5"
