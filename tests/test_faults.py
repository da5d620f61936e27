"""Processes killed at random during 5,000 verdicts: every attempt gets exactly one, and no fault makes one wrong."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from data import domains, gold
from data.records import Problem, Verdict
from verifiers._child import START_TRIES
from verifiers._pool import Item, Pool

TOTAL = 5_000
PROGRAMS = 500
KILLS = 10
YOUNG_S = 4.0  # a process that is younger may be starting; START_TRIES of those in a row would be refused


def mixed(rng: Random) -> list[Item]:
    """Answers, words and programs, right and wrong, in no order."""
    found: list[tuple[Problem, str]] = []
    for name, count in (("chain_sum", 1_500), ("equations", 1_500), ("programs", PROGRAMS)):
        domain = domains.load(name)
        for problem in islice(domain.problems("train", 3, 4), count // 2):
            right = domain.solve(problem)
            found += [(problem, right), (problem, right.replace("2", "3").replace("x+=", "x-="))]
    while len(found) < TOTAL:
        word = rng.choice(("Paris", "London", "Rome"))
        known = gold.dump(gold.Answer("Paris"))
        found.append((Problem("w", "words", 1, "?", known, "exact", "test", "train"), f"So\n#### {word}"))
    rng.shuffle(found)
    return [(str(i), problem, text) for i, (problem, text) in enumerate(found)]


def processes() -> Iterator[tuple[int, str]]:
    """Workers of this process, and the two processes of the fork server that each may have. Not the programs below."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    for worker in children.get(os.getpid(), []):
        if b"verifiers._worker" in command(worker):
            yield worker, "worker"
            for outer in children.get(worker, []):
                yield outer, "sandbox"
                yield from ((inner, "sandbox") for inner in children.get(outer, []))


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Killer(threading.Thread):
    """Kills a process every now and then until told to stop."""

    def __init__(self, rng: Random) -> None:
        super().__init__()
        self.rng, self.done = rng, threading.Event()
        self.killed: list[str] = []
        self.young = 0

    def run(self) -> None:
        born: dict[int, float] = {}
        strike = time.monotonic() + 1.5
        while not self.done.wait(0.05) and len(self.killed) < KILLS:
            there = dict(processes())
            born = {pid: born.get(pid, time.monotonic()) for pid in there}
            if time.monotonic() < strike or not there:
                continue
            self.kill(there, born)
            strike = time.monotonic() + self.rng.uniform(0.1, 0.8)

    def enough(self) -> bool:
        """Whether workers and sandboxes were killed, and often enough."""
        return len(self.killed) >= 5 and {"worker", "sandbox"} <= set(self.killed)

    def kill(self, there: dict[int, str], born: dict[int, float]) -> None:
        pid = self.rng.choice(sorted(there))
        young = time.monotonic() - born[pid] < YOUNG_S
        if young and self.young == START_TRIES - 2:
            return
        self.young += young
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.killed.append(there[pid])


@pytest.mark.killing
@pytest.mark.slow
def test_random_kills_cost_no_verdict_but_their_own() -> None:
    items = mixed(Random(1))
    with Pool(2) as pool:
        truth = [j.verdict for j in pool.judge(items)]
    assert {v.outcome for v in truth} == {"correct", "incorrect"}
    killer = Killer(Random(2))
    with Pool(2) as pool:
        killer.start()
        try:
            while not killer.enough():
                _check(items, [j.verdict for j in pool.judge(items)], truth, killer)
        finally:
            killer.done.set()
            killer.join()


def _check(items: list[Item], found: list[Verdict], truth: list[Verdict], killer: Killer) -> None:
    assert [v.attempt_id for v in found] == [i for i, _, _ in items]
    lost = [v for v in found if v.outcome == "unverified"]
    assert all(f.outcome == t.outcome for f, t in zip(found, truth, strict=True) if f.outcome != "unverified")
    assert all("fault" in v.reason for v in lost)
    assert len(lost) <= len(killer.killed)
