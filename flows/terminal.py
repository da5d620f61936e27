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

EVERY_S = 10.0  # between lines when nobody watches


@contextmanager
def watch(label: str) -> Iterator[Progress]:
    """A progress callback for the stage `label`; on leaving, the line stays with the time it took."""
    if sys.stderr.isatty():
        with _bar() as bar:
            task = bar.add_task(label, total=None, words="")
            yield lambda done, total, text: bar.update(task, completed=done, total=total or None, words=text)
            bar.update(task, words="")
    else:
        yield from _lines(label)


def _bar() -> Bar:
    from rich.console import Console

    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}", style="dim"),
    )
    return Bar(*columns, console=Console(stderr=True))


def _lines(label: str) -> Iterator[Progress]:
    started = last = time.monotonic()
    latest = ""

    def tell(done: int, total: int, text: str) -> None:
        nonlocal last, latest
        latest = f"{done}/{total} {text}".rstrip()
        if time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            print(f"  {label}: {latest}", file=sys.stderr, flush=True)

    yield tell
    print(f"{label}: {latest or 'done'} ({time.monotonic() - started:.1f} s)", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """One line about where the run is."""
    print(text, file=sys.stderr, flush=True)
