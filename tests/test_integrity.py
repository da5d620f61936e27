"""Damage to a ledger is found, named in a sentence and set aside; resumed, the run ends like one nobody disturbed."""

import json
import multiprocessing
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import integrity, manifest, schemas
from data.manifest import LedgerError
from data.records import Attempt, Model, Verdict
from data.repair import NOTE, lock_idle, repair
from data.store import SUMMARY, At, Stage, Store
from data.strays import Flaw
from flows import cli
from flows.alone import on_run
from tasks import doctor

RUNS, ROWS = ("p", "q"), 40


def work(home: Path) -> None:
    """Two runs in small; what is done is skipped, as in the real stages."""
    ledger = Store(home)
    for run in RUNS:
        stage = ledger.stage(At(run, 1, 0), "generate", "g")
        for shard in range(3 * (not stage.done)):
            if not stage.has("attempts", str(shard)):
                rows = [
                    Attempt(f"{run}{shard}-{i}", "p", "m", "s", i, "x" * i, [0], i, -1.5, "stop") for i in range(ROWS)
                ]
                stage.write("attempts", str(shard), rows)
        stage.commit()
        stage = ledger.stage(At(run, 1, 0), "verify", "v")
        if not stage.done:
            ids = ledger.read("attempts", run, [1])["id"].to_pylist()
            stage.write("verdicts", "all", [Verdict("correct", "same", attempt_id=i) for i in ids])
            stage.commit()


def tables(home: Path) -> dict[str, list]:
    return {r: Store(home).read(r).to_pylist() for r in schemas.RELATIONS}


def part_of(home: Path, relation: str = "attempts", run: str = "p") -> Path:
    return sorted((home / "lake" / relation / f"run={run}").rglob("*.parquet"))[1 if relation == "attempts" else 0]


def manifest_of(home: Path, stage: str = "generate", run: str = "p") -> Path:
    return manifest.path_of(home, run, 1, stage)


def flip(path: Path, at: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 4
    path.write_bytes(data)


def edit(path: Path, change: Callable[[dict], object]) -> None:
    row = json.loads(path.read_text())
    change(row)
    path.write_text(json.dumps(row, indent=1))


def aged(home: Path) -> None:
    """The manifests as a version without checksums wrote them."""
    for path in manifest.paths(home):
        edit(path, lambda row: (row.pop("checksum"), [p.pop("sha256") for p in row["parts"]]))


def set_rows(row: dict) -> None:
    row["parts"][0]["rows"] += 1


def swap(home: Path) -> None:
    a, b = part_of(home), part_of(home, run="q")
    data = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(data)


def steal(home: Path) -> None:
    """A sound manifest that names a part of another stage."""
    mine, other = (manifest.read(manifest_of(home, s)) for s in ("verify", "generate"))
    assert mine and other
    manifest.write(home, replace(mine, parts=[*mine.parts, other.parts[0]]))


def copied(home: Path, source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def old_without_a_part(home: Path) -> None:
    aged(home)
    edit(manifest_of(home), lambda row: row["parts"].pop())


def old_with_other_rows(home: Path) -> None:
    aged(home)
    edit(manifest_of(home), set_rows)


def both(home: Path) -> None:
    edit(manifest_of(home), set_rows)
    flip(part_of(home))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a truncated part": (lambda h: os.truncate(part_of(h), 900), r"attempts/.* is damaged \(900 bytes, \d+ were"),
    "a bit flipped in a part": (lambda h: flip(part_of(h)), r"part .*attempts.* damaged \(its checksum is another\)"),
    "a bit flipped in a footer": (lambda h: flip(part_of(h), 0.999), r"part .*attempts.* is damaged"),
    "a deleted part": (lambda h: part_of(h).unlink(), r"part .*attempts.* is damaged \(No such file"),
    "parts that changed places": (swap, r"part .*run=q.* is damaged"),
    "a row count edited": (lambda h: edit(manifest_of(h), set_rows), r"generate\.json is damaged \(it was changed"),
    "a part taken from the list": (
        lambda h: edit(manifest_of(h), lambda row: row["parts"].pop()), r"generate\.json is damaged \(it was changed",
    ),
    "a checksum taken away": (
        lambda h: edit(manifest_of(h), lambda row: row.pop("checksum")), r"generate\.json is damaged \(it was changed",
    ),
    "a manifest cut short": (lambda h: os.truncate(manifest_of(h), 200), r"generate\.json is damaged \("),
    "a manifest that is no object": (lambda h: manifest_of(h).write_text("[1]"), r"generate\.json is damaged \("),
    "the manifest of another run": (
        lambda h: copied(h, manifest_of(h, run="q"), manifest_of(h)), r"\(it is that of stage generate of q, round 1\)",
    ),
    "a manifest of a round that was not": (
        lambda h: copied(h, manifest_of(h), manifest.path_of(h, "p", 2, "generate")), r"round-2.*\(it is that of stage",
    ),
    "a part that two manifests claim": (steal, r"verify\.json names the part .*, which .*generate\.json names"),
    "a manifest and its part": (both, r"of an unfinished stage is damaged"),
    "an old manifest without a part": (old_without_a_part, r"generate\.json does not name the part .*attempts"),
    "an old manifest with other rows": (old_with_other_rows, rf"damaged \({ROWS} rows, {ROWS + 1} were committed"),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("whole")
    work(home)
    Store(home).publish()
    return home


@pytest.fixture
def damaged(whole: Path, home: Path) -> Path:
    """A copy of a sound ledger, to be damaged; nothing is published in it."""
    shutil.copytree(whole, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("flywheel.duckdb"))
    return home


def flaws(home: Path) -> list[Flaw]:
    """Without the note that nothing is published."""
    return [f for f in integrity.examine(home).flaws if f.kind != "published" or not f.note]


def contents(home: Path) -> set[str]:
    found = (f for f in home.rglob("*") if f.is_file() and f.suffix in (".parquet", ".json"))
    return {sha256(f.read_bytes()).hexdigest() for f in found}


def test_a_sound_ledger_has_no_flaw(whole: Path) -> None:
    found = integrity.examine(whole)
    assert found.flaws == []
    assert (found.runs, found.stages, found.parts, found.rows) == (2, 4, 8, 2 * 6 * ROWS)
    assert found.bytes == sum(f.stat().st_size for f in whole.rglob("*.parquet"))


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named_set_aside_and_mended_by_a_rerun(damaged: Path, whole: Path, name: str) -> None:
    act, says = DAMAGES[name]
    act(damaged)
    before = contents(damaged)
    found = integrity.examine(damaged)
    assert [f for f in found.faults if re.search(says, f.text)], [f.text for f in found.flaws]
    assert all("\n" not in f.text and "aside" in f.text for f in found.faults if f.kind != "published")
    done = repair(damaged)
    assert done.folder and (done.folder / NOTE).exists() and done.again and not done.left
    assert before <= contents(damaged), "nothing is ever deleted"
    assert integrity.examine(damaged).faults == []
    work(damaged)
    assert tables(damaged) == tables(whole) and integrity.examine(damaged, quick=True).flaws == []


def test_only_the_damaged_part_is_written_again(damaged: Path) -> None:
    flip(part_of(damaged))
    edit(manifest_of(damaged, run="q"), set_rows)
    for run in RUNS:  # both have ended
        (damaged / run).mkdir()
        (damaged / run / SUMMARY).write_text("{}")
    sound = {f: f.stat().st_mtime_ns for f in (damaged / "lake").rglob("*.parquet") if f != part_of(damaged)}
    repair(damaged)
    assert [f.kind for f in flaws(damaged)] == ["unfinished"] * 2
    assert not list(damaged.glob(f"*/{SUMMARY}")), "they have not, until they are resumed"
    work(damaged)
    assert sound.items() <= {f: f.stat().st_mtime_ns for f in (damaged / "lake").rglob("*.parquet")}.items()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pick=st.integers(0, 10**6), at=st.floats(0, 1, exclude_max=True), to=st.integers(0, 255))
def test_no_changed_byte_passes(whole: Path, pick: int, at: float, to: int) -> None:
    named = [p.path for path in manifest.paths(whole) if (m := manifest.read(path)) for p in m.parts]
    files = [*sorted(whole / p for p in named), *manifest.paths(whole)]
    path = files[pick % len(files)]
    data = path.read_bytes()
    changed = bytearray(data)
    changed[int(at * len(data))] = to
    path.write_bytes(changed)
    try:
        assert bool(integrity.examine(whole).faults) == (bytes(changed) != data)
    finally:
        path.write_bytes(data)


@pytest.mark.parametrize(
    "stray",
    [
        "lake/attempts/run=p/round=1/.part-0123456789abcdef-0123456789abcdef.parquet.1a2b3c4d.tmp",
        "lake/attempts/run=p/round=1/notes.txt",
        "manifests/p/round-1/.verify.json.1a2b3c4d.tmp",
        "manifests/p/round-1.bak/verify.json",
        "flywheel.duckdb.next",
        ".spill-1a2b3c4d/duckdb_temp_storage-0.tmp",
    ],
)
def test_what_a_killed_process_or_a_stranger_left_is_set_aside(damaged: Path, stray: str) -> None:
    (damaged / stray).parent.mkdir(parents=True, exist_ok=True)
    (damaged / stray).write_text("half")
    (fault,) = integrity.examine(damaged).faults
    assert stray.startswith(fault.path)
    done = repair(damaged)
    assert done.folder and (done.folder / stray).read_text() == "half" and not done.again
    assert not (damaged / stray).exists() and flaws(damaged) == []


def test_a_draft_is_stale_when_it_is_old(damaged: Path) -> None:
    draft = damaged / "p" / "settings.draft"
    draft.parent.mkdir()
    draft.write_text("{}")
    assert flaws(damaged) == []
    os.utime(draft, (time.time() - 7200,) * 2)
    assert [f.path for f in integrity.examine(damaged).faults] == ["p/settings.draft"]


def test_a_spill_folder_in_use_is_left_alone(damaged: Path) -> None:
    with Store(damaged).workspace(memory_gib=0.1) as ws:
        ws.table("wide", "SELECT i, repeat(md5(i::VARCHAR), 8) AS text FROM range(600000) t(i)")
        assert list(damaged.glob(".spill-*/*"))
        assert flaws(damaged) == [] and repair(damaged).moved == []
        assert ws.value("SELECT count(DISTINCT text[:32]) FROM wide") == 600_000


def test_parts_of_an_earlier_fingerprint_are_strays_and_those_of_a_killed_stage_wait(damaged: Path) -> None:
    ledger, at = Store(damaged), At("p", 1, 0)
    row = [Verdict("correct", "same", attempt_id="x")]
    for fingerprint in ("other", "third"):
        stage = ledger.stage(at, "verify", fingerprint)
        stage.write("verdicts", "all", row)
        if fingerprint == "other":
            stage.commit()
    del stage
    found = integrity.examine(damaged)
    assert [f.kind for f in found.faults] == ["superseded"] and "earlier try of stage verify" in found.faults[0].text
    assert {f.kind for f in found.flaws if f.note} == {"unfinished", "published"}
    repair(damaged)
    assert ledger.stage(at, "verify", "third").has("verdicts", "all")
    repair(damaged, unfinished=True)
    assert not ledger.stage(at, "verify", "third").has("verdicts", "all")
    assert ledger.read("verdicts", "p")["attempt_id"].to_pylist() == ["x"]


def write_slowly(home: Path) -> None:
    stage = Store(home).stage(At("p", 2, 0), "generate", "g")
    stage.write("attempts", "0", [Attempt("a", "p", "m", "s", 0, "x", [0], 1, -1.0, "stop")])
    (home / "written").touch()
    time.sleep(60)


def test_a_stage_that_is_being_written_is_left_alone(damaged: Path) -> None:
    process = multiprocessing.get_context("forkserver").Process(target=write_slowly, args=(damaged,))
    process.start()
    while not (damaged / "written").exists():
        time.sleep(0.01)
    flip(part_of(damaged, run="q"))
    edit(manifest_of(damaged), set_rows)
    done = repair(damaged, unfinished=True)
    assert {f.kind for f in done.report.flaws if f.note} == {"writing", "published"}
    assert {run for run, _, _ in done.again} == {"q"} and "is of a run that is being written" in done.left[0]
    process.kill()
    process.join()
    assert {run for run, _, _ in repair(damaged).again} == {"p"}
    assert Store(damaged).stage(At("p", 2, 0), "generate", "g").has("attempts", "0")


def test_a_run_between_two_stages_is_left_alone_too(damaged: Path) -> None:
    edit(manifest_of(damaged), set_rows)
    with on_run(Store(damaged), "p"):
        done = repair(damaged)
        assert done.moved == [] and "is of a run that is being written" in done.left[0]
    assert repair(damaged).again == [("p", 1, "generate")]


def test_a_stage_that_begins_during_a_repair_waits_for_its_end(damaged: Path) -> None:
    begun = threading.Event()

    def begin() -> None:
        Store(damaged).stage(At("p", 5, 0), "generate", "g")
        begun.set()

    with ExitStack() as held:
        assert lock_idle(damaged, held) == {*RUNS}
        thread = threading.Thread(target=begin)
        thread.start()
        assert not begun.wait(0.2)
    assert begun.wait(5)
    thread.join()


def repair_and_die(home: Path, moves: int) -> None:
    """A repair that is killed before its n-th rename of a file."""
    rename, left = os.replace, iter(range(moves))

    def renaming(*args: Path) -> None:
        if next(left, None) is None:
            os._exit(9)
        rename(*args)

    os.replace = renaming  # type: ignore[assignment]
    repair(home)


def test_a_repair_killed_anywhere_can_be_run_again(damaged: Path, whole: Path) -> None:
    both(damaged)
    flip(part_of(damaged, run="q"))
    flip(part_of(damaged, "verdicts"))
    (damaged / "lake" / "stray").touch()
    before, context = contents(damaged), multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_integrity"])
    for n in range(3):
        process = context.Process(target=repair_and_die, args=(damaged, n))
        process.start()
        process.join()
        assert process.exitcode == 9
    repair(damaged)
    assert before <= contents(damaged) and integrity.examine(damaged).faults == []
    work(damaged)
    assert tables(damaged) == tables(whole)


def test_a_published_database_that_cannot_be_asked_is_published_anew(damaged: Path, tmp_path: Path) -> None:
    for break_it in (
        lambda h: (h / "flywheel.duckdb").write_bytes(b"x" * 9000),
        lambda h: h.rename(tmp_path / "moved"),
    ):
        break_it(damaged)
        home = damaged if damaged.exists() else tmp_path / "moved"
        (fault,) = integrity.examine(home).faults
        assert fault.kind == "published" and "publishes it anew" in fault.text
        assert repair(home).moved == [] and integrity.examine(home).flaws == []


def test_models_must_be_where_and_what_the_ledger_says(damaged: Path, tmp_path: Path) -> None:
    from data.weights import weights_id

    folder = damaged / "p" / "models" / "round-1-sft"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    stage = Store(damaged).stage(At("p", 1, 0), "distill", "d")
    rows = [(weights_id(folder), str(folder)), ("0" * 16, str(tmp_path / "elsewhere"))]
    stage.write("models", "sft", [Model(i, "", "sft", "{}", "d", path, 0, 0.0) for i, path in rows])
    stage.commit()
    (note,) = flaws(damaged)  # a folder outside of the home is the user's own affair
    assert note.note and "elsewhere is not model 0000" in note.text and "it is gone" in note.text
    for change, why in (
        (lambda: (folder / "model.safetensors").write_bytes(b"other"), "it holds other weights"),
        (lambda: (folder / "model.safetensors").unlink(), "it holds no weights"),
        (lambda: folder.rmdir(), "it is gone"),
    ):
        change()
        (fault,) = integrity.examine(damaged).faults
        assert fault.kind == "model" and why in fault.text and "copy" in fault.text
    assert not repair(damaged).moved


def test_a_damaged_part_of_a_killed_stage_is_named_before_it_is_used(damaged: Path) -> None:
    ledger, at = Store(damaged), At("p", 2, 0)
    rows = [Attempt(str(i), "p", "m", "s", i, os.urandom(40).hex(), [0], i, -1.5, "stop") for i in range(ROWS)]
    ledger.stage(at, "generate", "g").write("attempts", "0", rows)
    (path,) = (damaged / "lake/attempts/run=p/round=2").iterdir()
    flip(path, 0.3)
    for act in (Stage.commit, lambda stage: stage.partial("attempts")):
        with pytest.raises(LedgerError, match=r"of an unfinished stage is damaged .*--repair. sets it aside"):
            act(ledger.stage(at, "generate", "g"))
    assert repair(damaged).moved == [str(path.relative_to(damaged))]
    assert not ledger.stage(at, "generate", "g").has("attempts", "0")


def test_ordinary_reads_refuse_an_edited_manifest(damaged: Path) -> None:
    edit(manifest_of(damaged), set_rows)
    with pytest.raises(LedgerError, match="it was changed after it was committed"):
        Store(damaged).read("attempts")


def test_older_manifests_read_and_are_told_of(damaged: Path, whole: Path) -> None:
    aged(damaged)
    assert tables(damaged) == tables(whole)
    (note,) = flaws(damaged)
    assert note.note and note.text.startswith("4 manifests, such as ") and "without checksums" in note.text


def test_a_manifest_says_what_the_part_says(whole: Path) -> None:
    for path in manifest.paths(whole):
        found = manifest.read(path)
        assert found and found.checksum
        for part in found.parts:
            data = (whole / part.path).read_bytes()
            assert (part.bytes, part.sha256) == (len(data), sha256(data).hexdigest())
            noted = pq.read_metadata(whole / part.path).metadata
            assert noted[b"flywheel.stage"].decode() == found.stage


def test_the_command_and_the_doctor(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(*argv: str) -> tuple[int, str]:
        code = cli.main(["verify-store", *argv])
        return code, capsys.readouterr().out

    Store(damaged).publish()
    code, out = ask()
    assert code == 0 and "8 parts" in out and "nothing wrong" in out
    assert doctor.ledger(damaged).state == "ok"
    os.truncate(part_of(damaged), 900)
    assert doctor.ledger(damaged).state == "failed" and "900 bytes" in doctor.ledger(damaged).text
    code, out = ask("--json")
    found = json.loads(out)
    assert code == 1 and found["parts"] == 8 and {f["kind"] for f in found["findings"]} == {"part", "published"}
    code, out = ask("--repair")
    assert code == 1 and "2 files were set aside in" in out and "with --name p" in out
    code, out = ask("--repair", "--json")
    assert code == 0 and json.loads(out)["repair"]["moved"] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a disk in memory, or mounts it again with other options."""
    place, mounted = tmp_path / "disk", []
    place.mkdir()

    def mount(options: str) -> Path:
        how = ["-o", f"remount,{options}"] if mounted else ["-t", "tmpfs", "-o", options, "tmpfs"]
        target = str(place)
        if os.geteuid() or os.system(" ".join(["mount", *how, target, "2>/dev/null"])):
            pytest.skip("mounting a disk needs root and the right to mount")
        mounted.append(options)
        return place

    yield mount
    if mounted:
        os.system(f"umount -l {place}")


def test_a_disk_that_fills_up_loses_nothing(small_disk: Callable[[str], Path], whole: Path) -> None:
    place, said = small_disk("size=32k,nr_inodes=10000"), []
    home = place / "home"
    for size in (32, 64, 100, 200, 400, 700):
        small_disk(f"size={size}k")
        try:
            work(home)
            Store(home).publish()
        except LedgerError as e:
            said.append(str(e))
        assert not [f for f in home.rglob("*") if f.name.endswith((".tmp", ".next", ".wal"))]
        assert [f for f in integrity.examine(home).faults if f.kind != "published"] == []
    small_disk("size=40m")
    assert len(said) > 2 and all(s.startswith("cannot write") and "No space left on device" in s for s in said), said
    work(home)
    Store(home).publish()
    assert tables(home) == tables(whole) and integrity.examine(home).flaws == []


def test_a_read_only_disk_is_named_and_can_be_examined(small_disk: Callable[[str], Path], whole: Path) -> None:
    home = small_disk("size=40m") / "home"
    shutil.copytree(whole, home)
    Store(home).publish()
    small_disk("ro,size=40m")
    assert tables(home) == tables(whole) and integrity.examine(home).flaws == []
    for act in (
        lambda: Store(home).stage(At("p", 2, 0), "generate", "g"),
        lambda: Store(home).run_dir("new"),
        Store(home).publish,
        lambda: repair(home),
    ):
        with pytest.raises(LedgerError, match=r"cannot write .*Read-only file system"):
            act()
    with Store(home).workspace() as ws:
        assert ws.value("SELECT count(*) FROM attempts") == 6 * ROWS
    small_disk("rw,size=40m")
    assert integrity.examine(home).flaws == []
