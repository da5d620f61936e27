"""Locks between processes: held together by whoever works on something, taken alone by whoever would clear it away.

A lock ends with the process that has it, however that ends, and leaves an empty file behind. Not here: what is locked.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Held:
    """A lock that is held together with others until `close`, or until this object is forgotten.

    Waits while somebody has it alone, who may remove the file. Raises OSError when it cannot be made; its folder must
    exist.
    """

    def __init__(self, path: Path) -> None:
        self._handle = -1
        while not self._is(path):
            self.close()
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(self._handle, fcntl.LOCK_SH)

    def _is(self, path: Path) -> bool:
        """Whether what is held is the file that is there."""
        with suppress(FileNotFoundError):
            return self._handle >= 0 and os.path.samestat(os.fstat(self._handle), os.stat(path))
        return False

    def close(self) -> None:
        """Let go. Safe to call twice."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            self.close()


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether nobody holds it; if so, whoever wants to hold it waits until the block ends. Raises OSError."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _free(handle)
    finally:
        os.close(handle)


def busy(path: Path) -> bool:
    """Whether somebody holds it at this moment. Writes nothing, so it can be asked of a read-only disk."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _free(handle)
    finally:
        os.close(handle)


def _free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
