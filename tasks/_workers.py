"""Processes of this machine that generate or train: found by their command, which ends with the id of their parent.

So they are known also after that parent was killed. Linux only (/proc); elsewhere none are found. Not here: starting
them (`tasks/engines/_host.py`, `tasks/distill.py`).
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROGRAMS = {"tasks.engines._worker", "tasks.objectives._run"}


def running() -> Iterator[tuple[int, int]]:
    """Each of them, of this user: its process id, and that of the process it works for."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError, ValueError):
            words = path.read_text(errors="replace").rstrip("\0").split("\0")
            if PROGRAMS & {*words} and path.stat().st_uid == os.getuid():
                yield int(path.parent.name), int(words[-1])


def of(pid: int) -> list[int]:
    """Those that work for the process `pid`, also when that is gone."""
    return [worker for worker, parent in running() if parent == pid]
