"""Runs the command line in this process and kills it with SIGKILL at a chosen point of a chosen stage.

    python -m tests.kill_at generate written run smoke --name x

Points: `written` (right after the stage's first part), `committing` (all parts written, no manifest), `committed`.
"""

import os
import signal
import sys
from typing import Any

from data.store import Stage
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


if __name__ == "__main__":
    arm(sys.argv[1], sys.argv[2])
    sys.exit(main(sys.argv[3:]))
