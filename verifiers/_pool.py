"""Persistent worker processes that judge attempts. The parent enforces time with SIGKILL and evaluates nothing.

Results come in the order of the items. A worker that hangs or dies costs one `unverified` verdict and is replaced; the
rest of its batch is judged again. A few batches are in flight at a time, so any iterable may be judged.
"""

import itertools
import json
import os
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from socket import SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, socket, socketpair
from types import TracebackType

from data.errors import UserError
from data.progress import Progress, silent
from data.records import Problem, StepVerdict, Verdict
from verifiers._judge import Judged, fault

BATCH = 64
START_S = 60.0  # a new worker imports its libraries and proves its sandbox
ROOT = Path(__file__).parents[1]

Item = tuple[str, Problem, str]


class Pool:
    """Workers for as long as the context lasts; `workers=0` means one per core."""

    def __init__(self, workers: int = 0, timeout_s: float = 5.0) -> None:
        self._count = workers or len(os.sched_getaffinity(0))
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._workers = [_Worker(timeout_s) for _ in range(self._count)]
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(self._count, "judge")

    def judge(self, items: Iterable[Item], progress: Progress = silent) -> Iterator[Judged]:
        """Judgements in the order of `items`, with `attempt_id` set."""
        waiting: deque[Future[list[Judged]]] = deque()
        source, done = iter(items), 0
        while True:
            if batch := list(itertools.islice(source, BATCH)):
                waiting.append(self._threads.submit(self._judge_batch, batch))
            if not waiting:
                return
            if not batch or len(waiting) > 2 * self._count:
                finished = waiting.popleft().result()
                yield from finished
                done += len(finished)
                progress(done, 0, "judged")

    def _judge_batch(self, batch: list[Item]) -> list[Judged]:
        worker = self._idle.get()
        try:
            judged = worker.judge(batch)
        finally:
            self._idle.put(worker)
        return [
            Judged(replace(j.verdict, attempt_id=i), [replace(s, attempt_id=i) for s in j.steps])
            for j, (i, _, _) in zip(judged, batch, strict=True)
        ]

    def close(self) -> None:
        """End all workers, also those in the middle of a check."""
        for worker in self._workers:
            worker.stop()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.end()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _timeval(seconds: float) -> bytes:
    """struct timeval."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))


class _Worker:
    """One child process, started when first needed and again after it was lost."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout = timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: Connection | None = None
        self._socket: socket | None = None
        self._patience = 0.0
        self._prepared: set[str] = set()  # verifiers that this child has ready
        self._stopped = False

    def judge(self, batch: list[Item]) -> list[Judged]:
        """Judge a batch; each item may take `timeout_s`."""
        judged: list[Judged] = []
        while len(judged) < len(batch):
            try:
                channel = self._running()
                left = [[asdict(problem), text] for _, problem, text in batch[len(judged) :]]
                channel.send_bytes(json.dumps(left).encode())
                self._ready(channel, {problem.verifier for _, problem, _ in batch})
                while len(judged) < len(batch):
                    verdict, steps = json.loads(self._receive(channel, self._timeout))
                    judged.append(Judged(Verdict(**verdict), [StepVerdict(**s) for s in steps]))
            except (OSError, EOFError) as e:
                if self._stopped:
                    raise
                problem = batch[len(judged)][1]
                judged.append(Judged(fault(problem, str(e) or "the worker died"), []))
                self.end()
        return judged

    def _running(self) -> Connection:
        if self._stopped:
            raise EOFError("the pool is closed")
        if self._channel is None:
            near, far = socketpair()
            path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)
            env = os.environ | {"PYTHONPATH": path}
            command = [sys.executable, "-m", "verifiers._worker", str(far.fileno())]
            self._child = subprocess.Popen(
                command, cwd=ROOT, env=env, pass_fds=[far.fileno()], stdin=subprocess.DEVNULL
            )
            far.close()
            near.setsockopt(SOL_SOCKET, SO_SNDTIMEO, _timeval(START_S))  # one that does not even read is hung
            self._socket, self._patience, self._prepared = near, 0.0, set()
            self._channel = Connection(os.dup(near.fileno()))
        return self._channel

    def _ready(self, channel: Connection, verifiers: set[str]) -> None:
        """Wait until the verifiers of a batch are prepared. Raises UserError when one cannot be."""
        answer = self._receive(channel, self._timeout if verifiers <= self._prepared else START_S)
        if answer != b"ready":
            raise UserError(answer.decode().removeprefix("refused "))
        self._prepared |= verifiers

    def _receive(self, channel: Connection, timeout_s: float) -> bytes:
        """The next message. Raises TimeoutError when none comes in time, EOFError when the child has died."""
        if self._socket is not None and self._patience != timeout_s:
            self._socket.setsockopt(SOL_SOCKET, SO_RCVTIMEO, _timeval(timeout_s))  # cheaper than a poll per verdict
            self._patience = timeout_s
        try:
            return channel.recv_bytes()
        except BlockingIOError:
            raise TimeoutError(f"no verdict within {timeout_s:g} s") from None
        except (EOFError, ConnectionError):
            raise EOFError("the worker died") from None

    def stop(self) -> None:
        """Judge no more: what runs is killed, and whoever waits for it gets EOFError. For another thread to call."""
        self._stopped = True
        if (child := self._child) is not None:
            child.kill()

    def end(self) -> None:
        """Kill the child and forget it."""
        if self._channel is not None and self._socket is not None:
            self._channel.close()
            self._socket.close()
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._channel = self._child = self._socket = None
