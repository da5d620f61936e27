"""The usual judge of programs, after human-eval's `execution.py`: a process for each, the tests in its interpreter.

It stands here to be compared with, in speed alone: it shares its interpreter with the program and is no judge to trust
(an answer that equals everything is one of many things it is fooled by). As there, each program costs a manager's
process for the result and a process of its own, in a fresh folder, with the destructive functions taken away, output
swallowed and an alarm set; several threads check at the same time.
"""

import builtins
import contextlib
import faulthandler
import io
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.managers import ListProxy
from types import FrameType
from typing import Any

TIMEOUT_S = 3.0
_TAKEN = "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate replace"
_TAKEN += " unlink fchmod fchown chmod chown chroot lchown getcwd chdir"
_FORK: Any = multiprocessing.get_context("fork")


class _Late(Exception):
    pass


def judge(programs: Sequence[str], workers: int) -> list[bool]:
    """Whether each program, its tests at its end, runs to its end."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(_check, programs))


def _check(program: str) -> bool:
    with _FORK.Manager() as manager:
        result = manager.list()
        process = _FORK.Process(target=_run, args=(program, result))
        process.start()
        process.join(TIMEOUT_S + 1)
        if process.is_alive():
            process.kill()
        return list(result) == ["passed"]


def _run(program: str, result: "ListProxy[str]") -> None:
    """In the process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        here, rmtree, rmdir, chdir, unlink = os.getcwd(), shutil.rmtree, os.rmdir, os.chdir, os.unlink
        os.chdir(folder)
        _take_away()
        try:
            with _swallowed(), _limited():
                exec(program, {})
            result.append("passed")
        except BaseException as e:
            result.append(f"failed: {type(e).__name__}")
        shutil.rmtree, os.rmdir, os.chdir, os.unlink = rmtree, rmdir, chdir, unlink
        os.chdir(here)


def _take_away() -> None:
    faulthandler.disable()
    for name in _TAKEN.split():
        setattr(os, name, None)
    for name in ("rmtree", "move", "chown"):
        setattr(shutil, name, None)
    for name in ("exit", "quit"):
        setattr(builtins, name, None)
    subprocess.Popen = None  # type: ignore[assignment,misc]
    for name in ("ipdb", "joblib", "resource", "psutil", "tkinter"):
        sys.modules[name] = None  # type: ignore[assignment]


@contextlib.contextmanager
def _swallowed() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise _Late

    signal.setitimer(signal.ITIMER_REAL, TIMEOUT_S)
    signal.signal(signal.SIGALRM, late)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
