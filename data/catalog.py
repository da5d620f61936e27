"""The catalog: every relation and view of the ledger, made in a DuckDB connection over explicit lists of parts.

Relations come from `schemas.py`, views from data/sql/*.sql (one SELECT a file, its name the view's, line 1 its grain),
macros from data/sql/macros/*.sql (one a file, line 1 its signature).
Not here: connections, and DuckDB itself (`duck.py`), and what columns mean (`meanings.py`).
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pyarrow as pa

from data import migrations, schemas
from data.manifest import LedgerError, Manifest, Part

SQL = Path(__file__).parent / "sql"
_PLACE = [
    ("run", pa.string()),
    ("round", pa.int32()),
    ("stage", pa.string()),  # what was done: generate, verify, curate, ...
]
SCHEMA_MIGRATIONS = pa.schema(
    [
        ("number", pa.int64()),  # schema version that it leads to
        ("name", pa.string()),  # of its file in data/migrations
        ("checksum", pa.string()),  # sha256 of the file
        ("created", pa.timestamp("us", "UTC")),  # when it was first in force in this home
        ("version", pa.string()),  # of this package
    ]
)
STAGES = pa.schema(
    [
        *_PLACE,
        ("fingerprint", pa.string()),  # hash of settings, inputs and code version
        ("created", pa.timestamp("us", "UTC")),  # when it was committed
        ("version", pa.string()),  # of this package
        ("rows", pa.int64()),  # rows committed, over all relations
        ("meta", pa.string()),  # the stage's own summary, as JSON
    ]
)
TIMINGS = pa.schema(
    [
        *_PLACE,
        ("seconds", pa.float64()),  # duration in seconds, killed tries included
        ("startup_seconds", pa.float64()),  # of these, seconds in which engines and libraries started
        ("rows", pa.int64()),  # rows that the stage counts as its work
        ("tokens", pa.int64()),  # tokens written or read by a model; 0 where none were
    ]
)
LAKE_PARTS = pa.schema(
    [
        ("filename", pa.string()),  # path of the file
        ("run", pa.string()),
        ("round", pa.int32()),
    ]
)
TABLES = {
    "lake_parts": LAKE_PARTS,  # one row per committed file of rows
    "stages": STAGES,  # one row per run, round and committed stage
    "timings": TIMINGS,  # one row per run, round and committed stage
    "schema_migrations": SCHEMA_MIGRATIONS,  # one row per migration that has been in force in this home
}


def statement(name: str) -> str:
    """The SELECT of data/sql/<name>.sql. Raises LookupError that lists the known names."""
    if name not in files():
        raise LookupError(f"no data/sql/{name}.sql: known are {', '.join(files())}")
    return files()[name]


def steps(folder: Path) -> tuple[tuple[str, str], ...]:
    """Name and SELECT of tables that are made one after another: the files <n>_<name>.sql of a folder, by n."""
    numbered = sorted(folder.glob("*.sql"), key=lambda f: int(f.stem.partition("_")[0]))
    return tuple((f.stem.partition("_")[2], f.read_text()) for f in numbered)


@cache
def files() -> dict[str, str]:
    """Text of every file in data/sql by its name."""
    return {f.stem: f.read_text() for f in sorted(SQL.glob("*.sql"))}


@cache
def views() -> dict[str, str]:
    """Text of every view by its name, after those it reads. Files with `$parameters` are statements, not views."""
    return _ordered({n: t for n, t in files().items() if "$" not in t})


@cache
def macros() -> dict[str, str]:
    """Text of every macro by its name, after those it uses. A view may have the same name."""
    return _ordered({f.stem: f.read_text() for f in sorted((SQL / "macros").glob("*.sql"))})


@cache
def tour() -> list[str]:
    """Text of every question of data/sql/tour, in order; it begins with `-- question:` and `-- look:` (at what)."""
    return [f.read_text() for f in sorted((SQL / "tour").glob("*.sql"))]


@cache
def report() -> dict[str, str]:
    """Text of every query of data/sql/report by its name; what is shown of a run is what they answer."""
    return {f.stem: f.read_text() for f in sorted((SQL / "report").glob("*.sql"))}


def define(
    con: Any,
    home: Path,
    manifests: Sequence[Manifest],
    wanted: set[str] | None = None,
    given: set[str] | None = None,
) -> None:
    """Make the relations, views and macros of data/sql in a database (`wanted`: only these and what they need).

    Names in `given` exist already, as relations.
    """
    texts = views()
    if wanted is not None:
        wanted = set(wanted)
        for name, text in [*reversed(macros().items()), *reversed(texts.items())]:
            wanted |= mentioned(text) if name in wanted else set()
    skip = given or set()

    def want(name: str) -> bool:
        return name not in skip and (wanted is None or name in wanted)

    _make(con, "lake_parts", _parts(home, manifests))
    for relation in filter(want, schemas.RELATIONS):
        parts = [(m, p) for m in manifests for p in m.parts if p.relation == relation]
        con.execute(f"CREATE VIEW {relation} AS {_select(home, relation, parts)}")
    tables = {"stages": _stages(manifests), "timings": _timings(manifests), "schema_migrations": _migrations(home)}
    for name, table in tables.items():
        if want(name):
            _make(con, name, table)
    for name in filter(want, texts):
        con.execute(f"CREATE VIEW {name} AS {texts[name]}")
    for name, text in macros().items():
        if wanted is None or name in wanted:
            head, body = text.split("\n", 1)
            table = "TABLE" if body.startswith("-- grain: ") else ""
            con.execute(f"CREATE MACRO {head.removeprefix('-- macro: ')} AS {table} {body}")


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
    return LedgerError(
        f"the part {home / part.path} of {part.relation} is damaged ({why}): restore it from a copy, or let "
        "`flywheel verify-store --repair` set it aside and resume the run, which writes it again"
    )


def _select(home: Path, relation: str, parts: Sequence[tuple[Manifest, Part]]) -> str:
    """SELECT over a list of parts; those of an earlier schema come as rows of this one."""
    record = schemas.RELATIONS[relation]
    names = ", ".join(f'"{name}"' for name in schemas.placed(record).names)
    empty = ", ".join(f'NULL::{_duck_type(f.type)} AS "{f.name}"' for f in schemas.placed(record))
    fields = {f.name: _literal(schemas.default(record, f.name)) for f in schemas.placed(record)}
    padded = ", ".join(f'coalesce("{n}", {value}) AS "{n}"' if value else f'"{n}"' for n, value in fields.items())
    groups: dict[tuple[int, bool], list[Part]] = {}
    for _, part in parts:
        check(home, part)
        groups.setdefault((part.schema, part.columns == schemas.columns_id(record)), []).append(part)
    selects = []
    for (version, same_columns), group in sorted(groups.items()):
        rows = _rows(home, group, mixed=not same_columns)
        upgraded = migrations.upgraded(relation, version, rows)
        if same_columns and upgraded == rows:
            selects.append(f"SELECT {names} FROM ({rows})")
        else:
            selects.append(f"SELECT {padded} FROM (SELECT {empty} WHERE false UNION ALL BY NAME FROM ({upgraded}))")
    return " UNION ALL ".join(selects) or f"SELECT {empty} WHERE false"


def _rows(home: Path, parts: Sequence[Part], mixed: bool) -> str:
    """SELECT over parts as they are; only where their columns are `mixed` must each be opened to know them.

    Where a row belongs comes from a join. DuckDB 2.0 forgets which files a filter has chosen when it copies a scan (for
    `count(*) OVER (PARTITION BY …)`), and rows of other runs come back: so no filter may be about file names alone, as
    one on a column made of them is. Its own partition columns would also read a `run=…` in the path of the home.
    """
    paths = ", ".join(quoted(re.sub(r"([*?\[])", r"[\1]", str(home / p.path))) for p in parts)  # names, not globs
    source = f"read_parquet([{paths}], filename = true, hive_partitioning = false, union_by_name = {mixed})"
    return f"SELECT r.* EXCLUDE (filename), run, round FROM {source} r JOIN lake_parts USING (filename)"


def _literal(value: Any) -> str:
    """A field's default in SQL; empty when it has none, or None."""
    if value is None:
        return ""
    return quoted(value) if isinstance(value, str) else str(value)


def _duck_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return _duck_type(kind.value_type) + "[]"
    names = {"string": "VARCHAR", "int64": "BIGINT", "int32": "INTEGER", "double": "DOUBLE", "bool": "BOOLEAN"}
    return names[str(kind)]


def _make(con: Any, name: str, table: pa.Table) -> None:
    con.register("_rows", table)
    con.execute(f"CREATE TABLE {name} AS SELECT * FROM _rows")
    con.unregister("_rows")


def _parts(home: Path, manifests: Sequence[Manifest]) -> pa.Table:
    places = {str(home / p.path): (m.run, m.round) for m in manifests for p in m.parts}
    return _table([(name, *place) for name, place in places.items()], LAKE_PARTS)


def _migrations(home: Path) -> pa.Table:
    def row(m: dict[str, Any]) -> tuple[Any, ...]:
        return m["number"], m["name"], m["checksum"], int(m["created"] * 1e6), m["version"]

    return _table([row(m) for m in migrations.noted(home)], SCHEMA_MIGRATIONS)


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


def _ordered(texts: dict[str, str]) -> dict[str, str]:
    needs = {name: (mentioned(text) - {name}) & texts.keys() for name, text in texts.items()}
    return {name: texts[name] for name in TopologicalSorter(needs).static_order()}


def _table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    return pa.table([pa.array([r[i] for r in rows], f.type) for i, f in enumerate(schema)], schema=schema)


def mentioned(text: str) -> set[str]:
    """Words of an SQL text without its comments: a superset of the relations it reads."""
    return set(re.findall(r"\w+", re.sub(r"--.*", "", text).lower()))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
