"""DuckDB over the committed parts: queries, and the published read-only database. The only file that imports duckdb.

Nothing is ever written into the lake from here. The published file holds views over explicit lists of parts, so it is
built in milliseconds and whoever has it open keeps a consistent snapshot while runs go on writing.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from data import manifest, schemas
from data.errors import UserError
from data.manifest import LedgerError, Manifest, Part

SQL = Path(__file__).parent / "sql"
_PLACE = [("run", pa.string()), ("round", pa.int32()), ("stage", pa.string())]
STAGES = pa.schema(
    [
        *_PLACE,
        ("fingerprint", pa.string()),
        ("created", pa.timestamp("us", "UTC")),
        ("version", pa.string()),
        ("rows", pa.int64()),
        ("meta", pa.string()),  # JSON
    ]
)
TIMINGS = pa.schema(
    [
        *_PLACE,
        ("seconds", pa.float64()),
        ("startup_seconds", pa.float64()),
        ("rows", pa.int64()),
        ("tokens", pa.int64()),
    ]
)


_DISK_FULL = (duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException, duckdb.FatalException)


class QueryError(UserError):
    """A question the database cannot answer."""


def statement(name: str) -> str:
    """The SELECT of data/sql/<name>.sql. Raises LookupError that lists the known names."""
    if name not in files():
        raise LookupError(f"no data/sql/{name}.sql: known are {', '.join(files())}")
    return files()[name]


@cache
def files() -> dict[str, str]:
    """Text of every file in data/sql by its name."""
    return {f.stem: f.read_text() for f in sorted(SQL.glob("*.sql"))}


def query(
    home: Path, manifests: Sequence[Manifest], text: str, params: Mapping[str, Any], tables: Mapping[str, pa.Table]
) -> pa.Table:
    """The result of one SELECT over the parts of these manifests; `tables` add or replace relations."""
    with duckdb.connect() as con:
        for name, table in tables.items():
            con.register(name, table)
        define(con, home, manifests, wanted=_mentioned(text), given=set(tables))
        return _plain(con.sql(text, params=dict(params) or None).to_arrow_table())


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
                define(con, home, list(manifest.committed(home)))
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


def sql(home: Path, text: str) -> pa.Table:
    """Ask the published database, also while runs write. Raises QueryError with what DuckDB says."""
    path = home / "flywheel.duckdb"
    if not path.exists():
        raise QueryError(f"nothing is published in {home} yet: start a run, or set FLYWHEEL_HOME to where one is")
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            result = con.sql(text)
            return _plain(result.to_arrow_table()) if result is not None else pa.table({})
    except duckdb.IOException as e:
        raise QueryError(f"{path} names parts that are gone ({_first_line(e)}): publish it anew by any run") from e
    except duckdb.Error as e:
        raise QueryError(f"DuckDB cannot answer that: {e}") from e


def define(
    con: duckdb.DuckDBPyConnection,
    home: Path,
    manifests: Sequence[Manifest],
    wanted: set[str] | None = None,
    given: set[str] | None = None,
) -> None:
    """Make the relations and the views of data/sql in a database (`wanted`: only these and what they need).

    Names in `given` exist already. Files with `$parameters` are statements, not views, and are left out.
    """
    texts = {n: t for n, t in files().items() if "$" not in t}
    needs = {n: _mentioned(t) - {n} for n, t in texts.items()}
    order = list(TopologicalSorter({n: needs[n] & needs.keys() for n in needs}).static_order())
    if wanted is not None:
        wanted = set(wanted)
        for name in reversed(order):
            wanted |= needs[name] if name in wanted else set()
    skip = given or set()

    def want(name: str) -> bool:
        return name not in skip and (wanted is None or name in wanted)

    for relation in filter(want, schemas.RELATIONS):
        parts = [(m, p) for m in manifests for p in m.parts if p.relation == relation]
        try:
            con.execute(f"CREATE VIEW {relation} AS {_select(home, relation, parts)}")
        except (duckdb.InvalidInputException, duckdb.BinderException) as e:  # not Parquet, or other columns
            raise LedgerError(f"the parts of {relation} cannot be read: {_first_line(e)}") from e
    for name, table in (("stages", _stages(manifests)), ("timings", _timings(manifests))):
        if want(name):
            con.register("_rows", table)
            con.execute(f"CREATE TABLE {name} AS SELECT * FROM _rows")
            con.unregister("_rows")
    for name in filter(want, order):
        con.execute(f"CREATE VIEW {name} AS {texts[name]}")
        con.execute(f"COMMENT ON VIEW {name} IS {_quoted(texts[name].splitlines()[0].removeprefix('-- '))}")


def check(home: Path, part: Part) -> None:
    """Raises LedgerError when a committed part is missing or has another size than its manifest says."""
    try:
        size = (home / part.path).stat().st_size
    except OSError as e:
        raise damaged(home, part, e.strerror or str(e)) from e
    if size != part.bytes:
        raise damaged(home, part, f"{size} bytes, {part.bytes} were committed")


def damaged(home: Path, part: Part, why: str) -> LedgerError:
    """The error of a part that cannot be read."""
    pieces = Path(part.path).parts
    run, number = pieces[-3].removeprefix("run="), pieces[-2].removeprefix("round=")
    return LedgerError(
        f"the part {home / part.path} of {part.relation} is damaged ({why}): restore it from a copy, or delete the "
        f"manifests in {home / 'manifests' / run / f'round-{number}'} that name it and resume the run to redo them"
    )


def _select(home: Path, relation: str, parts: Sequence[tuple[Manifest, Part]]) -> str:
    """SELECT over a list of parts. DuckDB's own partition columns would also read a `run=…` in the path of the home."""
    schema = schemas.placed(schemas.RELATIONS[relation])
    if not parts:
        columns = ", ".join(f'NULL::{_duck_type(f.type)} AS "{f.name}"' for f in schema)
        return f"SELECT {columns} WHERE false"
    for _, part in parts:
        check(home, part)
    names = ", ".join(f'"{name}"' for name in schemas.schema(schemas.RELATIONS[relation]).names)
    place = [f"regexp_extract(filename, '.*/run=([^/]+)/round=([0-9]+)/', {i})" for i in (1, 2)]
    paths = ", ".join(_quoted(re.sub(r"([*?\[])", r"[\1]", str(home / p.path))) for _, p in parts)  # names, not globs
    source = f"read_parquet([{paths}], filename = true, hive_partitioning = false, union_by_name = true)"
    return f"SELECT {names}, {place[0]} AS run, {place[1]}::INTEGER AS round FROM {source}"


def _duck_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return _duck_type(kind.value_type) + "[]"
    names = {"string": "VARCHAR", "int64": "BIGINT", "int32": "INTEGER", "double": "DOUBLE", "bool": "BOOLEAN"}
    return names[str(kind)]


def _stages(manifests: Sequence[Manifest]) -> pa.Table:
    def row(m: Manifest) -> tuple[Any, ...]:
        meta = json.dumps(m.meta, ensure_ascii=False)
        return m.run, m.round, m.stage, m.fingerprint, int(m.created * 1e6), m.version, m.rows, meta

    return _table([row(m) for m in manifests], STAGES)


def _timings(manifests: Sequence[Manifest]) -> pa.Table:
    def row(m: Manifest) -> tuple[Any, ...]:
        numbers = [m.meta.get(k, 0) for k in ("seconds", "startup_seconds", "rows", "tokens")]
        return m.run, m.round, m.stage, *numbers

    return _table([row(m) for m in manifests], TIMINGS)


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    return pa.table([pa.array([r[i] for r in rows], f.type) for i, f in enumerate(schema)], schema=schema)


def _plain(table: pa.Table) -> pa.Table:
    """Sums of integers come as 128-bit decimals from DuckDB; make them integers again where they fit."""
    for i, field in enumerate(table.schema):
        if field.type == pa.decimal128(38, 0):
            with suppress(pa.ArrowInvalid):
                table = table.set_column(i, field.name, table.column(i).cast(pa.int64()))
    return table


def _mentioned(text: str) -> set[str]:
    """Words of an SQL text without its comments: a superset of the relations it reads."""
    return set(re.findall(r"\w+", re.sub(r"--.*", "", text).lower()))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


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
