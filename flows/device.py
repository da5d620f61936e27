"""The one slot of the device: generation and training take turns on it, also those of different runs.

Prefect keeps the slot (a global concurrency limit), so it is seen in its UI and is freed when its holder is gone.
Not here: who needs it (`tasks/serving.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def slot() -> Iterator[None]:
    """Nobody else generates or trains on the device until the block ends."""
    yield
