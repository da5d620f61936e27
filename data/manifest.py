"""Manifests: which parts are committed, and the one atomic way to write a file. Not here: what is in the parts.

`manifests/<run>/round-<n>/<stage>.json` is written last and by rename, so a part that no manifest names does not exist.
Its last line is a checksum of all before it, so one that was edited, or copied from elsewhere, is refused by name.

What survives a power cut: a file that `atomic` wrote is flushed to the disk before its rename, and so are the rename
and every folder that was made for it, before the call returns. So a manifest never outlives the parts that it names.
This holds as far as the disk keeps what fsync promises.
"""

import fcntl
import glob
import json
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from data import locks, migrations
from data.errors import UserError
from data.ids import content_id

LOCKING_S = 1.0  # a file that was just made may not have its lock yet


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
    sha256: str = ""  # of the file; older manifests do not say


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
    checksum: str = ""  # of the manifest itself; older ones have none

    @property
    def rows(self) -> int:
        """Rows over all relations."""
        return sum(p.rows for p in self.parts)


class LedgerError(UserError):
    """The ledger cannot be read or written, in one sentence."""


_CHECKSUM = b',\n "checksum": "'
LOCK = "flywheel.lock"


def path_of(home: Path, run: str, round: int, stage: str) -> Path:
    """Where the manifest of a stage lies."""
    return home / "manifests" / run / f"round-{round}" / f"{stage}.json"


def locks_of(home: Path, run: str) -> tuple[Path, Path]:
    """The lock that is held while a stage of the run is written, and that of the one process that works on the run."""
    return home / "manifests" / run / LOCK, home / run / LOCK


def prefix(run: str, round: int, stage: str, fingerprint: str) -> str:
    """What the names of a stage's parts begin with."""
    return f"part-{content_id(run, round, stage, fingerprint)}-"


def write(home: Path, manifest: Manifest) -> None:
    """Commit a stage. Raises SchemaError when this code must not write into the home."""
    if (noted := migrations.due(home, package_version())) is not None:
        write_atomic(home / migrations.NOTED, noted)
    row = {k: v for k, v in asdict(manifest).items() if k != "checksum"}
    body = json.dumps(row, indent=1, ensure_ascii=False).removesuffix("\n}").encode()
    whole = body + _CHECKSUM + sha256(body).hexdigest().encode() + b'"\n}'
    write_atomic(path_of(home, manifest.run, manifest.round, manifest.stage), whole)


def read(path: Path) -> Manifest | None:
    """The manifest at `path`, None when there is none. Raises LedgerError when it is not as it was committed."""
    try:
        data = path.read_bytes()
        row = json.loads(data)
        found = Manifest(**{**row, "parts": [Part(**p) for p in row["parts"]]})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as e:
        raise _refused(path, str(e)) from e
    if not _genuine(found, data):
        raise _refused(path, "it was changed after it was committed")
    if (*path.parts[-3:],) != (found.run, f"round-{found.round}", f"{found.stage}.json"):
        raise _refused(path, f"it is that of stage {found.stage} of {found.run}, round {found.round}")
    return found


def _genuine(found: Manifest, data: bytes) -> bool:
    """Whether it ends in the checksum of what stands before. Older ones have none, and none of their parts has."""
    body, mark, checksum = data.rpartition(_CHECKSUM)
    if not mark:
        return not found.checksum and not any(p.sha256 for p in found.parts)
    return checksum.strip(b'"}\n') == sha256(body).hexdigest().encode()


def _refused(path: Path, why: str) -> LedgerError:
    return LedgerError(
        f"the manifest {path} is damaged ({why}): restore it from a copy, or let `flywheel verify-store --repair` "
        "set it aside and resume the run, which does that stage again"
    )


def committed(home: Path, run: str | None = None, rounds: Collection[int] | None = None) -> Iterator[Manifest]:
    """Manifests of the chosen runs and rounds (None: all), by run, round and stage name. Raises SchemaError."""
    migrations.noted(home)
    yield from (m for path in paths(home, run, rounds) if (m := read(path)))


def paths(home: Path, run: str | None = None, rounds: Collection[int] | None = None) -> Iterator[Path]:
    """The manifests of the chosen runs and rounds (None: all), unread, by run, round and stage name."""
    root = home / "manifests"
    for name in [run] if run else sorted(_entries(root)):
        folders = {int(f[6:]): f for f in _entries(root / name) if re.fullmatch("round-(0|[1-9][0-9]*)", f)}
        for number in sorted(folders):
            if rounds is None or number in rounds:
                folder = root / name / folders[number]
                yield from (folder / f for f in sorted(_entries(folder)) if re.fullmatch(r"[^.].*\.json", f))


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that it is whole or absent, also after a crash. Raises LedgerError and leaves nothing behind."""
    with atomic(path) as f:
        f.write(data)


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A file to write that appears at `path` when the block ends, whole; after an error or a crash it is absent.

    Who writes it again clears away what a killed process has left. Raises LedgerError when it cannot be written.
    """
    temp = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        make_folder(path.parent)
        with temp.open("wb") as f:
            fcntl.flock(f, fcntl.LOCK_SH)  # one without a lock was left by a dead process
            _clear(path)
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


def _clear(path: Path) -> None:
    """Delete what killed processes have left of this file, half-written."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LOCKING_S and not locks.busy(left):
                left.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder with its parents, so that they survive a power cut. Raises OSError."""
    made = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in made:
        sync_folder(path.parent)


def sync_files(folder: Path) -> None:
    """Flush every file and folder below `folder` to the disk: before a rename that says they are complete."""
    for path in (folder, *folder.rglob("*")):
        sync_folder(path)


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
