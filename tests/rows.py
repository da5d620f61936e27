"""Rows for tests: name the columns that matter, the rest is filled in."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from data import duck, schemas
from data.store import At, Store

_BLANK = {"string": "", "int64": 0, "int32": 0, "double": 0.0, "bool": False}
_USUAL = {"run": "r", "outcome": "correct", "finish": "stop", "split": "train"}


def given(relation: str, *rows: dict[str, Any], part: bool = False) -> pa.Table:
    """A table of that relation with `run` 'r' and `round` 0 (`part`: without them, as a stage writes it)."""
    record = schemas.RELATIONS[relation]
    schema = schemas.schema(record) if part else schemas.placed(record)
    columns = {f.name: [row.get(f.name, _default(f)) for row in rows] for f in schema}
    unknown = {k for row in rows for k in row} - set(columns)
    assert not unknown, f"{relation} has no {unknown}"
    return pa.table(columns, schema=schema)


def ask(text: str, params: dict[str, Any] | None = None, **tables: pa.Table) -> list[dict[str, Any]]:
    """The answer of a SELECT over these tables; every other relation is empty."""
    return duck.query(Path("/nowhere"), [], text, params or {}, tables).to_pylist()


def fill(store: Store, at: At, stage: str, **relations: list[dict[str, Any]]) -> None:
    """Commit a stage that wrote these rows."""
    writer = store.stage(at, stage, "test")
    for relation, rows in relations.items():
        writer.write(relation, "all", given(relation, *rows, part=True))
    writer.commit()


def _default(field: pa.Field) -> Any:
    if field.name in _USUAL:
        return _USUAL[field.name]
    if field.nullable and field.name not in ("run", "round"):
        return None
    return [] if pa.types.is_list(field.type) else _BLANK[str(field.type)]
