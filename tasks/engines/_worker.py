"""The far end of `_host.py`: the process in which an engine lives. Run as `python -m tasks.engines._worker FD PARENT`.

It answers one message at a time. An EngineError is sent back as a sentence; any other exception ends the process with
its traceback in the log, which the near end reports.
"""

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, Protocol

from tasks.engines import Completion, EngineError, Request

PR_SET_PDEATHSIG = 1


class Local(Protocol):
    """What an engine module that is hosted defines: the engine itself, built as `Local(model, settings)`."""

    def complete(self, requests: Sequence[Request], cancelled: Callable[[], bool]) -> Iterator[list[list[Completion]]]:
        """Groups of finished requests, as they finish. Stops early, leaving nothing behind, when `cancelled()`."""

    def load_weights(self, model: str) -> None:
        """Serve other weights from now on."""


def main() -> None:
    """Build the engine that the first message names, then answer until the near end goes away."""
    channel, parent = int(sys.argv[1]), int(sys.argv[2])
    _die_with(parent)
    os.set_inheritable(channel, False)
    with Connection(channel) as conn:
        try:
            module, model, settings = conn.recv()
            if settings.devices:
                os.environ["CUDA_VISIBLE_DEVICES"] = settings.devices
            engine: Local = importlib.import_module(module).Local(model, settings)
        except EngineError as e:
            conn.send(("failed", str(e)))
            return
        conn.send(("ready", None))
        try:
            while True:
                _answer(conn, engine, *conn.recv())
        except (EOFError, ConnectionError):
            return  # the near end closed


def _answer(conn: Connection, engine: Local, verb: str, payload: Any) -> None:
    """Do what one message asks. A `cancel` that arrives after its batch has ended is a no-op."""
    if verb == "complete":
        for group in engine.complete(payload, conn.poll):
            conn.send(("done", group))
        conn.send(("end", None))
    elif verb == "load_weights":
        try:
            engine.load_weights(payload)
        except EngineError as e:
            conn.send(("failed", str(e)))
        else:
            conn.send(("ready", None))


def _die_with(parent: int) -> None:
    """Be killed when the parent's keeper thread ends, also when the parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    main()
