"""CPU seconds of what plays a run and what orchestrates it, from its first round to its end.

They hardly depend on what else the machine does, while the seconds of a clock do. Not here: a run's workers (engines,
sandboxes, trainings), which do the same with Prefect and without it.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

import psutil

from bench._chaos_machine import GONE

EVERY_S = 0.5
PROGRAMS = ("prefect server start", "flows.runner", "flows.cli up", "prefect.engine", "bench._bare")


class Meter(threading.Thread):
    """Watches the processes below this one. A context manager; `seconds` is known when its block has ended."""

    def __init__(self, begun: Callable[[], bool], ended: Callable[[], bool]) -> None:
        super().__init__(name="meter", daemon=True)
        self._begun, self._ended, self._closing = begun, ended, threading.Event()
        self._before: dict[int, float] = {}
        self._latest: dict[int, float] = {}

    @property
    def seconds(self) -> float:
        """CPU seconds, of all of them together."""
        return sum(used - self._before.get(pid, 0.0) for pid, used in self._latest.items())

    def run(self) -> None:
        """Look every half second."""
        while not self._begun():
            if self._closing.wait(EVERY_S):
                return
        self._before = _used()
        while not self._ended() and not self._closing.wait(EVERY_S):
            self._latest |= _used()

    def __enter__(self) -> "Meter":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.join()


def _used() -> dict[int, float]:
    """CPU seconds so far of each such process below this one, by its id."""
    used = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(*GONE):
            command = " ".join(process.cmdline())
            if any(program in command for program in PROGRAMS):
                used[process.pid] = sum(process.cpu_times()[:2])
    return used
