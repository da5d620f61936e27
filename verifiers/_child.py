"""The near end of one worker process: batches out, judgements in, time enforced with SIGKILL. Evaluates nothing.

Who pays for a fault: an item that takes longer than `timeout_s` is `unverified` and is not tried again. An item under
which the child dies is tried once more, in a fresh child, and is `unverified` when that one dies too. A child that ends
or refuses before its first item costs nothing; when START_TRIES in a row do, the user is told. Not here: order and
sharing out of the work (`_pool.py`), and the far end (`_worker.py`).
"""

import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from socket import SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, socket, socketpair
from typing import IO

from data.errors import UserError
from data.records import Problem
from verifiers import _wire
from verifiers._judge import Judged, fault

Item = tuple[str, Problem, str]  # id of the attempt, its problem, its text

START_S = 60.0  # a new child imports its libraries and proves its sandbox
GRACE_S = 1.0  # a process that has closed its channel may still be saying why
TRIES = 2  # of an item under which processes die
START_TRIES = 5  # times in a row that a child may end or refuse before it judges anything
ROOT = Path(__file__).parents[1]


class Child:
    """One worker process, started when first needed and again after it was lost. For one thread at a time."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout = timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Connection | None = None
        self._socket: socket | None = None
        self._words: IO[bytes] | None = None  # what the process says on its standard error
        self._patience = 0.0
        self._ready: set[str] = set()  # verifiers that this process has prepared
        self._stopped = False

    def judge(self, batch: Sequence[Item]) -> list[Judged]:
        """The judgements of the first items of a batch, of one at least, in order: as many as are to be had quickly.

        Raises UserError when nothing can be judged, EOFError after `stop`.
        """
        judged: list[Judged] = []
        left, tries = batch, 0
        while True:
            try:
                self._judge(left, judged)
                return judged
            except (TimeoutError, EOFError) as e:
                if self._stopped:
                    raise
                at, tries = len(judged), tries + 1
                if isinstance(e, EOFError) and tries < TRIES:
                    left = batch[at : at + 1]
                    continue
                key, problem, _ = batch[at]
                return [*judged, Judged(replace(fault(problem, str(e)), attempt_id=key), [])]

    def _judge(self, batch: Sequence[Item], judged: list[Judged]) -> None:
        """Adds to `judged`. Raises TimeoutError or EOFError, with the process ended; UserError as `judge` does."""
        channel = self._begin(batch)
        try:
            for key, _, _ in batch:
                if (message := self._receive(channel, self._timeout)) == _wire.REST:
                    return
                judged.append(_wire.unpack_judged(message, key))
        except (OSError, EOFError) as e:
            kind = TimeoutError if isinstance(e, TimeoutError) else EOFError
            raise kind(self._gone(e)) from None

    def _begin(self, batch: Sequence[Item]) -> Connection:
        """Hand a batch to a process that is ready for it. Raises UserError when none gets that far, or all refuse."""
        verifiers = {problem.verifier for _, problem, _ in batch}
        message = _wire.pack(batch)
        why = refusal = ""
        for _ in range(START_TRIES):
            try:
                channel = self._running()
                channel.send_bytes(message)
                answer = self._receive(channel, self._timeout if verifiers <= self._ready else START_S)
            except (OSError, EOFError) as e:
                if self._stopped:
                    raise
                why = self._gone(e)
                continue
            if answer == _wire.READY:
                self._ready |= verifiers
                return channel
            refusal = answer.removeprefix(_wire.REFUSED).decode()
        raise UserError(
            refusal
            or f"the process that judges attempts ended {START_TRIES} times in a row before it judged any ({why}): "
            "see what `flywheel doctor` says of verifiers and memory"
        )

    def _running(self) -> Connection:
        if self._channel is None:
            near, far = socketpair()
            path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)
            command = [sys.executable, "-m", "verifiers._worker", str(far.fileno())]
            self._words = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
            with far:
                self._process = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=os.environ | {"PYTHONPATH": path},
                    pass_fds=[far.fileno()],
                    stdin=subprocess.DEVNULL,
                    stderr=self._words,
                )
            near.setsockopt(SOL_SOCKET, SO_SNDTIMEO, _timeval(START_S))  # one that does not even read is hung
            self._socket, self._patience, self._ready = near, 0.0, set()
            self._channel = Connection(os.dup(near.fileno()))
        if self._stopped:
            raise EOFError("the pool is closed")
        return self._channel

    def _receive(self, channel: Connection, timeout_s: float) -> bytes:
        """The next message. Raises TimeoutError when none comes in time, EOFError when the process has died."""
        if self._socket is not None and self._patience != timeout_s:
            self._socket.setsockopt(SOL_SOCKET, SO_RCVTIMEO, _timeval(timeout_s))  # cheaper than a poll per verdict
            self._patience = timeout_s
        try:
            return channel.recv_bytes()
        except BlockingIOError:
            raise TimeoutError(f"no verdict within {timeout_s:g} s") from None
        except (EOFError, ConnectionError):
            raise EOFError("the worker died") from None

    def _gone(self, error: Exception) -> str:
        """End a process that is hung or has died, and say which."""
        if isinstance(error, TimeoutError):
            self.end()
            return str(error)
        return f"the worker died ({self.end(GRACE_S)})"

    def stop(self) -> None:
        """Judge no more: what runs is killed, and whoever waits for it gets EOFError. For another thread to call."""
        self._stopped = True
        if (process := self._process) is not None:
            process.kill()

    def end(self, grace_s: float = 0.0) -> str:
        """Kill the process, unless it ends by itself in `grace_s`, and forget it; how it ended and its last words."""
        if self._channel is not None:
            self._channel.close()
        if self._socket is not None:
            self._socket.close()
        last = ""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
            self._process.kill()
            code = self._process.wait()
            last = f"exit code {code}" if code >= 0 else f"signal {-code}"
            if words := _last_line(self._words):
                last += f", {words}"
        if self._words is not None:
            self._words.close()
        self._channel = self._process = self._socket = self._words = None
        return last


def _timeval(seconds: float) -> bytes:
    """struct timeval."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))


def _last_line(words: IO[bytes] | None) -> str:
    """The last line of a process's standard error, cut to 200 characters."""
    if words is None:
        return ""
    with suppress(OSError):
        words.seek(max(0, words.seek(0, os.SEEK_END) - 4096))
        lines = words.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip()[:200] if lines else ""
    return ""
