"""What `flywheel quality` shows: the gated rounds of the ledger, or the checks of one and where its page is.

Reads the ledger; writes nothing but the page. Not here: the checks (`tasks/gate.py`).
"""

import pyarrow as pa

from data import manifest
from data.errors import UserError
from data.store import Store, home
from flows import show
from tasks import quality_page
from tasks.quality_page import Page

_SHOWN = ("state", "relation", "expectation", "severity", "found", "first rows")


def main(run: str | None, *, number: int | None, broken: bool, path_only: bool, form: str) -> int:
    """1 when the round did not pass; without a run, when some round did not."""
    store = Store(home())
    if run is None:
        if number is not None or path_only or broken:
            raise UserError(
                "which run? `flywheel quality` lists them; write for example: flywheel quality RUN --round 1"
            )
        rounds = _rounds(store)
        show.write(rounds, form)
        return 1 if "failed" in rounds["state"].to_pylist() else 0
    gated = _gated(store, run)
    found = quality_page.page(store, run, max(gated) if number is None else number)
    path = quality_page.write(store, run, found.round)
    if path_only:
        print(path)
    else:
        show.write(_checks(found, broken), form)
        if form == "table":
            show.console().print(f"{found.verdict}: round {found.round} of {run}", markup=False)
            show.console().print(f"page: {path}", soft_wrap=True, markup=False)
    return 1 if found.state == "failed" else 0


def _rounds(store: Store) -> pa.Table:
    places = [(m.run, m.round) for m in manifest.committed(store.home) if m.stage == "gate"]
    if not places:
        raise UserError(f"no round in {store.home} was gated yet: start a run, or set FLYWHEEL_HOME")
    return pa.Table.from_pylist([_row(quality_page.page(store, run, number)) for run, number in places])


def _row(page: Page) -> dict[str, object]:
    failed, warnings = (sum(c.state == state for c in page.checks) for state in ("failed", "warning"))
    counts = {"checks": len(page.checks), "failed": failed, "warnings": warnings}
    return {"run": page.run, "round": page.round, "state": page.state, **counts, "checked": page.checked}


def _gated(store: Store, run: str) -> list[int]:
    rounds = [m.round for m in manifest.committed(store.home, run) if m.stage == "gate"]
    if not rounds:
        known = ", ".join(sorted({m.run for m in manifest.committed(store.home)})) or "none"
        raise UserError(f"no round of run {run!r} was gated in {store.home}: the runs are {known}")
    return rounds


def _checks(page: Page, broken: bool) -> pa.Table:
    """One row per check; the first rows that break it as text."""
    rows = [
        (c.state, c.relation, c.says, c.severity, c.observed, "; ".join(" ".join(r.values()) for r in c.rows[:3]))
        for c in page.checks
        if c.state != "holds" or not broken
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(_SHOWN)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=list(_SHOWN))
