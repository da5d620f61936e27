"""Great Expectations over tables of the ledger. The only file that imports great_expectations, and only when asked to.

It runs through SQLAlchemy on a DuckDB database in memory that holds nothing but the tables under test. A rule that is
broken is a result; an engine that fails is an `ExpectationsError`, never bad data. Not here: which rounds pass.
"""

import atexit
import json
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import pyarrow as pa
from sqlalchemy.pool import StaticPool

from data import duck
from data.errors import UserError
from data.records import Check

SHOWN = 10  # offending rows kept per check
WIDTH = 200  # characters kept of each of their values


class ExpectationsError(UserError):
    """The quality engine itself failed; nothing is known about the data."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One expectation on one table. `says` is what holds when it succeeds; `key` names a row of the table."""

    relation: str
    key: str
    says: str
    expectation: str  # class in great_expectations.expectations
    arguments: dict[str, Any]
    severity: Literal["critical", "warning"] = "critical"


@dataclass(frozen=True, slots=True)
class Checked:
    """One check per rule whose table was given, in their order. `startup_seconds`: importing the library."""

    checks: list[Check]
    startup_seconds: float


def check(tables: Mapping[str, pa.Table], rules: Sequence[Rule]) -> Checked:
    """Hold the tables against the rules. Raises ExpectationsError when a rule cannot be evaluated."""
    started = time.monotonic()
    gx = _library()
    startup = time.monotonic() - started
    rules = [r for r in rules if r.relation in tables]
    checks: dict[int, Check] = {}
    with duck.scratch(tables) as con, closing(_Connection(con)) as connection:
        options = {"creator": connection.itself, "poolclass": StaticPool}
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
        source = context.data_sources.add_sql(name="ledger", connection_string="duckdb:///:memory:", kwargs=options)
        for relation in tables:
            numbered = [(i, r) for i, r in enumerate(rules) if r.relation == relation]
            if numbered:
                asset = source.add_table_asset(relation, table_name=relation)
                batch = asset.add_batch_definition_whole_table("all").get_batch()
                checks |= _validate(gx, batch, numbered)
    return Checked([checks[i] for i in range(len(rules))], round(startup, 3))


def _validate(gx: ModuleType, batch: Any, numbered: Sequence[tuple[int, Rule]]) -> dict[int, Check]:
    """The rules of one table as one suite: metrics that they share are computed once."""
    suite = gx.ExpectationSuite(name=numbered[0][1].relation)
    for i, rule in numbered:
        kind = getattr(gx.expectations, rule.expectation)
        suite.add_expectation(kind(**rule.arguments, severity=rule.severity, meta={"rule": i}))
    shape = {
        "result_format": "SUMMARY",
        "unexpected_index_column_names": [numbered[0][1].key],
        "partial_unexpected_count": SHOWN,
    }
    by_number = dict(numbered)
    results = batch.validate(suite, result_format=shape).results
    found = {r.expectation_config.meta["rule"]: r for r in results}
    return {i: _check(by_number[i], r) for i, r in found.items()}


def _check(rule: Rule, result: Any) -> Check:
    fault = _fault(result.exception_info)
    if fault:
        raise ExpectationsError(f"the quality gate could not check {rule.relation} ({rule.says}): {fault}")
    facts = dict(result.result)
    bad = facts.get("partial_unexpected_index_list") or facts.get("details", {}).get("unexpected_rows") or []
    if "unexpected_count" in facts:
        observed = f"{facts['unexpected_count']} of {facts['element_count']} rows break it"
    else:
        observed = str(facts.get("observed_value"))
    return Check(rule.relation, rule.says, rule.severity, bool(result.success), observed, _rows(bad))


def _fault(info: Mapping[str, Any]) -> str:
    """What an engine exception said, empty when there was none; one result may hold one per metric."""
    entries = [info] if "raised_exception" in info else list(info.values())
    return next((str(e["exception_message"]) for e in entries if e.get("raised_exception")), "")


def _rows(bad: Sequence[Mapping[str, Any]]) -> str:
    shown = [{k: v[:WIDTH] if isinstance(v, str) else v for k, v in row.items()} for row in bad[:SHOWN]]
    return json.dumps(shown, ensure_ascii=False, default=str)


class _Connection:
    """Our DuckDB connection as SQLAlchemy wants one. Every statement is its own transaction: the reflection that
    Great Expectations tries first fails on DuckDB and would abort a longer one."""

    def __init__(self, con: Any) -> None:
        self._con: Any = con
        self.notices: list[str] = []

    def itself(self) -> "_Connection":
        return self

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
