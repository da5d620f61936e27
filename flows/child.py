"""A process that `flywheel up` keeps alive. Not here: which there are, and what happens when one dies (`up.py`)."""

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import UserError
from flows import processes

MOST_DEATHS, WITHIN_S = 5, 60.0  # then it is not started again
ASK_S, HUNG_S = 15.0, 120.0  # between two questions whether it works; one that answers none for so long hangs


@dataclass
class Child:
    """A process that is started again when it dies. It does not outlive this process, and hears no Ctrl-C.

    `answers` asks it whether it works.
    """

    name: str
    argv: list[str]
    env: dict[str, str]
    log: Path
    told: bytes = b""
    answers: Callable[[], bool] = lambda: True
    deaths: list[float] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None
    asked: float = 0.0
    answered: float = 0.0

    def start(self) -> None:
        """Start it, with what it is told on its standard input."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv, env=self.env, stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=processes.die_with_parent,
            )  # fmt: skip
        self.asked = self.answered = time.monotonic()
        assert self.process.stdin is not None
        with suppress(BrokenPipeError), self.process.stdin as stdin:
            stdin.write(self.told)

    def dead(self) -> int | None:
        """Its exit code when it has ended."""
        return self.process.poll() if self.process else None

    def hangs(self) -> bool:
        """Whether it has given no answer for `HUNG_S`. Asks it now and then, so call it often."""
        if time.monotonic() - self.asked < ASK_S:
            return False
        if self.answers():
            self.answered = time.monotonic()
        self.asked = time.monotonic()
        return self.asked - self.answered >= HUNG_S

    def bury(self) -> float:
        """Note its death; returns how many seconds to wait before the next start. Raises UserError after too many."""
        now = time.monotonic()
        self.deaths = [t for t in self.deaths if now - t < WITHIN_S] + [now]
        if len(self.deaths) >= MOST_DEATHS:
            raise UserError(f"the {self.name} died {MOST_DEATHS} times within a minute: see the end of {self.log}")
        return 0.25 * (1 << (len(self.deaths) - 1))

    def stop(self, seconds: float) -> None:
        """Ask it to end, and kill it when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
