"""A stage's workspace: the ledger's relations, temporary tables, streams into parts, and nothing left behind."""

import signal
import subprocess
import sys

import pyarrow as pa
import pytest

from data.manifest import LedgerError
from data.records import Decision
from data.store import At, Store

AT = At("r", 1, 0)
NUMBERS = "SELECT 'a' || i AS attempt_id, 'p' AS problem_id, i % 2 = 0 AS kept, 'kept' AS reason FROM range($n) t(i)"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def test_tables_of_its_own_stream_into_a_part(store):
    with store.workspace() as ws:
        assert ws.table("mine", NUMBERS, {"n": 120_000, "unused": 1}) == 120_000
        assert ws.value("SELECT count(*) FROM mine WHERE kept") == 60_000
        stage = store.stage(AT, "curate", "f")
        stage.write("decisions", "all", ws.stream("SELECT *, 7 AS more FROM mine ORDER BY attempt_id"))
        stage.commit()
        ws.drop("mine")
        with pytest.raises(Exception, match="mine"):
            ws.value("FROM mine")
    assert len(store.read("decisions")) == 120_000
    assert not list(store.home.glob(".spill-*"))
    with store.workspace("r") as ws:
        assert ws.value("SELECT count(*) FROM decisions WHERE run = 'r' AND round = 1") == 120_000
        assert ws.value("SELECT count(*) FROM drop_reasons") == 2


def test_a_given_relation_stands_in_the_place_of_the_committed_one(store):
    with store.workspace() as ws:
        ws.give("decisions", pa.table({"x": [1, 2, 3]}))
        assert ws.value("SELECT sum(x) FROM decisions") == 6
        assert ws.arrow("FROM decisions")["x"].to_pylist() == [1, 2, 3]
        assert ws.value("SELECT 1 WHERE false") is None


def test_a_stream_that_breaks_writes_nothing(store):
    stage = store.stage(AT, "curate", "f")
    bad = NUMBERS.replace("'a' || i", "CASE WHEN i < 90000 THEN 'a' || i END")
    with store.workspace() as ws, pytest.raises(ValueError, match="10000 nulls"):
        stage.write("decisions", "all", ws.stream(bad, {"n": 100_000}, batch=90_000))
    assert not [f for f in store.home.rglob("*") if f.is_file() and f.name != "flywheel.lock"]


def test_what_does_not_fit_in_memory_spills_and_is_cleared_away(store):
    with store.workspace(memory_gib=0.1) as ws:
        ws.table("wide", "SELECT i, repeat(md5(i::VARCHAR), 8) AS text FROM range(600000) t(i)")
        assert list(store.home.glob(".spill-*/*"))
        assert ws.value("SELECT count(DISTINCT text[:32]) FROM wide") == 600_000
    assert not list(store.home.glob(".spill-*"))


KILLED = """
import os, signal, sys
from pathlib import Path
from data.store import Store
with Store(Path(sys.argv[1])).workspace(memory_gib=0.1) as ws:
    ws.table("wide", "SELECT i, repeat(md5(i::VARCHAR), 8) AS text FROM range(600000) t(i)")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_spilled_is_cleared_away_and_what_a_living_one_does_is_not(store, root):
    done = subprocess.run([sys.executable, "-c", KILLED, store.home], cwd=root)
    assert done.returncode == -signal.SIGKILL and list(store.home.glob(".spill-*/*"))
    with store.workspace():
        (lock,) = store.home.glob(".spill-*")
        with store.workspace():
            assert lock.exists() and len(list(store.home.glob(".spill-*.lock"))) == 2
    assert not list(store.home.glob(".spill-*"))


def test_a_damaged_ledger_is_named(store):
    stage = store.stage(AT, "curate", "f")
    stage.write("decisions", "all", [Decision("a", "p", True, "kept")])
    stage.commit()
    part = next(store.home.rglob("*.parquet"))
    part.write_bytes(b"x" * part.stat().st_size)
    with pytest.raises(LedgerError, match="cannot be read"), store.workspace():
        pass
