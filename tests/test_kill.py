"""A writing run killed with SIGKILL at any moment and run again ends like one that was never disturbed.

All stages by the real tasks (`writer.py`); `test_crash.py` does it to the command line with Prefect. A reader asks
throughout, and never sees an error or a part of a stage. KILLS=100 is the full length, some twenty minutes.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from data import schemas
from data.store import Store
from tests.ledgers import assert_whole, look, tables
from tests.writer import start, write_run, write_till_renames

KILLS = int(os.environ.get("KILLS", "0"))
LIVES = 5  # of the short form
PATIENCE = 30  # a process that must end by itself may take this many times as long as the undisturbed one
NOT_BY_RUNS = {"reviews", "imports"}
RUN = "r", 7, 1  # name, seed, rounds
pytestmark = [pytest.mark.timeout(600), pytest.mark.killing]


@dataclass(frozen=True)
class Undisturbed:
    """A home with a run that nobody disturbed, its checksums, and how long it took."""

    home: Path
    tables: dict[str, str]
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """With rows in every relation that runs write."""
    start(time.sleep, 0).join()  # the fork server does its imports
    home, began = tmp_path_factory.mktemp("undisturbed"), time.monotonic()
    writer = start(write_run, home, *RUN)
    writer.join()
    assert writer.exitcode == 0
    seconds = time.monotonic() - began
    look(home)
    assert_whole(home)
    empty = {relation for relation in schemas.RELATIONS if not Store(home).read(relation).num_rows}
    assert empty <= NOT_BY_RUNS | {"contaminations"}
    return Undisturbed(home, tables(home), seconds)


def watched(home: Path, seconds: float, work: Callable[..., None], *given: Any) -> int | None:
    """Let it work to its end, or for `seconds`, while a reader asks. Returns the exit code; -9: it was killed."""
    process, until = start(work, home, *given), time.monotonic() + seconds
    while process.is_alive() and time.monotonic() < until:
        look(home)
        time.sleep(0.3)
    process.kill()
    process.join()
    look(home)
    return process.exitcode


def files(home: Path) -> dict[Path, int]:
    """Everything committed, and when it was written."""
    return {f: f.stat().st_mtime_ns for name in ("lake", "manifests") for f in (home / name).rglob("*") if f.suffix}


def test_a_finished_run_that_is_run_again_writes_nothing(undisturbed: Undisturbed) -> None:
    before = files(undisturbed.home)
    again = start(write_run, undisturbed.home, *RUN)
    again.join()
    assert again.exitcode == 0
    assert files(undisturbed.home) == before


@pytest.mark.slow
def test_killed_again_and_again(undisturbed: Undisturbed, tmp_path: Path) -> None:
    usual = undisturbed.seconds
    rng, codes = Random(5), []
    for _ in range(LIVES):
        codes.append(watched(tmp_path, rng.uniform(0.1, 0.4) * usual, write_run, *RUN))
    assert codes.count(-9) >= 3 and set(codes) <= {-9, 0}
    assert watched(tmp_path, PATIENCE * usual, write_run, *RUN) == 0
    assert_whole(tmp_path)
    assert tables(tmp_path) == undisturbed.tables


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_one_moment(undisturbed: Undisturbed, tmp_path: Path, number: int) -> None:
    usual = undisturbed.seconds
    moment = (number + Random(number).random()) / KILLS * usual  # one in each stretch of the run
    assert watched(tmp_path, moment, write_run, *RUN) in (-9, 0)  # 0: near its end
    assert watched(tmp_path, PATIENCE * usual, write_run, *RUN) == 0
    assert_whole(tmp_path)
    assert tables(tmp_path) == undisturbed.tables


@pytest.mark.timeout(3600)
@pytest.mark.skipif(not KILLS, reason="of the full length")
def test_killed_at_every_commit(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """Each life adds a single part or manifest, and leaves the next one behind under its temporary name."""
    usual = undisturbed.seconds
    lives = 1
    while (code := watched(tmp_path, PATIENCE * usual, write_till_renames, 1, *RUN)) == -9:
        lives += 1
    assert code == 0 and lives > 30
    assert_whole(tmp_path)
    assert tables(tmp_path) == undisturbed.tables
