"""The page of a gated round: every expectation, what was found and the first rows that break it, in one HTML file.

Made from the ledger alone, so it can be written again at any time. It loads nothing and runs nothing: all that it shows
of a model's writing is escaped text. Not here: the checks (`gate.py`).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from data import manifest, schemas
from data.errors import UserError
from data.records import Check
from data.store import Store

TEMPLATE = Path(__file__).with_suffix(".html")
State = Literal["holds", "failed", "warning"]
_SIGNS: dict[State, str] = {"holds": "✓ holds", "failed": "✗ failed", "warning": "! warning"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One check as the page shows it. `rows`: printable texts by column."""

    anchor: str
    relation: str
    says: str
    severity: str
    observed: str
    state: State
    columns: list[str]
    rows: list[dict[str, str]]

    @property
    def sign(self) -> str:
        """The state for a reader who sees no colour."""
        return _SIGNS[self.state]


@dataclass(frozen=True, slots=True)
class Page:
    """What the template is given. `checked`: when, in UTC."""

    run: str
    round: int
    checked: str
    checks: list[Shown]

    @property
    def state(self) -> State:
        """The worst of the checks'."""
        found = {c.state for c in self.checks}
        return "failed" if "failed" in found else "warning" if "warning" in found else "holds"

    @property
    def verdict(self) -> str:
        """One phrase for the whole round."""
        failed, warnings = (sum(c.state == state for c in self.checks) for state in ("failed", "warning"))
        if failed:
            return f"Failed: {_count(failed, 'critical expectation')} broken"
        return f"Passed with {_count(warnings, 'warning')}" if warnings else "Passed"

    @property
    def meaning(self) -> str:
        """What follows from the verdict."""
        if self.state == "failed":
            return "The round trained nothing and the next one starts with the same model."
        return "The round may be trained on." + (" Look at the warnings." if self.state == "warning" else "")

    @property
    def relations(self) -> dict[str, list[Shown]]:
        """The checks by relation, in their order."""
        names = dict.fromkeys(c.relation for c in self.checks)
        return {name: [c for c in self.checks if c.relation == name] for name in names}

    @property
    def broken(self) -> list[Shown]:
        """What does not hold, critical ones first."""
        return [c for state in ("failed", "warning") for c in self.checks if c.state == state]


def write(store: Store, run: str, number: int) -> Path:
    """Write the page of a gated round to `<run>/quality/round-<n>.html`, whole; the same ledger, the same bytes.

    Raises UserError when the round was not gated.
    """
    path = store.run_dir(run) / "quality" / f"round-{number}.html"
    manifest.write_atomic(path, render(page(store, run, number)).encode())
    return path


def page(store: Store, run: str, number: int) -> Page:
    """The checks of one round. Raises UserError when it was not gated."""
    gated = manifest.read(manifest.path_of(store.home, run, number, "gate"))
    if gated is None:
        raise UserError(f"round {number} of run {run!r} has no checks: `flywheel quality` lists the rounds that do")
    checks = schemas.rows(store.read("checks", run, [number]), Check)
    when = datetime.fromtimestamp(gated.created, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Page(run, number, when, [_shown(i, c) for i, c in enumerate(checks)])


def render(page: Page) -> str:
    """The page as HTML."""
    return _template().render(page=page)


@cache
def _template() -> Template:
    found = Environment(
        loader=FileSystemLoader(TEMPLATE.parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return found.get_template(TEMPLATE.name)


def _shown(number: int, check: Check) -> Shown:
    rows: list[dict[str, Any]] = json.loads(check.bad_rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    state: State = "holds" if check.success else "failed" if check.severity == "critical" else "warning"
    return Shown(
        anchor=f"check-{number}",
        relation=check.relation,
        says=check.expectation,
        severity=check.severity,
        observed=check.observed,
        state=state,
        columns=[_printable(name) for name in columns],
        rows=[{_printable(name): _text(row.get(name)) for name in columns} for row in rows],
    )


def _text(value: Any) -> str:
    if value is None:
        return "(null)"
    return _printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _printable(text: str) -> str:
    """Control and direction characters, which HTML cannot hold or which rearrange a line, as replacement characters."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"
