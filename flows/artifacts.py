"""What Prefect's UI shows of a run beside its states: tables, pictures, summaries. Not here: terminals, files."""

from typing import Any

from data.store import At, Store


def show_round(store: Store, at: At) -> None:
    """The artifacts of a finished round."""


def show_run(store: Store, run: str, result: dict[str, Any]) -> None:
    """The artifacts of a run that has ended; `result` is what `summary.json` holds."""
