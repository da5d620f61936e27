"""What `flywheel gc` takes away is needed by nobody; what a manifest names and the promoted path stay."""

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data import duck, integrity, manifest, schemas
from data.errors import UserError
from data.garbage import DAY, collect
from data.manifest import LedgerError
from data.records import Attempt, Model, RoundResult, Verdict
from data.store import SUMMARY, At, Store
from data.weights import REMOVED, weights_id
from flows import cli

RUN = "r"


def model(home: Path, name: str, run: str = RUN) -> str:
    """A model folder; returns the id of its weights."""
    folder = home / run / "models" / name
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(f"weights of {name}".encode() * 50)
    (folder / "config.json").write_text("{}")
    return weights_id(folder)


def entered(home: Path, ids: list[str], names: list[str], parents: list[str]) -> list[Model]:
    rows = zip(ids, parents, names, strict=True)
    return [Model(i, p, "sft", "{}", "d", str(home / RUN / "models" / n), 1, 1.0) for i, p, n in rows]


@pytest.fixture
def ended(home: Path) -> Path:
    """A run of three rounds: the first model of a round leads to its second; rounds 1 and 3 are promoted, 2 is not."""
    ledger, incumbent = Store(home), "base"
    for number in (1, 2, 3):
        names = [f"round-{number}-{objective}" for objective in ("sft", "dpo")]
        first, second = (model(home, name) for name in names)
        stage = ledger.stage(At(RUN, number, 0), "distill", "d")
        stage.write("models", "all", entered(home, [first, second], names, [incumbent, first]))
        stage.commit()
        stage = ledger.stage(At(RUN, number, 0), "promote", "p")
        promoted = number != 2
        stage.write("rounds", "all", [RoundResult(incumbent, second, promoted, "", 0.1, 0.2, 0.0, 0.1, 9, 9, 9)])
        stage.commit()
        incumbent = second if promoted else incumbent
    (home / RUN / SUMMARY).write_text("{}")
    ledger.publish()
    return home


def kinds(home: Path, keep: float = 0, **options: bool) -> dict[str, str]:
    return {w.path: w.kind for w in collect(home, keep, **options)}


def everything(home: Path) -> dict[str, list]:
    return {r: Store(home).read(r).to_pylist() for r in schemas.RELATIONS}


def test_weights_off_the_promoted_path_go_and_the_rest_stays(ended: Path) -> None:
    unneeded = {f"{RUN}/models/round-2-{objective}": "weights" for objective in ("sft", "dpo")}
    before = everything(ended)
    assert kinds(ended) == unneeded and kinds(ended, keep=14) == {}
    assert kinds(ended, apply=True) == unneeded and kinds(ended) == {}
    assert sorted(f.parent.name for f in ended.rglob("*.safetensors")) == [
        f"round-{n}-{objective}" for n in (1, 3) for objective in ("dpo", "sft")
    ]
    folder = ended / RUN / "models" / "round-2-sft"
    assert (folder / "config.json").exists() and "not promoted" in json.loads((folder / REMOVED).read_text())["why"]
    with pytest.raises(UserError, match="were removed by `flywheel gc`"):
        weights_id(folder)
    assert everything(ended) == before and integrity.examine(ended).flaws == []


@pytest.mark.parametrize("reason", ["unfinished", "given", "in settings", "other weights", "undecided"])
def test_weights_that_somebody_may_need_stay(ended: Path, reason: str) -> None:
    folder = ended / RUN / "models" / "round-2-dpo"
    if reason == "unfinished":
        (ended / RUN / SUMMARY).unlink()
    elif reason == "given":
        stage = Store(ended).stage(At("other", 0, 0), "first-model", "f")
        stage.write("models", "first", [Model(weights_id(folder), "", "given", "{}", "", str(folder), 0, 0.0)])
        stage.commit()
    elif reason == "in settings":
        (ended / "other").mkdir()
        (ended / "other" / "settings.json").write_text(json.dumps({"model": str(folder)}))
    elif reason == "other weights":
        (folder / "model.safetensors").write_bytes(b"trained again")
    else:
        (ended / "manifests" / RUN / "round-2" / "promote.json").unlink()
    assert f"{RUN}/models/round-2-dpo" not in kinds(ended)


LITTER = {
    f"lake/verdicts/run={RUN}/round=4/.part-0123456789abcdef-0123456789abcdef.parquet.1a2b3c4d.tmp": "temporary",
    ".spill-1a2b3c4d": "temporary",
    f"{RUN}/models/round-1-sft.work": "training",
    f"{RUN}/models/round-2-sft.job": "training",
    "quarantine/2020-01-01-000000": "quarantine",
}


def litter(home: Path) -> dict[str, str]:
    """One of everything else that can go, all of it long since; returns the kinds by path."""
    ledger, at = Store(home), At(RUN, 4, 0)
    for fingerprint in ("old", "new"):
        stage = ledger.stage(at, "verify", fingerprint)
        stage.write("verdicts", "all", [Verdict("correct", "", attempt_id=fingerprint)])
        stage.commit()
    for path in LITTER:
        file = home / path if path.endswith(".tmp") else home / path / "file"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x" * 100)
        os.utime(home / path, (time.time() - 40 * DAY,) * 2)
    named = {p.path for m in manifest.committed(home) for p in m.parts}
    (old,) = {str(f.relative_to(home)) for f in (home / "lake/verdicts").rglob("*.parquet")} - named
    return {**LITTER, old: "superseded"}


def test_leftovers_of_every_kind_go_and_the_tables_are_the_same(ended: Path) -> None:
    wanted = litter(ended)
    before = everything(ended)
    shown = {w.path: w for w in collect(ended, 0)}
    assert {p: w.kind for p, w in shown.items() if w.kind != "weights"} == wanted
    assert all(w.bytes >= 100 and w.why for w in shown.values())
    assert all((ended / path).exists() for path in wanted), "a dry run deletes nothing"
    young = kinds(ended, keep=30)
    assert set(young.values()) == {"temporary", "quarantine"}  # of the rest it is known that it was of use lately
    collect(ended, 0, apply=True)
    assert not [path for path in wanted if (ended / path).exists()]
    assert everything(ended) == before and integrity.examine(ended).flaws == [] and kinds(ended) == {}
    assert duck.sql(ended, "SELECT attempt_id FROM verdicts").to_pylist() == [{"attempt_id": "new"}]


def collect_and_die(home: Path, calls: int) -> None:
    """A clearing that is killed at its n-th deletion of a file or folder."""
    left = iter(range(calls))

    def mortal(act: Callable[..., None]) -> Callable[..., None]:
        def call(*args: object, **options: object) -> None:
            if next(left, None) is None:
                os._exit(9)
            act(*args, **options)

        return call

    os.unlink, os.rmdir = mortal(os.unlink), mortal(os.rmdir)
    collect(home, 0, apply=True)


@pytest.mark.killing
def test_killed_at_any_deletion_the_ledger_is_whole(ended: Path) -> None:
    litter(ended)
    before = everything(ended)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_gc"])
    for calls in (2, 3, 4, 5):  # two are of the database that is published first
        process = context.Process(target=collect_and_die, args=(ended, calls))
        process.start()
        process.join()
        assert everything(ended) == before
        assert {f.kind for f in integrity.examine(ended, quick=True).faults} <= {"temporary", "superseded"}
        assert process.exitcode == 9
    collect(ended, 0, apply=True)
    assert everything(ended) == before and kinds(ended) == {} and integrity.examine(ended).flaws == []


def test_what_is_being_written_and_what_waits_to_be_resumed_stays(ended: Path) -> None:
    litter(ended)
    stage = Store(ended).stage(At(RUN, 5, 0), "generate", "g")
    stage.write("attempts", "0", [Attempt("a", "p", "m", "s", 0, "x", [0], 1, -1.0, "stop")])
    assert set(kinds(ended, apply=True).values()) == {"quarantine", "temporary"}  # of the home, not of the run
    assert len(list((ended / RUN / "models").glob("round-*.*"))) == 2
    del stage
    collect(ended, 0, apply=True)
    assert Store(ended).stage(At(RUN, 5, 0), "generate", "g").has("attempts", "0")
    (ended / RUN / SUMMARY).touch()  # the run ends without that stage
    assert [w.kind for w in collect(ended, 0)] == ["superseded"]


def test_nothing_goes_while_the_ledger_is_damaged(ended: Path) -> None:
    litter(ended)
    (ended / "manifests" / RUN / "round-1" / "promote.json").write_text("{")
    before = set(ended.rglob("*"))
    with pytest.raises(LedgerError, match=r"nothing can be cleared away while .* damaged: the manifest .*promote"):
        collect(ended, 0, apply=True)
    assert before <= set(ended.rglob("*"))


def test_the_command(ended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(*argv: str) -> str:
        assert cli.main(["gc", *argv]) == 0
        return capsys.readouterr().out

    assert "There is nothing to clear away" in ask()
    assert "--apply would free" in ask("--keep", "0") and "round-2-sft" in ask("--keep", "0")
    found = json.loads(ask("--keep", "0", "--json", "--apply"))
    assert found["applied"] and found["bytes"] == sum(w["bytes"] for w in found["wastes"]) > 1000
    assert "There is nothing to clear away" in ask("--keep", "0")
