"""Runs an engine in a process of its own, so that it can be killed, and so that its end frees the device.

`Hosted` is the near end: it starts `_worker.py`, sends it requests over a socket and yields what comes back. The child
dies with this process however that ends (`PR_SET_PDEATHSIG`), and a child that dies is an EngineError at once.
Not a server: one caller at a time, on this machine.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socketpair
from typing import Any

from tasks.engines import Completion, EngineDied, EngineError, Request
from tasks.settings import EngineSettings

ROOT = Path(__file__).resolve().parents[2]
GRACE_S = 5.0  # between SIGTERM and SIGKILL
TAIL_LINES = 3


class Hosted:
    """An engine whose `Local` class lives in a child process. Raises EngineError when it cannot start."""

    def __init__(self, module: str, model: Path, settings: EngineSettings) -> None:
        begun = time.perf_counter()
        self._name = settings.name
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the engine
        near, far = socketpair()
        self._conn = Connection(near.detach())
        self._process = _spawn(far.fileno(), self._log.fileno())
        far.close()
        self._busy = False
        self._closed = False
        try:
            self._ask((module, str(model), settings))
        except BaseException:
            self.close()
            raise
        self.startup_seconds = time.perf_counter() - begun

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def complete(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine`. A caller that stops early cancels the rest."""
        if self._busy:
            raise RuntimeError("this engine is already completing a batch; finish or close that iterator first")
        self._busy = True
        ended = False
        try:
            self._send(("complete", list(requests)))
            while True:
                kind, payload = self._receive()
                if kind == "end":
                    ended = True
                    return
                yield from payload
        finally:
            if not ended and not self._closed:
                self._cancel()
            self._busy = False

    def load_weights(self, model: Path) -> None:
        """See `Engine`. Raises EngineError and serves the old weights when `model` is not usable."""
        self._ask(("load_weights", str(model)))

    def close(self) -> None:
        """End the child (SIGTERM, then SIGKILL) and wait until it is gone."""
        if self._closed:
            return
        self._closed = True
        self._conn.close()
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        self._log.close()

    def _ask(self, message: Any) -> None:
        """Send a message that is answered by one word."""
        self._send(message)
        kind, payload = self._receive()
        if kind == "failed":
            raise EngineError(payload)

    def _cancel(self) -> None:
        """Tell the child to drop the batch, and read what it had already sent."""
        self._send(("cancel", None))
        while self._receive()[0] != "end":
            pass

    def _send(self, message: Any) -> None:
        if self._closed:
            raise EngineError(f"the {self._name} engine is closed")
        try:
            self._conn.send(message)
        except OSError as e:
            raise self._died() from e

    def _receive(self) -> tuple[str, Any]:
        try:
            kind, payload = self._conn.recv()
        except (EOFError, OSError) as e:
            raise self._died() from e
        return kind, payload

    def _died(self) -> EngineDied:
        """The error for a child that went away: how it ended and the last lines it wrote."""
        self._let_it_end()
        self._signal(signal.SIGKILL)  # whatever it had started
        code = self._process.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines()]
        self.close()
        lines = [line for line in lines if line.strip(" ^~")][-TAIL_LINES:]
        said = "; its last words: " + " | ".join(lines) if lines else ""
        return EngineDied(f"the {self._name} engine died ({how}){said}")

    def _let_it_end(self) -> None:
        """Wait, for a while, until the child has ended by itself; its process group stays reserved (not reaped)."""
        until = time.monotonic() + GRACE_S
        options = os.WEXITED | os.WNOWAIT | os.WNOHANG
        while os.waitid(os.P_PID, self._process.pid, options) is None and time.monotonic() < until:
            time.sleep(0.01)

    def _signal(self, number: int) -> None:
        """Signal the child and everything it started, unless it has been waited for."""
        if self._process.returncode is None:
            os.killpg(self._process.pid, number)


def _spawn(channel: int, log: int) -> subprocess.Popen[bytes]:
    """Start the worker from a thread that lives as long as it does.

    PR_SET_PDEATHSIG fires when the *thread* that forked ends, and a workflow's threads come and go.
    """
    box: list[subprocess.Popen[bytes] | OSError] = []
    started = threading.Event()
    command = [sys.executable, "-m", "tasks.engines._worker", str(channel), str(os.getpid())]
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)

    def keep() -> None:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[channel],
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": path},
            )
        except OSError as e:
            box.append(e)
            started.set()
            return
        box.append(process)
        started.set()
        with suppress(ChildProcessError):  # it has ended already
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    threading.Thread(target=keep, name="engine-keeper", daemon=True).start()
    started.wait()
    if isinstance(box[0], OSError):
        raise EngineError(f"cannot start the engine process: {box[0]}")
    return box[0]
