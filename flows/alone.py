"""One process at a time works on a run; a second is told so. Not here: the lock itself (`data/locks.py`).

The lock ends with its process, also when it is killed, and its children do not inherit it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from data import locks, manifest
from data.errors import UserError
from data.store import Store


@contextmanager
def on_run(store: Store, run: str) -> Iterator[None]:
    """Nobody else works on this run until the block ends. Raises UserError when somebody does."""
    with alone(store.run_dir(run) / "flywheel.lock", f"run {run}"):
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
