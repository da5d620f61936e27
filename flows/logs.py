"""What is logged about a run, and with which ids: every record of a stage carries run, round and stage.

The logger `flywheel` is the only one of ours; Prefect sends it to its UI. Not here: progress (`flows/terminal.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ids: ContextVar[dict[str, str | int]] = ContextVar("ids", default={})  # noqa: B039 - never changed, only replaced


@contextmanager
def context(**ids: str | int) -> Iterator[None]:
    """What is logged in this block carries these ids beside those around it."""
    before = _ids.set({**_ids.get(), **ids})
    try:
        yield
    finally:
        _ids.reset(before)
