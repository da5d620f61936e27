"""Whose turn it is on the device, among the runs of this home: a lock that ends with its process, and a note beside it.

The lock is exact: it is free the moment its holder is gone, also by kill -9, and needs no server. The note says who
has it; one that is there while the lock is free was left by a holder that was killed. Not here: Prefect's part in it
(`flows/device.py`).
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from data import locks, manifest
from data.errors import UserError
from data.store import DEVICE, home
from flows.terminal import say
from tasks import _workers

VARIABLE, USUAL = "FLYWHEEL_DEVICE", "gpu"
ASK_S, SAY_S = 0.5, 60.0
DYING_S = 30.0  # a process that was killed with its parent may take this long to give back a GPU's memory


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the device. `since`: seconds since 1970; `lease`: of Prefect's slot, empty before it is got.

    `flow_run`: its id in Prefect, empty outside a flow.
    """

    run: str
    pid: int
    since: float
    lease: str = ""
    flow_run: str = ""

    def __str__(self) -> str:
        if not self.pid:
            return "a process has just got it"
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
        return f"{self.run or 'a process'} (process {self.pid}) has it since {at}"


def name() -> str:
    """The device's name, and that of its limit in Prefect. Raises UserError for one that cannot name a file."""
    found = os.environ.get(VARIABLE) or USUAL
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", found):
        raise UserError(f"{VARIABLE}={found!r} cannot name a device: use letters, digits, '.', '_' and '-'")
    return found


def lock() -> Path:
    """The lock of the device of this name."""
    return home() / DEVICE / f"{name()}.lock"


def holder() -> Holder | None:
    """Who in this home has the device at this moment; None: nobody."""
    return (_note() or Holder("", 0, time.time())) if locks.busy(lock()) else None


def left_behind() -> Holder | None:
    """Who was killed while it had the device, and has left Prefect's slot taken; None: nobody."""
    return None if locks.busy(lock()) else _note()


def note(who: Holder) -> None:
    """Say who has the device; only for the one that has the lock."""
    manifest.write_atomic(_path(), json.dumps(asdict(who)).encode())


def forget() -> None:
    """The slot was given back; only for the one that has the lock."""
    _path().unlink(missing_ok=True)


@contextmanager
def at_once(path: Path | None = None) -> Iterator[bool]:
    """Whether a lock (default: the device's) is to be had at once; then the block has it. Raises LedgerError."""
    path = path or lock()
    with ExitStack() as stack:
        try:
            manifest.make_folder(path.parent)
            mine = stack.enter_context(locks.alone(path))
        except OSError as e:
            raise manifest.unwritable(path, e) from e
        yield mine


@contextmanager
def turn() -> Iterator[Holder | None]:
    """Wait for the lock, and say so; the block has it. Yields who was killed when it had it last, if that is so.

    The programs that a killed holder had started are gone when the block begins. One at a time waits at the door, so
    that who gives the device back and wants it again is behind who has waited.
    """
    tell = Teller()
    with ExitStack() as door:
        door.enter_context(_waited(lock().with_suffix(".door"), tell))
        with _waited(lock(), tell):
            door.close()  # it is the next one's
            left = _note()
            _wait_for_the_dying(left)
            yield left


@contextmanager
def abandoned() -> Iterator[Holder | None]:
    """Who was killed while it had the device, and whose programs are gone by now; the block has the lock meanwhile."""
    if _note() is None:  # mostly: nobody is kept waiting by a look
        yield None
        return
    with at_once() as mine:
        left = _note() if mine else None
        yield left if left and not _workers.of(left.pid) else None


class Teller:
    """Says why one waits for the device, at first and then every minute."""

    def __init__(self) -> None:
        self._last = -SAY_S

    def __call__(self, why: str) -> None:
        if time.monotonic() - self._last >= SAY_S:
            self._last = time.monotonic()
            say(f"Waiting for the device {name()}: {why}")


@contextmanager
def _waited(path: Path, tell: Teller) -> Iterator[None]:
    """Wait for a lock; the block has it."""
    while True:
        with at_once(path) as mine:
            if mine:
                yield
                return
        if (who := holder()) and who.pid:
            tell(str(who))
        time.sleep(ASK_S)


def _path() -> Path:
    return lock().with_suffix(".json")


def _note() -> Holder | None:
    """The note; None when there is none that can be read."""
    with suppress(OSError, ValueError, TypeError):
        return Holder(**json.loads(_path().read_text()))
    return None


def _wait_for_the_dying(left: Holder | None) -> None:
    until = time.monotonic() + DYING_S
    while left and _workers.of(left.pid) and time.monotonic() < until:
        time.sleep(0.05)
