"""Runs command lines one after another, each killed with SIGKILL at a chosen point of a chosen stage.

    python -m tests.kill_at generate:written verify:committing -- run smoke --name x -- run smoke --name x --resume

The first command line is for the first kill, the second for the others. Each runs in a process of its own, forked from
one that has imported all there is to import. Points: `written` (right after the stage's first part), `committing` (all
parts written, no manifest), `committed`. Exit code 0 when every process died at its point.
"""

import os
import signal
import sys
from typing import Any

from data.store import Stage
from flows import environment
from flows.cli import main


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(stage: str, point: str) -> None:
    write, commit = Stage.write, Stage.commit

    def writing(self: Stage, *args: Any) -> None:
        write(self, *args)
        if self.name.startswith(stage) and point == "written":
            die()

    def committing(self: Stage, *args: Any) -> None:
        if self.name.startswith(stage) and point == "committing":
            die()
        commit(self, *args)
        if self.name.startswith(stage) and point == "committed":
            die()

    Stage.write, Stage.commit = writing, committing  # type: ignore[method-assign]


def killed(kill: str, argv: list[str]) -> bool:
    """Whether a process with this command line died at this point."""
    child = os.fork()
    if child == 0:
        try:
            arm(*kill.split(":"))
            os._exit(main(argv) or 100)
        finally:
            os._exit(101)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def play(words: list[str]) -> int:
    first = words.index("--")
    second = words.index("--", first + 1)
    argv = words[first + 1 : second]
    for kill in words[:first]:
        if not killed(kill, argv):
            print(f"{kill} was not reached", file=sys.stderr)
            return 1
        argv = words[second + 1 :]
    return 0


if __name__ == "__main__":
    environment.prepare()
    import great_expectations  # noqa: F401 - once, for all

    import flows.entries  # noqa: F401

    sys.exit(play(sys.argv[1:]))
