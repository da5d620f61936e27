"""Is a jailed program asleep? Read from /proc, outside the jail: the state of its threads. Guesses nothing."""

from pathlib import Path

_AT_REST = set("SZX")  # sleeping, ended; not running (R, also when it waits for a core), on a disk (D), stopped (T)


def asleep(server: int) -> bool:
    """True when no thread of the program below the fork server `server` runs, wants to run, or waits for a disk; nor is
    stopped, which it cannot do to itself.

    False where that cannot be seen: /proc hides other users' processes, or the kernel lists no children.
    """
    try:
        program = _child(_child(server))
        stats = [(task / "stat").read_text(errors="replace") for task in Path(f"/proc/{program}/task").iterdir()]
        return bool(stats) and all(stat.rpartition(")")[2].split()[0] in _AT_REST for stat in stats)
    except (OSError, ValueError, IndexError):
        return False


def _child(pid: int) -> int:
    """The only child of a process. Raises OSError, ValueError."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())
