"""Which processes of this machine belong to a home: all that a runner starts carries the home in its environment.

So it is exact also after every parent was killed, and a reused process id is never mistaken. Linux only (/proc, prctl).
Not here: starting and watching the server and the runner (`flows/up.py`).
"""

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

MARK = "FLYWHEEL_UP"  # in the environment of a runner, and so of everything below it: its home
FLOW_RUN = "PREFECT__FLOW_RUN_ID"  # set by Prefect for the process of a flow run
SET_PDEATHSIG = 1  # linux/prctl.h


def of_home(home: Path) -> list[int]:
    """Runners and all below them that work for this home."""
    return list(_carrying(f"{MARK}={home}"))


def of_flow_run(flow_run_id: object) -> list[int]:
    """The process of a flow run that was started by a deployment, and all below it."""
    return list(_carrying(f"{FLOW_RUN}={flow_run_id}"))


def end(home: Path, seconds: float = 5.0) -> set[str]:
    """Kill what works for this home, and wait until it is gone; returns the ids of the flow runs that it played.

    Killed at any moment, nothing committed is lost.
    """
    until, played = time.monotonic() + seconds, set[str]()
    while (found := of_home(home)) and time.monotonic() < until:
        for pid in found:
            played.update(e.removeprefix(f"{FLOW_RUN}=") for e in _environment(pid) if e.startswith(f"{FLOW_RUN}="))
            _kill(pid)
        time.sleep(0.05)
    return played


def end_flow_run(flow_run_id: object) -> None:
    """Kill the process of a flow run and all below it."""
    for pid in of_flow_run(flow_run_id):
        _kill(pid)


def die_with_parent() -> None:
    """The kernel kills this process when the one that started it ends, however that ends."""
    ctypes.CDLL(None).prctl(SET_PDEATHSIG, signal.SIGKILL)


def die_with_runner() -> None:
    """The process of a flow run does not outlive its runner: nobody could cancel it, or read what it prints."""
    if FLOW_RUN in os.environ and MARK in os.environ:
        die_with_parent()


def _carrying(entry: str) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid() and entry in _environment(int(folder.name)):
            yield int(folder.name)


def _environment(pid: int) -> list[str]:
    """What a process was started with, NAME=value; nothing of one that is gone, or another user's."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
