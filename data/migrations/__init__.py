"""Schema migrations: numbered files, one SELECT per relation that turns rows of the version before into its own.

    0007_seconds_become_ms.sql
        -- what changes, and why
        -- relation: verdicts
        SELECT * EXCLUDE (seconds), seconds * 1000 AS ms FROM old

Parts never change, so nothing is ever rewritten: each states the version it was written by, and a reader applies the
later SELECTs in order. Such a SELECT sees the relation's own rows only, as `old`, and passes on what it does not name.
A field with a default that a record gains needs no file: readers fill it in. The home notes, in NOTED, which files have
been in force there and their checksums; a file never changes once it is released.
Not here: running SQL (`duck.py`), and files of the home (`manifest.py`).
"""

import json
import re
import time
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from data.errors import UserError

FOLDER = Path(__file__).parent
NOTED = "migrations.json"


class SchemaError(UserError):
    """A home that this code must not read or write."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `selects`: its SELECT of each relation that it changes."""

    number: int
    name: str
    checksum: str  # sha256 of the file
    selects: dict[str, str]


def known() -> list[Migration]:
    """Every migration of this code, in order; they are numbered from 1 without a gap."""
    return _read(FOLDER)


def version() -> int:
    """The schema version of what this code writes."""
    return known()[-1].number


def upgraded(relation: str, written: int, rows: str) -> str:
    """`rows`, a SELECT of rows of version `written`, as a SELECT of rows of this version; itself when nothing changed.

    Raises SchemaError when the version is a later one.
    """
    if written > version():
        raise SchemaError(f"there are {relation} of schema version {written}: {_newer()}")
    for migration in known()[written:]:
        if relation in migration.selects:
            rows = f"WITH old AS ({rows}) SELECT * FROM ({migration.selects[relation]})"
    return rows


def noted(home: Path) -> list[dict[str, Any]]:
    """What was in force in this home: number, name, checksum, created (seconds since 1970), version of the package.

    Empty for a home without the file. Raises SchemaError when it is newer than this code, or when a file has changed.
    """
    try:
        rows: list[dict[str, Any]] = json.loads((home / NOTED).read_bytes())
        found = sorted((int(row["number"]), str(row["name"]), str(row["checksum"])) for row in rows)
        last = found[-1][0]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (ValueError, TypeError, LookupError) as e:
        raise SchemaError(f"{home / NOTED} is damaged ({e}): delete it, and the next run writes it anew") from e
    ours = {m.number: m for m in known()}
    for number, name, checksum in found:
        if number not in ours:
            raise SchemaError(f"the ledger in {home} has schema version {last}: {_newer()}")
        if (ours[number].name, ours[number].checksum) != (name, checksum):
            raise SchemaError(
                f"the migration {FOLDER / ours[number].name} is not the {name} that was in force in {home}: "
                "restore that file; a change of the schema is a further file"
            )
    return rows


def due(home: Path, package: str) -> bytes | None:
    """What NOTED must hold before this code writes into the home; None when it does. Raises SchemaError."""
    rows = noted(home)
    new = [
        {"number": m.number, "name": m.name, "checksum": m.checksum, "created": time.time(), "version": package}
        for m in known()
        if m.number not in {row["number"] for row in rows}
    ]
    return json.dumps([*rows, *new], indent=1).encode() if new else None


def _newer() -> str:
    return (
        f"a newer flywheel wrote it than this one, which knows {version()}: update it, or set FLYWHEEL_HOME to another"
    )


@cache
def _read(folder: Path) -> list[Migration]:
    found = [_parsed(path) for path in sorted(folder.glob("[0-9]*.sql"))]
    assert [m.number for m in found] == list(range(1, len(found) + 1)), f"{folder}: numbers with a gap, or used twice"
    return found


def _parsed(path: Path) -> Migration:
    text = path.read_text(encoding="utf-8")
    _, *sections = re.split(r"^-- relation: (\w+)\n", text, flags=re.MULTILINE)
    selects = dict(zip(sections[::2], sections[1::2], strict=True))
    assert len(selects) * 2 == len(sections), f"{path} changes a relation twice"
    return Migration(int(path.name.partition("_")[0]), path.name, sha256(text.encode()).hexdigest(), selects)
