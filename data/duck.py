"""DuckDB over the committed parts: queries, workspaces, and the published database. The only file that imports duckdb.

Nothing is ever written into the lake from here. The published file holds views over explicit lists of parts, so it is
built in milliseconds and whoever has it open keeps a consistent snapshot while runs go on writing. Not here: which
relations and views there are (`catalog.py`).
"""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa

from data import catalog, locks, manifest, meanings
from data.errors import UserError
from data.manifest import LedgerError, Manifest

_DISK_FULL = (duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException, duckdb.FatalException)


class QueryError(UserError):
    """A question the database cannot answer."""


def query(
    home: Path, manifests: Sequence[Manifest], text: str, params: Mapping[str, Any], tables: Mapping[str, pa.Table]
) -> pa.Table:
    """The result of one SELECT over the parts of these manifests; `tables` add or replace relations."""
    with duckdb.connect() as con:
        for name, table in tables.items():
            con.register(name, table)
        _define(con, home, manifests, wanted=catalog.mentioned(text), given=set(tables))
        return _plain(con.sql(text, params=_mentioned(text, params)).to_arrow_table())


class Workspace:
    """What one stage works on: every committed relation and view, and temporary tables of its own.

    Tables that do not fit in memory spill to a folder beside the ledger. `params` may hold more than a text mentions.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.connection = con

    def give(self, name: str, rows: pa.Table) -> None:
        """Add a relation, or put it in the place of the committed one (views keep that)."""
        self.connection.register(name, rows)

    def table(self, name: str, text: str, params: Mapping[str, Any] | None = None) -> int:
        """Keep the result of a SELECT as a temporary table, in the place of an older one; returns its rows."""
        created = f"CREATE OR REPLACE TEMP TABLE {name} AS {text}"
        rows: int = self.connection.execute(created, _mentioned(text, params or {})).fetchall()[0][0]
        return rows

    def view(self, name: str, text: str) -> None:
        """Give a SELECT without parameters a name."""
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {text}")

    def drop(self, name: str) -> None:
        """Forget a temporary table and free its memory."""
        self.connection.execute(f"DROP TABLE IF EXISTS temp.{name}")

    def arrow(self, text: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """The result of a SELECT, whole."""
        return _plain(self.connection.sql(text, params=_mentioned(text, params or {})).to_arrow_table())

    def value(self, text: str, params: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row; None without rows."""
        rows = self.connection.execute(f"FROM (\n{text}\n) LIMIT 1", _mentioned(text, params or {})).fetchall()
        return rows[0][0] if rows else None

    def stream(self, text: str, params: Mapping[str, Any] | None = None, batch: int = 50_000) -> pa.RecordBatchReader:
        """The result of a SELECT in batches of rows; read it to its end before the next call."""
        return self.connection.sql(text, params=_mentioned(text, params or {})).to_arrow_reader(batch)


@contextmanager
def workspace(home: Path, manifests: Sequence[Manifest], memory_gib: float = 0) -> Iterator[Workspace]:
    """A workspace over the parts of these manifests. `memory_gib`: what DuckDB may take; 0: half of the machine's.

    What one that was killed has spilled is removed.
    Raises LedgerError when the disk that it spills to is full.
    """
    spill = home / f".spill-{uuid4().hex[:8]}"
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**31
    lock = spill.with_name(spill.name + ".lock")
    held = None
    _clear(home)
    with suppress(OSError):  # of a home that is not there, or read-only: nothing can spill into it either
        held = locks.Held(lock)
    try:
        with duckdb.connect(
            config={"temp_directory": str(spill), "memory_limit": f"{memory_gib or half:.3f}GiB"}
        ) as con:
            con.execute("SET parquet_metadata_cache = true")
            _define(con, home, manifests)
            yield Workspace(con)
    except _DISK_FULL as e:
        raise manifest.unwritable(spill, e) from e
    finally:
        shutil.rmtree(spill, ignore_errors=True)
        if held:
            lock.unlink(missing_ok=True)
            held.close()


def _clear(home: Path) -> None:
    """Remove what no living process spills."""
    for lock in home.glob(".spill-*.lock"):
        with suppress(OSError), locks.alone(lock) as free:
            if free:
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink()


@contextmanager
def scratch(tables: Mapping[str, pa.Table]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that holds these tables and nothing else."""
    with duckdb.connect() as con:
        for name, table in tables.items():
            con.register("_rows", table)
            con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM _rows')
            con.unregister("_rows")
        yield con


def publish(home: Path) -> Path:
    """Build `flywheel.duckdb` of all that is committed and swap it in by rename. Raises LedgerError."""
    target, beside = home / "flywheel.duckdb", home / "flywheel.duckdb.next"
    try:
        with _locked(home):
            _remove(beside)
            with duckdb.connect(str(beside)) as con:
                con.execute("SET parquet_metadata_cache = true")  # every view that is made opens the parts again
                con.execute("BEGIN")
                _define(con, home, list(manifest.committed(home)))
                meanings.comment(con)
                con.execute("COMMIT")
                con.execute("CHECKPOINT")  # else a .wal stays behind that the rename would lose
            with beside.open("rb") as f:
                os.fsync(f.fileno())
            beside.replace(target)
            manifest.sync_folder(home)
    except (OSError, *_DISK_FULL) as e:
        with suppress(OSError):
            _remove(beside)
        raise manifest.unwritable(target, e) from e
    return target


def described() -> pa.Table:
    """One row per column of every relation, view and macro: relation, kind, grain, column, type, meaning."""
    with duckdb.connect() as con:
        catalog.define(con, Path(), [])
        return pa.Table.from_pylist(meanings.described(con))


@contextmanager
def published(home: Path) -> Iterator[Callable[[str], pa.Table]]:
    """Ask the published database one thing after another, also while runs write: all answers are of one moment.

    Raises QueryError with what DuckDB says.
    """
    path = home / "flywheel.duckdb"
    if not path.exists():
        raise QueryError(f"nothing is published in {home} yet: start a run, or set FLYWHEEL_HOME to where one is")
    try:
        with duckdb.connect(str(path), read_only=True) as con:

            def ask(text: str) -> pa.Table:
                result = con.sql(text)
                return _plain(result.to_arrow_table()) if result is not None else pa.table({})

            yield ask
    except duckdb.IOException as e:
        raise QueryError(
            f"{path} names parts that are gone ({_first_line(e)}): `flywheel verify-store --repair` publishes it anew"
        ) from e
    except duckdb.Error as e:
        why = f"{e}; {path} was published by an earlier flywheel: any run publishes it anew" if _lacks(path, e) else e
        raise QueryError(f"DuckDB cannot answer that: {why}") from e


def sql(home: Path, text: str) -> pa.Table:
    """Ask the published database once. Raises QueryError with what DuckDB says."""
    with published(home) as ask:
        return ask(text)


def _lacks(path: Path, error: duckdb.Error) -> bool:
    """Whether a name may be unknown because the database was published before this code knew it."""
    if not isinstance(error, (duckdb.CatalogException, duckdb.BinderException)):
        return False
    names = """
        SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal
        UNION ALL SELECT function_name, '' FROM duckdb_functions() WHERE NOT internal"""
    with duckdb.connect() as fresh, duckdb.connect(str(path), read_only=True) as published:
        catalog.define(fresh, Path(), [])
        return not set(fresh.execute(names).fetchall()) <= set(published.execute(names).fetchall())


def _plain(table: pa.Table) -> pa.Table:
    """Sums of integers come as 128-bit decimals from DuckDB; make them integers again where they fit."""
    for i, field in enumerate(table.schema):
        if field.type == pa.decimal128(38, 0):
            with suppress(pa.ArrowInvalid):
                table = table.set_column(i, field.name, table.column(i).cast(pa.int64()))
    return table


def _define(con: duckdb.DuckDBPyConnection, home: Path, manifests: Sequence[Manifest], **which: set[str]) -> None:
    try:
        catalog.define(con, home, manifests, **which)
    except (duckdb.InvalidInputException, duckdb.BinderException) as e:  # not Parquet, or other columns
        raise LedgerError(f"the ledger in {home} cannot be read: {_first_line(e)}") from e


def _mentioned(text: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
    return {k: v for k, v in params.items() if re.search(rf"\${k}\b", text)} or None


def _remove(database: Path) -> None:
    for path in (database, database.with_name(database.name + ".wal")):
        path.unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One publisher at a time; the lock goes with the process, also with a killed one."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "flywheel.lock").open("w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield
