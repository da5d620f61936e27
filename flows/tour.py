"""Ten questions that a data person asks about a run, answered from the ledger. They are files in data/sql/tour.

`$run` in a file becomes the name of the run itself, so that what is shown can be copied into any DuckDB.
Not here: the database that answers (`data/duck.py`). Writes nothing but the page that it is asked for.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import pyarrow as pa

from data import catalog, duck, manifest, meanings
from data.errors import UserError

MOST = 40  # rows of an answer shown
RUNS = "SELECT run FROM stages WHERE stage = 'generate' GROUP BY run ORDER BY max(created) DESC"


@dataclass(frozen=True, slots=True)
class Answer:
    """One question: `look` says what to look at in its answer, `sql` asks it."""

    question: str
    look: str
    sql: str
    table: pa.Table
    seconds: float


def answers(home: Path, run: str | None = None) -> Iterator[Answer]:
    """All questions in order, each when it is answered, about a run (None: the one that generated last).

    Raises UserError when there is no such run.
    """
    runs = duck.sql(home, RUNS)["run"].to_pylist()
    if not runs or run not in [None, *runs]:
        known = f"known are {', '.join(runs)}" if runs else "start one with `flywheel run smoke`"
        raise UserError(f"there is no run {run or 'that generated anything'} in {home}: {known}")
    for text in catalog.tour():
        head = meanings.header(text)
        sql = text.split("\n", len(head))[-1].strip().replace("$run", catalog.quoted(run or runs[0]))
        began = perf_counter()
        table = duck.sql(home, sql)
        yield Answer(head["question"], head["look"], sql, table, perf_counter() - began)


def page(found: Iterable[Answer]) -> str:
    """The tour as Markdown."""
    parts = ["# A tour of the ledger"]
    for number, a in enumerate(found, 1):
        parts.append(f"## {number}. {a.question}\n\nLook {a.look}\n\n```sql\n{a.sql}\n```\n\n{_markdown(a.table)}")
    return "\n\n".join(parts) + "\n"


def write_page(path: Path, found: Iterable[Answer]) -> None:
    """Write the page whole or not at all. Raises LedgerError when it cannot be written."""
    manifest.write_atomic(path, page(found).encode())


def _markdown(table: pa.Table) -> str:
    if not table.num_rows:
        return "No rows."
    names = table.column_names
    rows = [
        names,
        ["---"] * len(names),
        *([_cell(v) for v in row.values()] for row in table.slice(0, MOST).to_pylist()),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + (f"\n\n{table.num_rows - MOST} more rows." if table.num_rows > MOST else "")


def _cell(value: object) -> str:
    """A value that stays in its cell, whatever a model wrote."""
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    escaped = re.sub(r"([\\`*_{}\[\]<>|#&~$])", r"\\\1", "".join(c if c.isprintable() else "\n" for c in text))
    return "<br>".join(line for line in escaped.split("\n") if line)
