"""One process at a time works on a run; a second is told so. Not here: the lock itself (`data/locks.py`).

The lock ends with its process, also when it is killed, and its children do not inherit it.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from data import locks, manifest
from data.errors import UserError
from data.store import Store


@contextmanager
def on_run(store: Store, run: str, patience_s: float = 0.0) -> Iterator[None]:
    """Nobody else works on this run until the block ends. Raises UserError when somebody does.

    `patience_s`: for a process that has been told to end, and is about to.
    """
    lock, until = store.run_dir(run) / "flywheel.lock", time.monotonic() + patience_s
    while locks.busy(lock) and time.monotonic() < until:
        time.sleep(0.2)
    with alone(lock, f"run {run}"):
        yield


@contextmanager
def alone(lock: Path, what: str) -> Iterator[None]:
    """Nobody else has this lock until the block ends. Raises UserError when somebody has it."""
    with ExitStack() as stack:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            free = stack.enter_context(locks.alone(lock))
        except OSError as e:
            raise manifest.unwritable(lock, e) from e
        if not free:
            raise UserError(f"another process is at work on {what}: wait until it ends")
        yield
