"""How far a stage is, in words, and when it will have ended. Arithmetic only: `terminal.py` and `live.py` show it."""

import time
from collections.abc import Callable


class Pace:
    """The newest of what a stage told, and its speed. `tell` is a `data.progress.Progress`; `now` gives seconds."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.began = now()
        self.done, self.total, self.text = 0, 0, ""
        self._from: tuple[float, int] | None = None  # when speed is measured from: the first thing that got done

    def tell(self, done: int, total: int, text: str) -> None:
        """Take down how far the stage is. Another total, or less done than before, is a new piece of work."""
        if total != self.total or done < self.done:
            self._from = None
        elif self._from is None and done > self.done:
            self._from = self._now(), done
        self.done, self.total, self.text = done, total, text

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return self._now() - self.began

    @property
    def percent(self) -> float:
        """From 0 to 100; 0 while nothing was told."""
        return 100 * min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def ends(self) -> float | None:
        """When it should have ended, in seconds since 1970; None while nobody knows.

        The speed is measured from the first result on, so that an engine's start does not count.
        """
        if self._from is None or self.done <= self._from[1]:
            return None
        at, done = self._from
        now = self._now()
        return now + (self.total - self.done) * (now - at) / (self.done - done)

    @property
    def words(self) -> str:
        """`240 of 800 · 1,234 tokens/s · until 14:32`; empty while nothing was told."""
        said = [f"{self.done:,} of {self.total:,}"] if self.total else []
        said += [self.text] if self.text else []
        if self.ends is not None and self.done < self.total:
            said.append(f"until {clock(self.ends, self._now())}")
        return " · ".join(said)


def clock(then: float, now: float) -> str:
    """Local time of day, with the day of the week when that is not today's."""
    same = time.localtime(then)[:3] == time.localtime(now)[:3]
    return time.strftime("%H:%M" if same else "%a %H:%M", time.localtime(then))
