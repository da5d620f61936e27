"""Great Expectations over tables of a DuckDB connection. The only file that imports great_expectations, when asked to.

It runs through SQLAlchemy on the caller's own connection, so nothing is copied. A rule that is broken is a result; an
engine that fails is an `ExpectationsError`, never bad data. Not here: which rules there are, and which rounds pass.
"""

import atexit
import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from sqlalchemy.pool import StaticPool

from data.errors import UserError
from data.records import Check

SHOWN = 10  # offending rows kept per check
WIDTH = 200  # characters kept of each of their values
_TOTAL = "of_all"  # column of an offending row: how many there are
Severity = Literal["critical", "warning"]


class ExpectationsError(UserError):
    """The quality engine itself failed; nothing is known about the data."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation on one table, reported under `relation`. `says` is what holds when it succeeds.

    `table` is a name that the caller gives a meaning.
    """

    relation: str
    table: str
    says: str
    expectation: str  # class in great_expectations.expectations
    arguments: dict[str, Any]
    severity: Severity = "critical"


def never(relation: str, table: str, says: str, rows: str, severity: Severity = "critical") -> Rule:
    """The SELECT `rows` over `{batch}`, which stands for the table, gives none; those it gives are the offending ones.

    Only the first SHOWN leave the database, each with the number of all.
    """
    query = f"SELECT *, count(*) OVER () AS {_TOTAL} FROM (\n{rows}\n) ORDER BY ALL LIMIT {SHOWN}"
    return Rule(relation, table, says, "UnexpectedRowsExpectation", {"unexpected_rows_query": query}, severity)


class Engine:
    """Great Expectations on one connection. `startup_seconds`: what importing it took."""

    def __init__(self, connection: "_Connection") -> None:
        started = time.monotonic()
        self._connection = connection
        self._gx = _library()
        self.startup_seconds = round(time.monotonic() - started, 3)
        context = self._gx.get_context(mode="ephemeral")
        context.variables.progress_bars = self._gx.data_context.types.base.ProgressBarsConfig(globally=False)
        options = {"creator": connection.itself, "poolclass": StaticPool}
        self._source = context.data_sources.add_sql(
            name="ledger", connection_string="duckdb:///:memory:", kwargs=options
        )

    def check(self, table: str, rules: Sequence[Rule]) -> list[Check]:
        """One check per rule, in their order, on one table. Raises ExpectationsError when one cannot be evaluated."""
        asset = self._source.add_table_asset(f"{table} {len(self._source.assets)}", table_name=table)
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        suite = self._gx.ExpectationSuite(name=table)  # metrics that its rules share are computed once
        for i, rule in enumerate(rules):
            kind = getattr(self._gx.expectations, rule.expectation)
            suite.add_expectation(kind(**rule.arguments, severity=rule.severity, meta={"rule": i}))
        results = batch.validate(suite, result_format="COMPLETE").results
        found = {r.expectation_config.meta["rule"]: r for r in results}
        rows = self._connection.count(table)
        return [_check(rule, rows, found[i]) for i, rule in enumerate(rules)]


@contextmanager
def engine(con: Any) -> Iterator[Engine]:
    """An engine that checks tables of a DuckDB connection, temporary ones included."""
    with closing(_Connection(con)) as connection:
        yield Engine(connection)


def _check(rule: Rule, rows: int, result: Any) -> Check:
    fault = _fault(result.exception_info)
    if fault:
        raise ExpectationsError(f"the quality gate could not check {rule.relation} ({rule.says}): {fault}")
    value = result.result.get("observed_value")
    bad = [dict(row) for row in result.result.get("details", {}).get("unexpected_rows") or []]
    if rule.expectation == "UnexpectedRowsExpectation":
        observed = f"{bad[0][_TOTAL]:,} in {rows:,} rows" if bad else f"none in {rows:,} rows"
    else:
        observed = "no rows" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    return Check(rule.relation, rule.says, rule.severity, bool(result.success), observed, _rows(bad))


def _fault(info: Mapping[str, Any]) -> str:
    """What an engine exception said, empty when there was none; one result may hold one per metric."""
    entries = [info] if "raised_exception" in info else list(info.values())
    return next((str(e["exception_message"]) for e in entries if e.get("raised_exception")), "")


def _rows(bad: Sequence[Mapping[str, Any]]) -> str:
    shown = [{k: v[:WIDTH] if isinstance(v, str) else v for k, v in row.items() if k != _TOTAL} for row in bad]
    return json.dumps(shown, ensure_ascii=False, default=str)


class _Connection:
    """Our DuckDB connection as SQLAlchemy wants one. Every statement is its own transaction: the reflection that
    Great Expectations tries first fails on DuckDB and would abort a longer one."""

    def __init__(self, con: Any) -> None:
        self._con: Any = con
        self.notices: list[str] = []

    def itself(self) -> "_Connection":
        return self

    def count(self, table: str) -> int:
        """Rows of a table."""
        rows: int = self._con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
        return rows

    def cursor(self) -> "_Cursor":
        return _Cursor(self._con, self)

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None:
        self._con = None  # Great Expectations keeps its contexts for ever, and us with them


class _Cursor:
    """A cursor that fetches all rows at once: Great Expectations 1.24 reads them after it has closed the connection."""

    def __init__(self, con: Any, connection: _Connection) -> None:
        self._con, self.connection = con, connection
        self.description: list[tuple[Any, ...]] = []
        self.rowcount = -1
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str, parameters: Any = None, context: Any = None) -> None:
        done = self._con.execute(statement) if parameters is None else self._con.execute(statement, parameters)
        self.description = [(name, str(kind), *rest) for name, kind, *rest in done.description or []]
        self._rows = done.fetchall()

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.fetchmany(len(self._rows))

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        rows = self.fetchmany()
        return rows[0] if rows else None

    def close(self) -> None: ...


def _library() -> ModuleType:
    """Import the library: 4 to 6 seconds, hence late. It must not call home, and reads that from the environment."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import great_expectations.data_context.types.base
    import great_expectations.expectations

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)  # it sets INFO
    atexit.unregister(_unlink)
    atexit.register(_unlink)
    module: ModuleType = gx
    return module


def _unlink() -> None:
    """Cut the SQLAlchemy dialect loose at exit. Great Expectations is never freed and would keep it, and through it all
    of DuckDB, alive: DuckDB's bindings then list every object as leaked on the user's terminal."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "duckdb_engine":
            vars(module).clear()
