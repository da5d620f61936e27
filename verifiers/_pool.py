"""Worker processes that judge attempts, as many at a time as there are workers; results in the order of the items.

Idle workers take a batch of what is next, and give back what they have not begun when it takes long: all stay busy to
the end, and nothing waits behind more than one slow check. At most AHEAD items are in flight, so any iterable may be
judged. A killed worker costs at most one verdict (`_child.py` states who pays for a fault).
"""

import math
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType

from data.progress import Progress, silent
from verifiers._child import Child, Item
from verifiers._judge import Judged

AHEAD = 4096  # items read and not given back: what others can do while one check runs into its time limit
BATCH = 64  # most items in one message to a worker

__all__ = ["AHEAD", "Item", "Pool"]


@dataclass(slots=True)
class _Call:
    """One call of `judge`: what has been judged and not given back, by position."""

    done: dict[int, Judged] = field(default_factory=dict)
    failure: Exception | None = None
    over: bool = False  # whoever asked has left


_Task = tuple[_Call, int, Item]


class Pool:
    """Workers for as long as the context lasts; `workers=0` means one per core."""

    def __init__(self, workers: int = 0, timeout_s: float = 5.0) -> None:
        count = workers or len(os.sched_getaffinity(0))
        lock = threading.Lock()
        self._work = threading.Condition(lock)  # there is something to do, or the pool closes
        self._news = threading.Condition(lock)  # something was done
        self._tasks: deque[_Task] = deque()
        self._closed = False
        self._children = [Child(timeout_s) for _ in range(count)]
        self._threads = [threading.Thread(target=self._serve, args=[c], daemon=True) for c in self._children]
        for thread in self._threads:
            thread.start()

    def judge(self, items: Iterable[Item], progress: Progress = silent) -> Iterator[Judged]:
        """Judgements in the order of `items`, with `attempt_id` set. Raises UserError when none can be had here."""
        call, source = _Call(), iter(items)
        taken = given = 0
        try:
            while True:
                fresh = list(islice(source, min(BATCH, AHEAD - (taken - given))))
                self._add((call, taken + i, item) for i, item in enumerate(fresh))
                taken += len(fresh)
                if taken == given:
                    return
                if ready := self._take(call, given, wait=not fresh):
                    yield from ready
                    given += len(ready)
                    progress(given, 0, "judged")
        finally:
            call.over = True  # takes no lock: a forgotten generator may end in any thread

    def _add(self, tasks: Iterable[_Task]) -> None:
        with self._work:
            self._tasks.extend(tasks)
            self._work.notify_all()

    def _take(self, call: _Call, first: int, wait: bool) -> list[Judged]:
        """What has been judged without a gap from position `first`; `wait` until there is some."""
        with self._news:
            while wait and first not in call.done and not call.failure and not self._closed:
                self._news.wait()
            if call.failure:
                raise call.failure
            if wait and self._closed:
                raise RuntimeError("the pool was closed while it judged")
            ready: list[Judged] = []
            while (judged := call.done.pop(first + len(ready), None)) is not None:
                ready.append(judged)
            return ready

    def _serve(self, child: Child) -> None:
        """The thread of one worker: take tasks, have them judged, deliver the results, give back the rest."""
        most = BATCH
        while tasks := self._next(most):
            judged: Sequence[Judged] = []
            failure = None
            try:
                judged = child.judge([item for _, _, item in tasks])
            except Exception as e:  # whoever asked gets it, in its own thread
                failure = e
            most = min(BATCH, 2 * len(judged) + 1)  # what is given back has been packed in vain
            with self._news:
                for (call, index, _), found in zip(tasks, judged, strict=False):
                    call.done[index] = found
                if failure:
                    for call, _, _ in tasks:
                        call.failure = failure
                else:
                    self._tasks.extendleft(reversed(tasks[len(judged) :]))
                    self._work.notify_all()
                self._news.notify_all()

    def _next(self, most: int) -> list[_Task]:
        """The next tasks for a worker; none when the pool closes."""
        chosen: list[_Task] = []
        with self._work:
            while not chosen:
                while not self._tasks and not self._closed:
                    self._work.wait()
                if self._closed:
                    return []
                fair = math.ceil(len(self._tasks) / (2 * len(self._children)))
                taken = [self._tasks.popleft() for _ in range(min(fair, most))]
                chosen = [task for task in taken if not task[0].over]
        return chosen

    def close(self) -> None:
        """End all workers, also those in the middle of a check."""
        with self._work:
            self._closed = True
            self._work.notify_all()
            self._news.notify_all()
        for child in self._children:
            child.stop()
        for thread in self._threads:
            thread.join()
        for child in self._children:
            child.end()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
