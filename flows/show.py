"""What `flywheel status`, `models`, `sql` and `doctor` print: tables for people, CSV and JSON for programs.

Reads manifests and committed rows only, writes nothing. Not here: the table of a running round.
"""

import csv
import json
import sys
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from data import manifest
from data.errors import UserError
from data.records import Model, RoundResult, Score
from data.schemas import rows as records
from data.store import Store
from flows.tour import MOST as MOST_SHOWN
from flows.tour import Answer
from tasks._findings import Finding

MOST = 100  # rows shown in a table
WIDE = 240  # columns of a table that is not shown on a terminal


def console() -> Console:
    """A console as wide as the terminal, or wide enough where there is none."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)


def write(table: pa.Table, form: str = "table", limit: int = MOST) -> None:
    """Print a table in the form `table` (at most `limit` rows), `csv` or `json` (all of them)."""
    if form == "csv":
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(table.column_names)
        out.writerows(row.values() for row in table.to_pylist())
    elif form == "json":
        json.dump(table.to_pylist(), sys.stdout, ensure_ascii=False, default=str, indent=1)
        print()
    elif table.num_rows == 0:
        console().print("no rows" if table.num_columns else "done", style="dim")
    else:
        console().print(_rich(table.slice(0, limit)))
        if table.num_rows > limit:
            console().print(f"{table.num_rows - limit:,} more rows: use --limit, --csv or --json", style="dim")


def runs(home: Path) -> pa.Table:
    """One row per run and round: what is committed, and when the last of it was."""
    found = []
    for (run, number), group in groupby(manifest.committed(home), key=lambda m: (m.run, m.round)):
        stages = sorted(group, key=lambda m: m.created)
        found.append(
            {
                "run": run,
                "round": number,
                "stages": " ".join(m.stage for m in stages),
                "rows": sum(m.rows for m in stages),
                "seconds": round(sum(m.meta.get("seconds", 0.0) for m in stages), 1),
                "last commit": _when(stages[-1].created),
            }
        )
    if not found:
        raise UserError(f"there is no run in {home} yet: start one with `flywheel run smoke`, or set FLYWHEEL_HOME")
    return pa.Table.from_pylist(found)


def stages(home: Path, run: str) -> pa.Table:
    """One row per committed stage of a run, in the order in which they were committed."""
    found = sorted(manifest.committed(home, run), key=lambda m: m.created)
    if not found:
        known = ", ".join(sorted({m.run for m in manifest.committed(home)})) or "none"
        raise UserError(f"there is no run {run!r} in {home}: known are {known}")
    numbers = ("seconds", "startup_seconds", "tokens")
    return pa.Table.from_pylist(
        [
            {"round": m.round, "stage": m.stage, "rows": m.rows}
            | {name: m.meta.get(name) for name in numbers}
            | {"committed": _when(m.created)}
            for m in found
        ]
    )


def models(home: Path, run: str | None = None) -> pa.Table:
    """One row per model trained: parent, data, how it scored on all held-out problems, and whether it was promoted."""
    store = Store(home)
    table = store.read("models", run)
    places = zip(table.column("run").to_pylist(), table.column("round").to_pylist(), strict=True)
    overall = [s for s in records(store.read("scores", run), Score) if s.domain == "all" and s.band == "all"]
    scores = {(s.model_id, s.k): s for s in overall if s.metric == "pass@k"}
    most = max((k for _, k in scores), default=1)
    results = {r.challenger_id: r for r in records(store.read("rounds", run), RoundResult)}
    found = []
    for (of_run, number), model in zip(places, records(table, Model), strict=True):
        first, best, result = scores.get((model.id, 1)), scores.get((model.id, most)), results.get(model.id)
        found.append(
            {
                "run": of_run,
                "round": number,
                "model": model.id,
                "parent": model.parent_id,
                "objective": model.objective,
                "dataset": model.dataset_id,
                "pass@1": round(first.value, 4) if first else None,
                "low": round(first.low, 4) if first else None,
                "high": round(first.high, 4) if first else None,
                f"pass@{most}": round(best.value, 4) if best else None,
                "promoted": result.promoted if result else None,
                "path": model.path,
            }
        )
    if not found:
        raise UserError(f"no model was trained {f'in run {run!r}' if run else 'yet'} in {home}: see `flywheel status`")
    return pa.Table.from_pylist(found)


def schema(table: pa.Table) -> None:
    """Print relations with their columns: rows of `duck.described()`."""
    out = console()
    for (relation, kind, grain), group in groupby(
        table.to_pylist(), key=lambda r: (r["relation"], r["kind"], r["grain"])
    ):
        out.print(f"[bold]{escape(relation)}[/]  [dim]{kind}[/]  {escape(grain)}", soft_wrap=True)
        shown = Table(box=None, show_header=False, padding=(0, 2))
        for row in group:
            shown.add_row(escape(row["column"]), f"[dim]{escape(row['type'].lower())}[/]", escape(row["meaning"]))
        out.print(shown)


def tour(answers: Iterable[Answer]) -> None:
    """Print each question as soon as it is answered: what to look at, the SQL, the answer."""
    out = console()
    for number, a in enumerate(answers, 1):
        out.print(f"\n[bold]{number}. {escape(a.question)}[/]\nLook {escape(a.look)}\n", soft_wrap=True)
        out.print(f"[dim]{escape(a.sql)}[/]\n", soft_wrap=True)
        write(a.table, limit=MOST_SHOWN)
        out.print(f"[dim]{a.seconds:.2f} s[/]")


def findings(found: Iterable[Finding], form: str | None = None) -> bool:
    """Print each check as soon as it is done, with `json` as an object on a line; true when none failed."""
    failed = 0
    out = console()
    styles = {"ok": "green", "warning": "yellow", "failed": "bold red", "mended": "bold green"}
    for f in found:
        failed += f.state == "failed"
        if form == "json":
            print(json.dumps({"name": f.name, "state": f.state, "text": f.text}, ensure_ascii=False), flush=True)
            continue
        out.print(f"[{styles[f.state]}]{f.state:8}[/] {f.name:12} {escape(f.text)}", soft_wrap=True)
    if form != "json":
        out.print(f"{failed} checks failed" if failed else "no check failed")
    return not failed


def _rich(table: pa.Table) -> Table:
    shown = Table(header_style="bold", box=None, pad_edge=False)
    for field in table.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_decimal(field.type)
        shown.add_column(escape(field.name), justify="right" if number else "left", overflow="fold")
    for row in table.to_pylist():
        shown.add_row(*(_cell(v) for v in row.values()))
    return shown


def _cell(value: Any) -> str:
    if value is None:
        return "[dim]-[/]"
    if isinstance(value, float):
        return f"{value:.6g}"
    return escape("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(value)))


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")
