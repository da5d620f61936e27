"""What a run shows in a terminal: one moving line per stage on a terminal, a line now and then in a file or a pipe.

Only output; what a stage does, and the table at the end of a round (`tasks/summary.py`), are elsewhere.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from data.progress import Progress
from flows.logs import LOG
from flows.pace import Pace, clock

EVERY_S = 10.0  # between lines when nobody watches


@contextmanager
def watch(label: str, pace: Pace | None = None) -> Iterator[Progress]:
    """A progress callback for the stage `label`; it keeps `pace`. On leaving, the line stays with the time it took."""
    pace = pace or Pace()
    show = _moving if sys.stderr.isatty() else _lines
    with show(label, pace) as progress:
        yield progress


@contextmanager
def _moving(label: str, pace: Pace) -> Iterator[Progress]:
    with _bar() as bar:
        task = bar.add_task(label, total=None, words="")

        def tell(done: int, total: int, text: str) -> None:
            pace.tell(done, total, text)
            end = f" · until {clock(pace.ends, time.time())}" if pace.ends is not None and done < total else ""
            bar.update(task, completed=done, total=total or None, words=text + end)

        yield tell
        bar.update(task, words="")


def _bar() -> Bar:
    from rich.console import Console

    columns = (
        TextColumn("{task.description:<34}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}", style="dim", markup=False),
    )
    return Bar(*columns, console=Console(stderr=True))


@contextmanager
def _lines(label: str, pace: Pace) -> Iterator[Progress]:
    last = time.monotonic()

    def tell(done: int, total: int, text: str) -> None:
        nonlocal last
        pace.tell(done, total, text)
        if time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            print(f"  {label}: {pace.words}", file=sys.stderr, flush=True)

    yield tell
    print(f"{label}: {pace.words or 'done'} ({pace.seconds:.1f} s)", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """One line about where the run is, for whoever watches and for the log."""
    LOG.info("%s", text)
    print(text, file=sys.stderr, flush=True)
