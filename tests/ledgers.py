"""Ledgers as checksums, so that two can be compared, and one with what it was before.

python -m tests.ledgers HOME     what tests/fixtures/ledger-1.json says of ledger-1.tar.xz, the home of a first version
"""

import hashlib
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa

from data import catalog, schemas
from data.store import Store


def views() -> list[str]:
    """Files of data/sql that are views."""
    return [name for name, text in catalog.files().items() if "$" not in text]


def fixed(value: Any) -> Any:
    """A value as text that no order of summing changes."""
    return f"{value:.9g}" if isinstance(value, float) else value


def checksum(table: pa.Table, leave_out: Collection[str] = ()) -> str:
    """Of the rows in any order, without these columns."""
    rows = table.select([c for c in table.column_names if c not in leave_out]).to_pylist()
    lines = sorted(json.dumps({k: fixed(v) for k, v in row.items()}, sort_keys=True, default=str) for row in rows)
    return hashlib.md5("\n".join(lines).encode()).hexdigest()


def described(table: pa.Table, columns: list[str] | None = None) -> dict[str, Any]:
    """Columns, number of rows and checksum."""
    chosen = table.select(columns or table.column_names)
    return {"columns": chosen.column_names, "rows": len(chosen), "checksum": checksum(chosen)}


def main(home: Path) -> None:
    """Print every relation and view of a home."""
    store = Store(home)
    found = {name: described(store.read(name)) for name in schemas.RELATIONS}
    found |= {name: described(store.query(f"FROM {name}")) for name in views()}
    json.dump(found, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
