"""The store: immutable Parquet parts, stages committed by their manifest. Not here: SQL (`duck.py`) and Prefect.

    stage = store.stage(at, "generate", fingerprint)
    if not stage.done:
        for key, rows in work_left(stage.partial("attempts")):
            stage.write("attempts", key, rows)
        stage.commit({"tokens": 12})

Killed anywhere, the same calls continue: parts already written are kept, nothing is visible before `commit`. What was
committed survives a power cut (`manifest.py`), and damage to it is found (`integrity.py`).
One process at a time may write a stage; any number may read.
"""

import os
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from data import catalog, duck, locks, manifest, migrations, parts, schemas
from data.ids import content_id
from data.manifest import LedgerError, Manifest, Part

QUARANTINE = "quarantine"
DEVICE = "device"  # the folder that says whose turn it is on the device
SETTINGS, SUMMARY = "settings.json", "summary.json"  # in the folder of a run, written at its start and its end
RESERVED = ("lake", "manifests", "flywheel.duckdb", "flywheel.lock", migrations.NOTED, QUARANTINE, DEVICE)


@dataclass(frozen=True, slots=True)
class At:
    """Where in a run we are, and the run's random seed."""

    run: str
    round: int
    seed: int


def home() -> Path:
    """Folder of the run artefacts: `$FLYWHEEL_HOME`, else `runs` beside the `data` package."""
    given = os.environ.get("FLYWHEEL_HOME")
    return Path(given).expanduser().absolute() if given else Path(__file__).parents[1] / "runs"


class Store:
    """The ledger under one home folder. Cheap to make; holds no open files."""

    def __init__(self, home: Path) -> None:
        self.home = Path(home).absolute()

    def run_dir(self, run: str) -> Path:
        """Folder for the files of a run that are not rows (models, settings, summary); made when missing."""
        path = self.home / _checked("run", run)
        try:
            manifest.make_folder(path)
        except OSError as e:
            raise manifest.unwritable(path, e) from e
        return path

    def stage(self, at: At, name: str, fingerprint: str) -> "Stage":
        """The writer of one stage; `done` when it is committed with this fingerprint."""
        return Stage(self, at, name, fingerprint)

    def read(self, relation: str, run: str | None = None, rounds: Collection[int] | None = None) -> pa.Table:
        """Committed rows with `run` and `round`, ordered by run, round, stage and part. Raises LedgerError."""
        record = _record(relation)
        tables = [schemas.placed(record).empty_table()]
        for m in manifest.committed(self.home, run, rounds):
            for part in m.parts:
                if part.relation == relation:
                    table = _read_part(self.home, part)
                    place = pa.repeat(m.run, part.rows), pa.repeat(pa.scalar(m.round, pa.int32()), part.rows)
                    tables.append(pa.table([*table.columns, *place], schema=schemas.placed(record)))
        return pa.concat_tables(tables)

    def inputs(self, run: str, rounds: Collection[int], relations: Collection[str]) -> list[tuple[int, str, str]]:
        """(round, stage, fingerprint) of the committed stages that wrote these relations: goes into a fingerprint."""
        found = manifest.committed(self.home, run, rounds)
        return [(m.round, m.stage, m.fingerprint) for m in found if any(p.relation in relations for p in m.parts)]

    def query(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        *,
        run: str | None = None,
        rounds: Collection[int] | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """The result of one SELECT over the committed rows of the chosen runs and rounds (None: all).

        `sql` may use every relation, every file of data/sql by its name and `$name` parameters; `tables` adds
        relations, or replaces committed ones. Raises LedgerError when a part is missing.
        """
        manifests = list(manifest.committed(self.home, run, rounds))
        return duck.query(self.home, manifests, sql, params or {}, tables or {})

    def workspace(
        self, run: str | None = None, rounds: Collection[int] | None = None, memory_gib: float = 0
    ) -> "AbstractContextManager[duck.Workspace]":  # quoted, else Prefect keeps it and DuckDB lists leaks at exit
        """Room for a stage's own tables beside the committed rows of the chosen runs and rounds (None: all)."""
        return duck.workspace(self.home, list(manifest.committed(self.home, run, rounds)), memory_gib)

    def publish(self) -> Path:
        """Rebuild `flywheel.duckdb` and swap it in. Several processes may publish at the same time."""
        return duck.publish(self.home)


class Stage:
    """The writer of one stage of one round. Attributes: `done`; `meta`, what was committed (empty before)."""

    def __init__(self, store: Store, at: At, name: str, fingerprint: str) -> None:
        self.at, self.name, self.fingerprint = at, _checked("stage", name), fingerprint
        self._home, self._opened = store.home, time.monotonic()
        _checked("run", at.run)
        self._prefix = manifest.prefix(at.run, at.round, name, fingerprint)
        found = manifest.read(manifest.path_of(self._home, at.run, at.round, name))
        self.done = found is not None and found.fingerprint == fingerprint
        self.meta: dict[str, Any] = dict(found.meta) if found and self.done else {}
        self._digests: dict[Path, str] = {}
        self._held = None if self.done else self._hold()  # before it is looked at which parts there are
        self._spent = 0.0 if self.done else max((_spent(p) for p in self._files("*")), default=0.0)

    def has(self, relation: str, key: str) -> bool:
        """Whether this part was written, now or before a crash."""
        return self._path(relation, key).exists()

    def write(self, relation: str, key: str, rows: Sequence[Any] | pa.Table | pa.RecordBatchReader) -> None:
        """Write one part, whole or not at all; a part that exists is left alone. Raises LedgerError.

        A table or a stream of batches may have further columns and lack those that have a default.
        """
        if self.done:
            raise ValueError(
                f"stage {self.name} of {self.at.run}, round {self.at.round} is committed and cannot change"
            )
        path, record = self._path(relation, key), _record(relation)
        if path.exists():
            return
        tables = _tables(rows, record)
        self._digests[path] = parts.write(path, tables, record, self.name, self.fingerprint, self._seconds())

    def adopt(self, part: Part) -> None:
        """Take a committed part of another stage as one of this stage: a second name of the same file, never a change.

        Where the disk knows no such names it is copied. Raises LedgerError.
        """
        source, path = self._home / part.path, self._path(part.relation, part.path)
        if path.exists():
            return
        catalog.check(self._home, part)
        try:
            manifest.make_folder(path.parent)
            os.link(source, path)
            manifest.sync_folder(path.parent)
        except OSError:
            manifest.write_atomic(path, source.read_bytes())

    def partial(self, relation: str) -> pa.Table:
        """Rows of this stage's parts so far, without `run` and `round`: where a killed stage continues."""
        tables = [parts.read_uncommitted(f, relation) for f in self._files(relation)]
        return pa.concat_tables([schemas.schema(_record(relation)).empty_table(), *tables])

    def commit(self, meta: Mapping[str, Any] | None = None) -> None:
        """Make the stage's parts visible, all at once. Adds `seconds` (crashed tries included) to its meta."""
        if self.done:
            return
        written = [parts.described(self._home, f, self._digests.get(f)) for f in self._files("*")]
        rows = sum(p.rows for p in written)
        self.meta = {"rows": rows, "seconds": round(self._seconds(), 3), **(meta or {})}
        for leftover in self._leftovers():
            leftover.unlink(missing_ok=True)
        place = self.at.run, self.at.round, self.name
        done = Manifest(*place, self.fingerprint, time.time(), manifest.package_version(), written, self.meta)
        manifest.write(self._home, done)
        self.done = True
        if self._held:
            self._held.close()

    def _hold(self) -> locks.Held:
        """What tells whoever clears up that this stage is being written."""
        lock, _ = manifest.locks_of(self._home, self.at.run)
        try:
            manifest.make_folder(lock.parent)
            return locks.Held(lock)
        except OSError as e:
            raise manifest.unwritable(lock, e) from e

    def _seconds(self) -> float:
        return self._spent + time.monotonic() - self._opened

    def _folder(self, relation: str) -> Path:
        return self._home / "lake" / relation / f"run={self.at.run}" / f"round={self.at.round}"

    def _path(self, relation: str, key: str) -> Path:
        return self._folder(relation) / f"{self._prefix}{content_id(relation, key)}.parquet"

    def _files(self, relation: str) -> list[Path]:
        relations = schemas.RELATIONS if relation == "*" else [relation]
        return [f for r in sorted(relations) for f in sorted(self._folder(r).glob(f"{self._prefix}*.parquet"))]

    def _leftovers(self) -> list[Path]:
        """Temporary files of tries that were killed."""
        manifests = manifest.path_of(self._home, self.at.run, self.at.round, self.name).parent
        found = [f for r in schemas.RELATIONS for f in self._folder(r).glob(f".{self._prefix}*.tmp")]
        return [*found, *manifests.glob(f".{self.name}.json.*.tmp")]


def _tables(rows: Sequence[Any] | pa.Table | pa.RecordBatchReader, record: type) -> Iterator[pa.Table]:
    if isinstance(rows, pa.RecordBatchReader):
        yield from (schemas.conform(pa.Table.from_batches([batch]), record) for batch in rows)
    else:
        yield schemas.conform(rows, record) if isinstance(rows, pa.Table) else schemas.to_table(rows, record)


def _record(relation: str) -> type:
    if relation not in schemas.RELATIONS:
        raise LookupError(f"no relation {relation!r}: known are {', '.join(schemas.RELATIONS)}")
    return schemas.RELATIONS[relation]


def _checked(what: str, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name) or (what == "run" and name in RESERVED):
        rule = "letters, digits, '.', '_' and '-', at most 100, beginning with a letter or digit"
        raise LedgerError(f"{name!r} cannot name a {what}: use {rule}, and not {', '.join(RESERVED)}")
    return name


def _read_part(home: Path, part: Part) -> pa.Table:
    catalog.check(home, part)
    try:
        return parts.read(home / part.path, part.relation, part.schema)
    except (OSError, pa.ArrowException, ValueError) as e:
        raise catalog.damaged(home, part, str(e)) from e


def _spent(path: Path) -> float:
    return float(parts.notes(path).get("spent", 0))
