"""Manifests: which parts are committed, and the one atomic way to write a file. Not here: what is in the parts.

`manifests/<run>/round-<n>/<stage>.json` is written last and by rename, so a part that no manifest names does not exist.
"""

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from data import migrations
from data.errors import UserError


@dataclass(frozen=True, slots=True)
class Part:
    """One immutable Parquet file. `path` is relative to the home, so that a home can be moved.

    `schema` is the version it was written by (`migrations`), `columns` says which it has (`schemas.columns_id`).
    """

    relation: str
    path: str
    rows: int
    bytes: int
    schema: int = 1
    columns: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One committed stage. `fingerprint` covers settings, inputs and code; `meta` is the stage's own summary."""

    run: str
    round: int
    stage: str
    fingerprint: str
    created: float  # seconds since 1970
    version: str  # of this package
    parts: list[Part]
    meta: dict[str, Any]

    @property
    def rows(self) -> int:
        """Rows over all relations."""
        return sum(p.rows for p in self.parts)


class LedgerError(UserError):
    """The ledger cannot be read or written, in one sentence."""


def path_of(home: Path, run: str, round: int, stage: str) -> Path:
    """Where the manifest of a stage lies."""
    return home / "manifests" / run / f"round-{round}" / f"{stage}.json"


def write(home: Path, manifest: Manifest) -> None:
    """Commit a stage. Raises SchemaError when this code must not write into the home."""
    if (noted := migrations.due(home, package_version())) is not None:
        write_atomic(home / migrations.NOTED, noted)
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False)
    write_atomic(path_of(home, manifest.run, manifest.round, manifest.stage), text.encode())


def read(path: Path) -> Manifest | None:
    """The manifest at `path`, None when there is none. Raises LedgerError when it cannot be understood."""
    try:
        row = json.loads(path.read_bytes())
        return Manifest(**{**row, "parts": [Part(**p) for p in row["parts"]]})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError) as e:
        raise LedgerError(
            f"the manifest {path} is damaged ({e}): delete it and resume the run to redo that stage"
        ) from e


def committed(home: Path, run: str | None = None, rounds: Collection[int] | None = None) -> Iterator[Manifest]:
    """Manifests of the chosen runs and rounds (None: all), by run, round and stage name. Raises SchemaError."""
    migrations.noted(home)
    root = home / "manifests"
    for name in [run] if run else sorted(_entries(root)):
        folders = {int(f.removeprefix("round-")): f for f in _entries(root / name) if f.startswith("round-")}
        for number in sorted(folders):
            if rounds is None or number in rounds:
                folder = root / name / folders[number]
                files = sorted(f for f in _entries(folder) if f.endswith(".json"))
                yield from (m for f in files if (m := read(folder / f)))


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that it is whole or absent, also after a crash. Raises LedgerError and leaves nothing behind."""
    with atomic(path) as f:
        f.write(data)


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A file to write that appears at `path` when the block ends, whole; after an error or a crash it is absent.

    Raises LedgerError when it cannot be written.
    """
    temp = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temp.open("wb") as f:
            yield f
            f.flush()
            os.fsync(f.fileno())
        temp.replace(path)
        sync_folder(path.parent)
    except OSError as e:
        raise unwritable(path, e) from e
    finally:
        with suppress(OSError):
            temp.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unwritable(path: Path, why: OSError | Exception) -> LedgerError:
    """The error of a file that could not be written."""
    reason = why.strerror if isinstance(why, OSError) and why.strerror else str(why)
    return LedgerError(f"cannot write {path}: {reason}; free some space there or point FLYWHEEL_HOME to another disk")


def _entries(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def package_version() -> str:
    """Version of this package, as manifests record it."""
    try:
        return version("flywheel")
    except PackageNotFoundError:  # run from a checkout
        return "checkout"
