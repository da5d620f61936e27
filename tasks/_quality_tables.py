"""The narrow tables that the quality gate looks at, one after another, and the rules held against each.

Wide texts are read once and stay out of the tables; a table is forgotten as soon as its rules were checked. Not here:
the rules (`_quality_rules.py`).
"""

from dataclasses import MISSING, fields
from typing import get_args

import pyarrow as pa

from data import catalog, gold, schemas
from data.duck import Workspace
from data.expectations import Engine
from data.records import Check
from tasks._quality_rules import RELATIONS, columns, rules
from tasks.settings import CurateSettings, GateSettings

_SOURCES = ("known", "leaked")  # what the others are made of
_TABLES = (
    "problems", "golds", "attempts", "texts", "twins", "verdicts", "steps", "decisions", "examples", "levels", "pairs",
    "eval_samples", "scores",
)  # fmt: skip
_USED_AGAIN = ("texts", "examples")  # by `twins` and by `levels`


def examine(ws: Workspace, engine: Engine, number: int, curate: CurateSettings, limits: GateSettings) -> list[Check]:
    """All checks of round `number` in the order of the rules; those of the schema alone where that is broken.

    Raises ExpectationsError when a check cannot be made.
    """
    ws.table("checked_columns", _columns(ws))
    found = engine.check("checked_columns", columns())
    if not all(c.success for c in found):
        return found
    ws.give("gold_kinds", _gold_kinds())
    known = {"round": number, "oldest": number - curate.replay_rounds, "golds": limits.golds}
    for name in _SOURCES:
        ws.table(name, _statement(name), known)
    expected = rules(curate, limits)
    for name in _TABLES:
        if name == "golds":
            ws.give("golds_read", _golds_read(ws.arrow(_statement(name), known)))
            ws.table("checked_golds", "FROM golds_read")
        else:
            ws.table(f"checked_{name}", _statement(name), known)
        found += engine.check(f"checked_{name}", [r for r in expected if r.table == name])
        if name not in _USED_AGAIN:
            ws.drop(f"checked_{name}")
    checks = {(c.relation, c.expectation): c for c in found}
    return [checks[rule.relation, rule.says] for rule in expected]


def _statement(name: str) -> str:
    return (catalog.SQL / "quality" / f"{name}.sql").read_text()


def _columns(ws: Workspace) -> str:
    """A SELECT: the columns and types of the relations as they are, beside those of their records."""
    for relation in RELATIONS:
        ws.give(f"expected_{relation}", schemas.placed(schemas.RELATIONS[relation]).empty_table())
    return " UNION ALL ".join(
        f"""SELECT '{r}' AS relation, column_name AS name, found.column_type AS type, record.column_type AS expected
        FROM (DESCRIBE {r}) found FULL JOIN (DESCRIBE expected_{r}) record USING (column_name)"""
        for r in RELATIONS
    )


def _gold_kinds() -> pa.Table:
    """The kinds of gold, as their JSON names them, and the fields that each needs."""
    needs = {
        kind.__name__.lower(): [f.name for f in fields(kind) if f.default is f.default_factory is MISSING]
        for kind in get_args(gold.Gold)
    }
    return pa.table({"kind": list(needs), "needs": list(needs.values())})


def _golds_read(sample: pa.Table) -> pa.Table:
    """Why each gold of a sample cannot be read, empty where it can; the others are looked at in SQL alone."""
    faults = [_fault(text) for text in sample["gold"].to_pylist()]
    return pa.table({"problem_id": sample["problem_id"], "fault": pa.array(faults, pa.string())})


def _fault(text: str) -> str:
    try:
        gold.load(text)
    except ValueError as e:
        return str(e)
    return ""
