"""Ledgers as checksums, so that two can be compared, and one with what it was; and what no reader may ever see.

python -m tests.ledgers HOME     what tests/fixtures/ledger-1.json says of ledger-1.tar.xz, the home of a first version
"""

import hashlib
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa

from data import catalog, duck, manifest, schemas
from data.store import Store

VOLATILE = {"ms", "seconds", "path", "isolation"}  # times, and the folder of the home
KEYS = {
    "problems": "id", "attempts": "id", "verdicts": "attempt_id, verifier, version", "decisions": "attempt_id",
    "step_verdicts": "attempt_id, index", "proposals": "id", "models": "id", "eval_samples": "id, model_id",
    "examples": "dataset_id, attempt_id", "rounds": "challenger_id", "losses": "model_id, step",
}  # fmt: skip


def half_states() -> str:
    """SELECT of the rounds of which a reader sees other rows than the stages that it sees have committed."""
    counts = " UNION ALL ".join(f"SELECT run, round FROM {relation}" for relation in schemas.RELATIONS)
    return f"""
        WITH seen AS (SELECT run, round, count(*) AS rows FROM ({counts}) GROUP BY ALL),
        said AS (SELECT run, round, sum(rows) AS rows FROM stages GROUP BY ALL),
        tried AS (SELECT run, round, count(*) AS attempts FROM attempts GROUP BY ALL),
        judged AS (SELECT run, round, count(*) AS verdicts FROM verdicts GROUP BY ALL)
        SELECT run, round, 'rows' AS what, seen.rows AS seen, said.rows AS said
        FROM seen FULL JOIN said USING (run, round)
        WHERE coalesce(seen.rows, 0) <> coalesce(said.rows, 0)
        UNION ALL
        SELECT run, round, 'verdicts', verdicts, attempts
        FROM judged LEFT JOIN tried USING (run, round) WHERE attempts IS DISTINCT FROM verdicts"""


def look(home: Path) -> None:
    """Read as a user does, live and published; fails when an answer is an error or a half state."""
    assert Store(home).query(half_states()).to_pylist() == []
    if (home / "flywheel.duckdb").exists():
        assert duck.sql(home, half_states()).to_pylist() == []


def assert_whole(home: Path) -> None:
    """Nothing twice, nothing left over, and the published database has what is committed."""
    store = Store(home)
    for relation, key in KEYS.items():
        twice = store.query(f"SELECT run, {key} FROM {relation} GROUP BY ALL HAVING count(*) > 1")
        assert not twice.num_rows, (relation, twice.to_pylist()[:3])
        assert checksum(duck.sql(home, f"FROM {relation}")) == checksum(store.read(relation)), relation
    named = {home / part.path for m in manifest.committed(home) for part in m.parts}
    lying = {f for f in (home / "lake").rglob("*") if f.is_file()}
    assert lying == named, sorted(lying ^ named)[:3]
    assert not [f for f in home.rglob("*") if f.name.endswith((".tmp", ".next", ".wal", ".draft"))]


def tables(home: Path, run: str | None = None, digits: int = 9) -> dict[str, str]:
    """The checksum of every relation (of one run), without what a clock or a folder decides, and of the stages.

    `digits` of floats count; 17 are all.
    """
    store, leave_out = Store(home), VOLATILE | ({"run"} if run else set())
    found = {relation: checksum(store.read(relation, run), leave_out, digits) for relation in schemas.RELATIONS}
    stages = store.query("SELECT round, stage, rows FROM stages", run=run)
    return {**found, "stages": checksum(stages)}


def fixed(value: Any, digits: int) -> Any:
    """A value as text; with few digits, one that no order of summing changes."""
    return f"{value:.{digits}g}" if isinstance(value, float) else value


def checksum(table: pa.Table, leave_out: Collection[str] = (), digits: int = 9) -> str:
    """Of the rows in any order, without these columns."""
    rows = table.select([c for c in table.column_names if c not in leave_out]).to_pylist()
    lines = sorted(
        json.dumps({k: fixed(v, digits) for k, v in row.items()}, sort_keys=True, default=str) for row in rows
    )
    return hashlib.md5("\n".join(lines).encode()).hexdigest()


def described(table: pa.Table, columns: list[str] | None = None) -> dict[str, Any]:
    """Columns, number of rows and checksum."""
    chosen = table.select(columns or table.column_names)
    return {"columns": chosen.column_names, "rows": len(chosen), "checksum": checksum(chosen)}


def main(home: Path) -> None:
    """Print every relation and view of a home."""
    store = Store(home)
    found = {name: described(store.read(name)) for name in schemas.RELATIONS}
    found |= {name: described(store.query(f"FROM {name}")) for name in catalog.views()}
    json.dump(found, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
