"""Writers and readers of one home at the same time: nobody waits long, nobody fails, everybody sees whole stages."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data import duck, manifest
from data.errors import UserError
from data.records import Attempt, Verdict
from data.store import At, Store
from flows import run
from flows._begin import begin
from flows.alone import on_run
from flows.settings import load_settings
from tests.ledgers import assert_whole, look, tables
from tests.writer import start, write_run

ROUNDS, ROWS = 2, 40


def churn(home: Path, name: str) -> None:
    """Many small stages, published one by one."""
    store = Store(home)
    for number in range(ROUNDS):
        at = At(name, number, 0)
        ids = [f"{name}-{number}-{i}" for i in range(ROWS)]
        for stage_name, relation, rows in (
            ("generate", "attempts", [Attempt(i, "p", "m", "s", 0, i, [], 1, -1.0, "stop") for i in ids]),
            ("verify", "verdicts", [Verdict("correct", "same", attempt_id=i) for i in ids]),
        ):
            stage = store.stage(at, stage_name, "f")
            stage.write(relation, "first", rows[:10])
            stage.write(relation, "rest", rows[10:])
            stage.commit()
            store.publish()


def read(home: Path, until: Path) -> None:
    """Ask until that file is there; dies of the first error or half state."""
    asked = 0
    while not until.exists():
        look(home)
        asked += 1
        time.sleep(0.05)
    assert asked > 1


def hold(home: Path, name: str, seconds: float, child: bool) -> None:
    """Work on a run for a while, perhaps with a child that outlives this process."""
    with on_run(Store(home), name):
        if child:
            subprocess.Popen(["sleep", "5"])
        (home / "held").touch()
        time.sleep(seconds)


def take(home: Path, name: str, seconds: float) -> None:
    """Exits 3 when somebody else works on the run."""
    try:
        with on_run(Store(home), name):
            time.sleep(seconds)
    except UserError:
        raise SystemExit(3) from None


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.killing
def test_writers_and_readers_at_once(tmp_path: Path) -> None:
    home, over = tmp_path / "home", tmp_path / "over"
    writers = [start(churn, home, name) for name in ("a", "b")]
    readers = [start(read, home, over) for _ in range(2)]
    for writer in writers:
        writer.join()
    over.touch()
    for reader in readers:
        reader.join()
    assert [p.exitcode for p in (*writers, *readers)] == [0] * 4
    assert_whole(home)
    counts = duck.sql(home, "SELECT run, count(DISTINCT id) AS n FROM attempts GROUP BY run ORDER BY run").to_pylist()
    assert counts == [{"run": name, "n": ROUNDS * ROWS} for name in "ab"]
    assert len(list(manifest.committed(home))) == 2 * ROUNDS * 2


def test_a_snapshot_that_is_held_open_does_not_move(tmp_path: Path) -> None:
    """As a notebook holds it: what it asks is of the moment it was opened, while runs go on publishing."""
    churn(tmp_path, "a")
    count = "SELECT count(*), count(DISTINCT run) FROM attempts"
    with duck.duckdb.connect(str(tmp_path / "flywheel.duckdb"), read_only=True) as notebook:
        before = notebook.execute(count).fetchall()
        churn(tmp_path, "b")
        assert notebook.execute(count).fetchall() == before == [(ROUNDS * ROWS, 1)]
    assert duck.sql(tmp_path, "SELECT DISTINCT run FROM attempts").num_rows == 2


@pytest.mark.killing
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_runs_at_once_end_as_one_alone_would(tmp_path: Path) -> None:
    """Of one seed, so that both must write the same rows."""
    both = [start(write_run, tmp_path, name, 7, 1) for name in ("a", "b")]
    while any(p.is_alive() for p in both):
        look(tmp_path)
        time.sleep(0.2)
    assert [p.exitcode for p in both] == [0, 0]
    assert_whole(tmp_path)
    assert tables(tmp_path, "a") == tables(tmp_path, "b")
    assert Store(tmp_path).read("verdicts", "a").num_rows == Store(tmp_path).read("attempts", "b").num_rows > 0


@pytest.mark.killing
def test_of_many_that_work_on_one_run_one_gets_it(tmp_path: Path) -> None:
    rivals = [start(take, tmp_path, "r", 2.0) for _ in range(4)]
    others = [start(take, tmp_path, f"other-{i}", 0.0) for i in range(2)]
    for process in (*rivals, *others):
        process.join()
    assert sorted(p.exitcode or 0 for p in rivals) == [0, 3, 3, 3]
    assert [p.exitcode for p in others] == [0, 0]


@pytest.mark.parametrize("child", [False, True])
def test_a_killed_process_lets_go_of_its_run(tmp_path: Path, child: bool) -> None:
    holder = start(hold, tmp_path, "r", 60.0, child)
    wait_for(tmp_path / "held")
    with (
        pytest.raises(UserError, match="another process is at work on run r: wait until it ends"),
        on_run(Store(tmp_path), "r"),
    ):
        pass
    holder.kill()
    holder.join()
    with on_run(Store(tmp_path), "r"):
        pass


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_is_at_work_is_neither_begun_nor_resumed(home: Path, resume: bool) -> None:
    with on_run(Store(home), "first"):
        pass
    if resume:
        begin(Store(home), "r", load_settings("smoke"))
    holder = start(hold, home, "r", 60.0, False)
    wait_for(home / "held")
    began = {f: f.read_bytes() for f in home.rglob("*") if f.is_file()}
    with pytest.raises(UserError, match="another process is at work on run r"):
        run.run("smoke", overrides=[], run_seed=None, name="r", resume=resume)
    assert {f: f.read_bytes() for f in home.rglob("*") if f.is_file()} == began
    holder.kill()
    holder.join()


def test_the_command_line_says_so_in_one_sentence(home: Path) -> None:
    holder = start(hold, home, "r", 60.0, False)
    wait_for(home / "held")
    argv = [sys.executable, "-m", "flows.cli", "run", "smoke", "--name", "r"]
    done = subprocess.run(argv, env=os.environ, capture_output=True, text=True, timeout=60)
    holder.kill()
    holder.join()
    assert done.returncode == 2 and done.stderr.strip().endswith(
        "another process is at work on run r: wait until it ends"
    )
    assert len(done.stderr.strip().splitlines()) == 1
