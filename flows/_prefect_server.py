"""A Prefect server whose garbage is collected by a thread of its own: `python -m flows._prefect_server MODULE …`.

SQLAlchemy leaves the cursor of a statement that failed ("database is locked", which Prefect tries again) to Python's
garbage collector. Collected by the thread of the event loop, it makes that thread wait until the cursor's connection is
free; and while that one waits for a lock whose owner waits for the event loop, the server answers nobody: for a minute,
when SQLite gives up waiting. Not here: which module is the server, and what its environment tells it (`server.py`,
`temporary.py`).
"""

import gc
import sys
import time
from itertools import count
from runpy import run_module
from threading import Thread

YOUNG_S = 5.0  # between two collections of what has just been made
OLD = 12  # so many of them until one of everything


def collect() -> None:
    """Collect garbage for ever; what the first minute has left, mostly modules, is not looked at again."""
    for turn in count(1):
        time.sleep(YOUNG_S)
        gc.collect(1 if turn % OLD else 2)
        if turn == OLD:
            gc.freeze()


if __name__ == "__main__":
    gc.disable()
    Thread(target=collect, name="garbage", daemon=True).start()
    del sys.argv[0]
    run_module(sys.argv[0], run_name="__main__", alter_sys=True)
