"""The page of a run, written as the run goes on. A page that fails is said, and the run goes on.

Not here: what the page shows (`tasks/report.py`).
"""

from pathlib import Path

from data.errors import UserError
from data.store import Store
from flows.terminal import say
from tasks.report import write_report


def report(store: Store, run: str) -> Path | None:
    """Write the page from what is published; None when it could not be written."""
    try:
        return write_report(store, run)
    except UserError as e:
        say(f"There is no report: {e}")
    except Exception as e:  # the run matters, its page can be written again
        say(f"The report could not be written ({e!r}): `flywheel report {run}` tries again.")
    return None


def show(store: Store, run: str) -> None:
    """Write the page of a run that has ended, however it ended, and say where it is."""
    store.publish()
    if path := report(store, run):
        print(f"report: {path}")
