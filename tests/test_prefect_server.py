"""Prefect's server is never held up by the collection of its own garbage."""

import subprocess
import sys

SAYS_WHERE = """
import gc, sys, threading, weakref
from flows import _prefect_server
_prefect_server.YOUNG_S = 0.01

class Cursor:
    pass

def fail():
    cursor, done = Cursor(), threading.Event()
    cursor.itself = cursor
    weakref.finalize(cursor, lambda: (print(threading.current_thread().name, flush=True), done.set()))
    return done

gc.disable()
done = fail()
threading.Thread(target=_prefect_server.collect, name="garbage", daemon=True).start()
assert done.wait(30)
"""


def test_a_thread_of_its_own_collects() -> None:
    done = subprocess.run([sys.executable, "-c", SAYS_WHERE], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "garbage\n"), done.stderr
