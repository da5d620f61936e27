"""The ledger: what is committed is whole and stays, what is not is invisible, wherever a process is killed."""

import json
import multiprocessing
import os
import random
import resource
import time
from pathlib import Path

import pyarrow as pa
import pytest

from data import duck, integrity, manifest, store
from data.errors import UserError
from data.manifest import LedgerError
from data.records import Attempt, Verdict
from data.store import At, Store

SHARDS, ROWS, ROUNDS = 6, 150, 3
AT = At("night-1", 0, 7)


def attempts(shard: int) -> list[Attempt]:
    return [Attempt(f"{shard}-{i}", f"p{i}", "m", "s", i, "x" * i, [0], i, -1.5, "stop") for i in range(ROWS)]


def work(home: Path) -> None:
    """A run in small: it skips what is done, as the real stages do."""
    ledger = Store(home)
    for number in range(ROUNDS):
        at = At("r", number, 7)
        stage = ledger.stage(at, "generate", f"g{number}")
        if not stage.done:
            for shard in range(SHARDS):
                if not stage.has("attempts", str(shard)):
                    time.sleep(0.003)  # generating
                    stage.write("attempts", str(shard), attempts(shard))
            stage.commit({"tokens": 5})
        stage = ledger.stage(at, "verify", f"v{number}")
        if not stage.done:
            ids = ledger.read("attempts", run="r", rounds=[number])["id"].to_pylist()
            stage.write("verdicts", "all", [Verdict("correct", "same", attempt_id=i) for i in ids])
            stage.commit()
        ledger.publish()


def publish_often(home: Path) -> None:
    for _ in range(5):
        Store(home).publish()


def limited(home: Path, largest: int) -> None:
    """A process whose files cannot grow beyond `largest` bytes, as on a full disk. Exits 3 on a clear error."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    try:
        work(home)
    except UserError as e:
        (home.parent / "said").write_text(str(e)[:largest])
        raise SystemExit(3) from e


def hang_in_a_page(home: Path) -> None:
    """A process that has begun to write a page, and never ends."""
    with manifest.atomic(home / "r" / "quality" / "page.html") as f:
        f.write(b"half")
        f.flush()
        time.sleep(60)


@pytest.fixture(scope="module")
def start():
    """Starts a function in a fresh process, quickly: the imports are done once, in the fork server."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_store"])

    def run(target, *args):
        process = context.Process(target=target, args=args)
        process.start()
        return process

    warm = run(time.sleep, 0)
    warm.join()
    return run


def everything(ledger: Store) -> dict[str, list]:
    return {r: ledger.read(r).to_pylist() for r in ("attempts", "verdicts")}


def files(home: Path) -> dict[str, int]:
    return {str(f.relative_to(home)): f.stat().st_mtime_ns for f in home.rglob("*") if f.is_file()}


def test_a_stage_is_invisible_until_it_commits_and_never_repeats(home: Path):
    ledger = Store(home)
    stage = ledger.stage(AT, "generate", "f")
    stage.write("attempts", "0", attempts(0))
    assert not stage.done and len(ledger.read("attempts")) == 0
    resumed = ledger.stage(AT, "generate", "f")
    assert resumed.has("attempts", "0") and not resumed.has("attempts", "1")
    assert len(resumed.partial("attempts")) == ROWS
    resumed.write("attempts", "1", resumed.partial("attempts").slice(0, 2))
    resumed.commit({"tokens": 9})
    again = ledger.stage(AT, "generate", "f")
    assert again.done and again.meta == resumed.meta and again.meta["tokens"] == 9 and again.meta["rows"] == ROWS + 2
    assert len(ledger.read("attempts", run="night-1", rounds=[0])) == ROWS + 2
    assert len(ledger.read("attempts", rounds=[1])) == len(ledger.read("attempts", run="other")) == 0
    with pytest.raises(ValueError, match="committed and cannot change"):
        again.write("attempts", "2", attempts(2))


def test_another_fingerprint_replaces_the_manifest_and_keeps_the_parts(home: Path):
    ledger = Store(home)
    for fingerprint, shard in (("old", 0), ("new", 1)):
        stage = ledger.stage(AT, "generate", fingerprint)
        assert not stage.done and len(stage.partial("attempts")) == 0
        stage.write("attempts", "k", attempts(shard))
        stage.commit()
    assert ledger.read("attempts")["id"].to_pylist()[0] == "1-0"
    assert len(list((home / "lake").rglob("*.parquet"))) == 2
    assert not ledger.stage(AT, "generate", "old").done
    assert ledger.inputs("night-1", [0], ["attempts"]) == [(0, "generate", "new")]


def test_seconds_of_a_crashed_try_are_counted(home: Path):
    ledger = Store(home)
    stage = ledger.stage(AT, "generate", "f")
    time.sleep(0.05)
    stage.write("attempts", "0", attempts(0))
    resumed = ledger.stage(AT, "generate", "f")
    resumed.commit()
    assert resumed.meta["seconds"] >= 0.05


def test_killed_anywhere_the_rerun_gives_the_same_tables_and_readers_see_only_whole_stages(tmp_path: Path, start):
    home, whole, rng = tmp_path / "a", tmp_path / "b", random.Random(3)
    began = time.monotonic()
    work(whole)
    usual = time.monotonic() - began
    ledger, kept, kills = Store(home), {}, 0
    for _ in range(14):
        process, until = start(work, home), time.monotonic() + rng.uniform(0.02, usual / 2)
        while time.monotonic() < until and process.is_alive():
            assert len(ledger.read("attempts")) % (SHARDS * ROWS) == 0
            if (home / "flywheel.duckdb").exists():
                rows = duck.sql(home, "SELECT count(*) AS n FROM attempts").to_pylist()
                assert rows[0]["n"] % (SHARDS * ROWS) == 0
        kills += process.is_alive()
        process.kill()
        process.join()
        now = (
            {f: t for f, t in files(home).items() if f.endswith(".parquet") and ".tmp" not in f}
            if home.exists()
            else {}
        )
        assert kept.items() <= now.items()  # no part is ever written twice
        kept = now
    assert kills >= 3
    work(home)
    assert not list(home.rglob("*.tmp"))
    assert everything(ledger) == everything(Store(whole))
    assert [m["stage"] for m in ledger.query("FROM timings ORDER BY round, stage").to_pylist()] == [
        "generate",
        "verify",
    ] * 3


def test_a_full_disk_is_one_clear_sentence_and_leaves_nothing_half_written(tmp_path: Path, start):
    home, whole = tmp_path / "full", tmp_path / "whole"
    work(whole)
    for largest in (0, 600, 3000, 20_000):  # manifests fail, then parts, then the published database
        process = start(limited, home, largest)
        process.join()
        assert process.exitcode == 3
        assert not [f for f in home.rglob("*") if f.name.endswith((".tmp", ".next", ".wal"))]
        said = (tmp_path / "said").read_text()
        assert largest < 600 or ("cannot write" in said and "File too large" in said and "FLYWHEEL_HOME" in said), said
    work(home)
    assert everything(Store(home)) == everything(Store(whole))


def test_what_a_killed_process_has_left_of_a_page_goes_when_it_is_written_again(tmp_path: Path, start, monkeypatch):
    page, half = tmp_path / "r" / "quality" / "page.html", lambda: [*page.parent.glob(".*.tmp")]
    monkeypatch.setattr(manifest, "LOCKING_S", 0.0)
    process = start(hang_in_a_page, tmp_path)
    while not page.parent.exists() or not half() or not half()[0].stat().st_size:
        time.sleep(0.01)
    manifest.write_atomic(page, b"another's")
    assert len(half()) == 1, "somebody is at work on it"
    process.kill()
    process.join()
    os.utime(half()[0], (time.time() - 7200,) * 2)
    assert [f.path for f in integrity.examine(tmp_path).faults] == [str(half()[0].relative_to(tmp_path))]
    manifest.write_atomic(page, b"whole")
    assert half() == [] and page.read_bytes() == b"whole"


def test_a_home_that_cannot_be_written_is_a_clear_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    ledger = Store(tmp_path / "file")
    for act in (ledger.publish, lambda: ledger.run_dir("r"), lambda: ledger.stage(AT, "s", "f").commit()):
        with pytest.raises(LedgerError, match=r"cannot write .*; free some space there or point FLYWHEEL_HOME"):
            act()


@pytest.mark.parametrize("damage", ["missing", "truncated", "overwritten"])
def test_a_damaged_part_is_named(home: Path, damage: str):
    ledger = Store(home)
    stage = ledger.stage(AT, "generate", "f")
    stage.write("attempts", "0", attempts(0))
    stage.commit()
    ledger.publish()
    part = next((home / "lake").rglob("*.parquet"))
    data = part.read_bytes()
    part.unlink()
    if damage != "missing":
        part.write_bytes(data[:-20] if damage == "truncated" else bytes(len(data)))
    asked = [lambda: ledger.read("attempts"), lambda: ledger.query("FROM attempts"), ledger.publish]
    for act in asked:
        with pytest.raises(LedgerError, match=part.name):
            act()
    with pytest.raises(UserError, match=part.name):
        duck.sql(home, "FROM attempts")
    assert ledger.query("SELECT count(*) AS n FROM verdicts").to_pylist() == [{"n": 0}]  # the rest stays usable


def test_a_damaged_manifest_is_named(home: Path):
    ledger = Store(home)
    ledger.stage(AT, "generate", "f").commit()
    path = home / "manifests/night-1/round-0/generate.json"
    path.write_text(path.read_text()[:-9])
    with pytest.raises(LedgerError, match=r"manifest .*generate\.json is damaged"):
        ledger.read("attempts")


@pytest.mark.killing
def test_two_publishers_and_a_reader_never_collide(tmp_path: Path, start):
    work(tmp_path)
    both = [start(publish_often, tmp_path) for _ in range(2)]
    asked = 0
    while any(p.is_alive() for p in both):
        rows = duck.sql(tmp_path, "SELECT count(*) AS n FROM attempts").to_pylist()
        assert rows == [{"n": SHARDS * ROWS * ROUNDS}]
        asked += 1
    assert [p.exitcode for p in both] == [0, 0] and asked > 1
    assert not list(tmp_path.glob("*.next*")) and not list(tmp_path.glob("*.wal"))


def test_an_open_reader_keeps_its_snapshot(home: Path):
    ledger = Store(home)
    count = "SELECT count(*) FROM attempts"
    with duck.duckdb.connect(str(ledger.publish()), read_only=True) as reader:
        assert reader.execute(count).fetchall() == [(0,)]
        stage = ledger.stage(AT, "generate", "f")
        stage.write("attempts", "0", attempts(0))
        stage.commit()
        ledger.publish()
        assert reader.execute(count).fetchall() == [(0,)]
    assert duck.sql(home, f"{count}").to_pylist() == [{"count_star()": ROWS}]


def test_the_published_database_has_every_relation_and_says_what_a_row_is(home: Path):
    with pytest.raises(UserError, match=r"nothing is published in .* yet"):
        duck.sql(home, "FROM outcomes")
    Store(home).publish()
    names = duck.sql(home, "SELECT table_name FROM information_schema.tables")["table_name"].to_pylist()
    for name in [*names, "attempts", "timings", "stages", "hardest_solved", "trained_on"]:
        assert len(duck.sql(home, f"FROM {name}")) == 0
    grain = duck.sql(home, "SELECT comment FROM duckdb_views() WHERE view_name = 'outcomes'")["comment"].to_pylist()
    assert grain == ["grain: one row per run, round, domain and outcome"]
    with pytest.raises(UserError, match=r"DuckDB cannot answer that.*nonsense"):
        duck.sql(home, "SELECT nonsense FROM attempts")
    with pytest.raises(UserError, match="DuckDB cannot answer that"):
        duck.sql(home, "DROP VIEW attempts")


def test_names_that_look_like_something_else_stay_names(tmp_path: Path):
    ledger = Store(tmp_path / "run=9" / "it's [a] *")
    for run in ("007", "7"):
        stage = ledger.stage(At(run, 2, 0), "generate", "f")
        stage.write("attempts", "0", attempts(0)[:1])
        stage.commit()
    ledger.publish()
    found = duck.sql(ledger.home, "SELECT run, round FROM attempts ORDER BY run").to_pylist()
    assert found == [{"run": "007", "round": 2}, {"run": "7", "round": 2}]
    assert ledger.read("attempts").select(["run", "round"]).to_pylist() == found


@pytest.mark.parametrize(
    "name", ["", "lake", "manifests", "../x", "a/b", ".hidden", "a b", "flywheel.duckdb", "x" * 101]
)
def test_run_names_that_would_break_the_layout_are_refused(home: Path, name: str):
    with pytest.raises(LedgerError, match="cannot name a run"):
        Store(home).run_dir(name)
    with pytest.raises(LedgerError, match="cannot name a run"):
        Store(home).stage(At(name, 0, 0), "generate", "f")


def test_tables_given_to_a_query_replace_relations_and_sums_stay_integers(home: Path):
    table = pa.table({"id": ["x", "y"], "tokens": [3, 4]})
    found = Store(home).query(
        "SELECT sum(tokens) AS n FROM attempts WHERE id <> $id", {"id": "z"}, tables={"attempts": table}
    )
    assert found.to_pylist() == [{"n": 7}] and found.schema.field("n").type == pa.int64()


def test_manifests_are_readable_and_home_follows_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch):
    Store(home).stage(AT, "generate", "f").commit({"tokens": 3})
    row = json.loads((home / "manifests/night-1/round-0/generate.json").read_text())
    assert row["fingerprint"] == "f" and row["parts"] == [] and row["meta"]["tokens"] == 3 and row["version"]
    assert store.home() == home
    monkeypatch.delenv("FLYWHEEL_HOME")
    assert store.home() == Path(store.__file__).parents[1] / "runs"
