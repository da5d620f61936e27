"""A writing run killed with SIGKILL at any moment and run again ends like one that was never disturbed.

All stages by the real tasks (`writer.py`); `test_crash.py` does it to the command line with Prefect. A reader asks
throughout, and never sees an error or a part of a stage. KILLS=100 is the full length.
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests.ledgers import assert_whole, look, tables
from tests.writer import start, write_run, write_till_renames

KILLS = int(os.environ.get("KILLS", "5"))
FULL = KILLS >= 100
ROUNDS = 2 if FULL else 1
ASKED = 20  # longest wait for a process that must end by itself, times the usual one


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A home, and the seconds that its run took."""
    start(time.sleep, 0).join()  # the fork server does its imports
    home, began = tmp_path_factory.mktemp("undisturbed"), time.monotonic()
    writer = start(write_run, home, "r", 7, ROUNDS)
    writer.join()
    assert writer.exitcode == 0
    seconds = time.monotonic() - began
    look(home)
    assert_whole(home)
    return home, seconds


def watched(home: Path, seconds: float, *writer: object) -> int | None:
    """Run until the end, or `seconds` from the start; a reader asks all the while. Returns the exit code."""
    process, until = start(*writer), time.monotonic() + seconds  # type: ignore[arg-type]
    while process.is_alive() and time.monotonic() < until:
        look(home)
    process.kill()
    process.join()
    return process.exitcode


@pytest.mark.slow
@pytest.mark.timeout(120 if not FULL else 7200)
@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment(undisturbed: tuple[Path, float], tmp_path: Path, number: int) -> None:
    whole, usual = undisturbed
    moment = (number + random.Random(number).random()) / KILLS * usual  # one in each stretch of the run
    if watched(tmp_path, moment, write_run, tmp_path, "r", 7, ROUNDS) == -9:
        look(tmp_path)
    assert watched(tmp_path, ASKED * usual, write_run, tmp_path, "r", 7, ROUNDS) == 0
    assert_whole(tmp_path)
    assert tables(tmp_path) == tables(whole)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not FULL, reason="KILLS=100: some forty lives")
def test_killed_at_every_commit(undisturbed: tuple[Path, float], tmp_path: Path) -> None:
    """Each life adds a single part or manifest, and leaves the next one behind under its temporary name."""
    whole, usual = undisturbed
    lives = 1
    while (code := watched(tmp_path, ASKED * usual, write_till_renames, tmp_path, "r", 1, ROUNDS)) == -9:
        lives += 1
    assert code == 0 and lives > 30
    assert_whole(tmp_path)
    assert tables(tmp_path) == tables(whole)
