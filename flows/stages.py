"""The frame around each stage of a run: the budget is checked before it, its progress is shown while it works.

Not here: what a stage does (`tasks/`), how progress looks (`flows/terminal.py`, `flows/live.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from data.progress import Progress
from data.store import At, Store
from flows import artifacts, logs
from flows.course import Course
from flows.pace import Pace
from flows.terminal import watch


@contextmanager
def stage(store: Store, at: At, name: str, course: Course | None = None) -> Iterator[Progress]:
    """One stage of a round, with its progress callback. Raises Spent, before anything is done, when a budget is up."""
    if course is not None:
        course.check(store, at, name)
    pace = Pace()
    with (
        logs.context(run=at.run, round=at.round, stage=name),
        logs.frame(name, pace),
        watch(name, pace) as progress,
        artifacts.show_stage(store, at, name, pace),
    ):
        yield progress
