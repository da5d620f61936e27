"""The page of a run: what it learned, whether that is real, and how it came about, in one HTML file.

Whatever it shows is the answer to one query of data/sql/report, which stands beneath it, ready for `flywheel sql`. It
loads nothing and runs nothing: all that it shows of a model's writing is escaped text. Made from the published ledger
alone, so it can be written again at any time. Not here: the words of its head (`_report_words.py`), its charts
(`_report_charts.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from data import catalog, duck, manifest, meanings
from data.errors import UserError
from data.store import Store
from tasks import _report_charts, _report_words

TEMPLATE = Path(__file__).with_suffix(".html")
REPORT = "report.html"
_REPLACED = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One query of the page, the run's name in it, and its rows."""

    name: str
    grain: str
    sql: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an attempt's text; `outcome` is its step's, None where no step was checked."""

    text: str
    outcome: str | None = None


def newest(store: Store, run: str | None = None) -> str:
    """The run of that name, else the one that committed last. Raises UserError when there is no such run."""
    last: dict[str, float] = {}
    for m in manifest.committed(store.home):
        last[m.run] = max(m.created, last.get(m.run, 0.0))
    if not last or run not in [None, *last]:
        known = f"known are {', '.join(sorted(last))}" if last else "start one with `flywheel run smoke`"
        raise UserError(f"there is no run {run or 'yet'} in {store.home}: {known}")
    return run or max(last, key=lambda name: last[name])


def write_report(store: Store, run: str) -> Path:
    """Write `<run>/report.html`, whole, from what is published; the same ledger, the same bytes.

    A chart that cannot be drawn is left out, which the page says. Raises UserError when nothing of it is published.
    """
    found = answers(store.home, run)
    if not found["stages"].rows:
        raise UserError(f"nothing of run {run!r} is published in {store.home} yet: its first stage is not committed")
    path = store.run_dir(run) / REPORT
    manifest.write_atomic(path, render(run, found).encode())
    return path


def answers(home: Path, run: str) -> dict[str, Answer]:
    """Every query of data/sql/report by its name, answered for this run."""
    with duck.published(home) as ask:
        return {
            name: _answer(name, text, run, ask(_filled(text, run)).to_pylist()) for name, text in _queries().items()
        }


def render(run: str, found: Mapping[str, Answer]) -> str:
    """The page as HTML."""
    rows = {name: answer.rows for name, answer in found.items()}
    return _template().render(
        run=run, ask=found, head=_report_words.head(rows), charts=_report_charts.drawn(rows), version=_version()
    )


def pieces(text: str, steps: list[dict[str, Any]]) -> list[Piece]:
    """An attempt's text cut at its checked steps, as far as these are found in it, in order."""
    cut, at = [], 0
    for step in steps:
        written = step["text"] or ""
        start = text.find(written, at) if written else -1
        if start >= 0:
            cut += [Piece(text[at:start]), Piece(written, step["outcome"])]
            at = start + len(written)
    return [p for p in [*cut, Piece(text[at:])] if p.text]


def shown(value: Any, form: str = "text") -> str:
    """A value as the page shows it: text, count, number, percent, points (of a share), seconds or fate."""
    if value is None or value != value:
        return "–"
    if form == "fate":
        return {"promoted": "✓ promoted", "not promoted": "✗ not promoted"}.get(value, str(value))
    if form == "count":
        return f"{value:,.0f}"
    if form == "percent":
        return f"{100 * value:.1f}\N{NO-BREAK SPACE}%"
    if form == "points":
        return f"{100 * value:+.1f}"
    if form == "seconds":
        return f"{value:,.1f}"
    if form == "number":
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
    return "".join(c if c.isprintable() or c in "\n\t" else _REPLACED for c in str(value))


@cache
def _queries() -> dict[str, str]:
    return catalog.report()


def _filled(text: str, run: str) -> str:
    head = meanings.header(text)
    return text.split("\n", len(head))[-1].strip().replace("$run", catalog.quoted(run))


def _answer(name: str, text: str, run: str, rows: list[dict[str, Any]]) -> Answer:
    return Answer(name, meanings.header(text)["grain"], _filled(text, run), rows)


def _version() -> str:
    return manifest.package_version()


@cache
def _template() -> Template:
    found = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(shown=shown, pieces=pieces)
    found.filters["shown"] = shown
    return found.get_template(TEMPLATE.name)
