"""Exports: `load_dataset` reads what the ledger holds, one dataset gives the same bytes, failures are one sentence."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from data.errors import UserError
from data.records import Check
from data.store import At, Store
from flows import cli
from tasks import _card, _licences, _shards
from tasks.export import Dataset, export, find
from tests.rows import fill

NASTY = [
    "a|b <script>alert(1)</script>",
    "línea\nzwei\r\n\ttab ` ** [x](y)",
    '"quoted" \\ back',
    "数学 😀 \u2028 end",
    " ",
]
N = 23


def at(number: int = 1) -> At:
    return At("night", number, 0)


def ledger(home: Path, domain: str = "sums") -> Store:
    """Round 0 wrote example 0, round 1 the others: all are examples of round 1, and pairs of round 1."""
    store = Store(home)
    ids = [f"{i:02}" for i in range(N)]
    for number, mine in ((0, ids[:1]), (1, ids[1:])):
        problems = [
            {"id": f"p{i}", "domain": domain, "level": 1 + int(i) % 3, "gold": f"g{i}", "source": "here"} for i in mine
        ]
        good = [{"id": f"a{i}", "problem_id": f"p{i}", "model_id": f"m{number}", "tokens": 3} for i in mine]
        bad = [{"id": f"b{i}", "problem_id": f"p{i}", "model_id": "m0", "tokens": 4} for i in mine]
        verdicts = [{"attempt_id": f"a{i}", "verifier": "exact", "version": v} for i in mine for v in (1, 2)]
        verdicts += [{"attempt_id": f"b{i}", "verifier": "exact", "version": 2, "outcome": "incorrect"} for i in mine]
        steps = [{"attempt_id": f"a{i}", "index": k} for i in mine for k in range(int(i) % 4)]
        decided = [{"attempt_id": f"a{i}", "kept": True, "reason": "kept"} for i in mine]
        decided += [{"attempt_id": f"b{i}", "reason": "incorrect"} for i in mine]
        fill(store, at(number), "generate", problems=problems, attempts=good + bad)
        fill(store, at(number), "verify", verdicts=verdicts, step_verdicts=steps)
        if number:
            texts = {i: NASTY[int(i) % len(NASTY)] + i for i in ids}
            both = {"dataset_id": "d1d1", "prompt": "1+1?"}
            examples = [{**both, "attempt_id": f"a{i}", "problem_id": f"p{i}", "completion": texts[i]} for i in ids]
            pairs = [
                {"dataset_id": "f1f1", "chosen_id": f"a{i}", "rejected_id": f"b{i}", "problem_id": f"p{i}",
                 "prompt": "1+1?", "chosen": texts[i], "rejected": "#### 3"} for i in mine
            ]  # fmt: skip
            fill(store, at(), "curate", decisions=decided, examples=examples[::-1], pairs=pairs)
    return store


def digest(folder: Path) -> dict[str, str]:
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def loaded(folder: Path, cache: Path) -> list[dict[str, Any]]:
    import datasets

    found = datasets.load_dataset(str(folder), split="train", cache_dir=str(cache))
    return list(found)


def of_ledger(store: Store, relation: str, key: str) -> list[dict[str, Any]]:
    return sorted(store.read(relation, "night", [1]).to_pylist(), key=lambda row: row[key])


def test_what_load_dataset_reads_is_what_the_ledger_holds(
    home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = ledger(home)
    export(store, find(store, "latest", "examples"), "hf", tmp_path / "out")
    rows = loaded(tmp_path / "out", tmp_path / "cache")
    assert not caplog.records, "datasets warns of the card"
    for row, member in zip(rows, of_ledger(store, "examples", "attempt_id"), strict=True):
        assert {k: member[k] for k in ("prompt", "completion", "attempt_id", "problem_id")}.items() <= row.items()
    assert "gold" not in rows[0]
    first, second = rows[:2]
    assert (first["model_id"], first["written_in_round"], second["model_id"]) == ("m0", 0, "m1")
    assert (first["domain"], second["level"], second["verifier"], second["verifier_version"]) == ("sums", 2, "exact", 2)
    assert [r["steps_checked"] for r in rows[:5]] == [0, 1, 2, 3, 0]
    assert {r["outcome"] for r in rows} == {"correct"}


def test_pairs_carry_the_lineage_of_both_sides(home: Path, tmp_path: Path) -> None:
    store = ledger(home)
    done = export(store, find(store, "night/1", "pairs"), "hf", tmp_path / "out", golds=True)
    assert done.dataset == Dataset("pairs", "night", 1, "f1f1", N - 1)
    rows = loaded(tmp_path / "out", tmp_path / "cache")
    for row, member in zip(rows, of_ledger(store, "pairs", "chosen_id"), strict=True):
        assert {
            k: member[k] for k in ("prompt", "chosen", "rejected", "chosen_id", "rejected_id")
        }.items() <= row.items()
        assert (row["outcome"], row["rejected_outcome"]) == ("correct", "incorrect")
        assert (row["model_id"], row["rejected_model_id"], row["tokens"], row["rejected_tokens"]) == ("m1", "m0", 3, 4)
        assert row["gold"] == row["problem_id"].replace("p", "g")


def test_every_form_holds_the_same_rows(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_shards, "SHARD", 10)
    monkeypatch.setattr(_shards, "GROUP", 5)
    store = ledger(home)
    dataset = find(store, "d1", "examples")
    told: list[tuple[int, int]] = []
    for form in ("hf", "parquet", "jsonl"):
        export(store, dataset, form, tmp_path / form, progress=lambda done, total, _: told.append((done, total)))
    expected = loaded(tmp_path / "hf", tmp_path / "cache")
    shards = [f"examples-{i:05}-of-00003.parquet" for i in range(3)]
    assert sorted(f.name for f in (tmp_path / "parquet" / "data").glob("*.parquet")) == shards
    assert [pq.read_metadata(tmp_path / "parquet" / "data" / s).num_rows for s in shards] == [10, 10, 3]
    assert pq.read_table(tmp_path / "parquet" / "data").to_pylist() == expected
    lines = (tmp_path / "jsonl" / "data" / "examples.jsonl").read_text(encoding="utf-8").split("\n")
    assert [json.loads(line) for line in lines[:-1]] == expected
    assert (told[0], told[-1]) == ((0, N), (N, N))


@pytest.mark.parametrize("form", ["hf", "jsonl"])
def test_the_same_dataset_gives_the_same_bytes(home: Path, tmp_path: Path, form: Any) -> None:
    store = ledger(home)
    export(store, find(store, "night", "examples"), form, tmp_path / "a")
    fill(store, at(2), "curate", examples=[{"dataset_id": "later", "attempt_id": "a01"}])
    export(store, find(store, "d1d1", "examples"), form, tmp_path / "b")
    other = ledger(tmp_path / "elsewhere")
    export(other, find(other, "d1d1", "examples"), form, tmp_path / "c")
    assert digest(tmp_path / "a") == digest(tmp_path / "b") == digest(tmp_path / "c")


def test_the_card_says_what_the_ledger_knows(home: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "my|problems.jsonl"
    mine.parent.mkdir()
    store = ledger(home, f"file:{mine}")
    stage = store.stage(at(), "gate", "f")
    stage.write("checks", "all", [
        Check("examples", "there are at least 99 examples", "critical", False, "23 <b>", "[]"),
        Check("examples", "prompt is known", "critical", True, "", "[]"),
    ])  # fmt: skip
    stage.commit()
    export(store, find(store, "d1d1", "examples"), "hf", tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---\n")[1])
    (split,) = front["dataset_info"]["splits"]
    assert (split["name"], split["num_examples"], split["num_bytes"] > 1000) == ("train", N, True)
    assert [f["name"] for f in front["dataset_info"]["features"]][:2] == ["prompt", "completion"]
    assert front["size_categories"] == ["n<1K"]
    body = card.split("---\n", 2)[2]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines() if line[:1] == "|"]
    assert ["m0", "best", "1"] not in cells
    assert any(c[0] == "m0" and c[-1] == "1" for c in cells)
    assert any(c[0] == "m1" and c[-1] == str(N - 1) for c in cells)
    assert ["exact", "2", "correct", "-", str(N)] in cells
    assert ["dropped", "incorrect", str(N - 1)] in cells
    assert ["examples", "there are at least 99 examples", "critical", "23 &lt;b>"] in cells
    assert "did not pass its gate" in body
    assert "unknown, ask the owner of my&#124;problems.jsonl" in body
    assert "<script" not in body and "<b>" not in body
    assert "1 rows were written in an earlier round" in body


def test_a_licence_beside_the_file_is_quoted(tmp_path: Path) -> None:
    assert "this project" in _licences.of("chain_sum")
    path = tmp_path / "mine.jsonl"
    assert _licences.of(f"file:{path}") == "unknown, ask the owner of mine.jsonl"
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n")
    assert _licences.of(f"file:{path}") == "cc-by-4.0 (as stated beside mine.jsonl)"
    (tmp_path / "LICENSE.txt").write_bytes(b"\n# MIT License\n\xff")
    assert _licences.of(f"file:{path}") == "MIT License (as stated beside mine.jsonl)"
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "COPYING").write_text("GPL")
    assert _licences.of(f"file:{tmp_path / 'set'}") == "GPL (as stated beside set)"


def test_a_cell_stays_in_its_row() -> None:
    (_, _, line) = _card._table([{"a": "x | y\n<i>`*[", "b": None}])
    assert line == "| x &#124; y &lt;i>'&#42;&#91; | - |"


@pytest.mark.parametrize(
    ("wanted", "says"),
    [("nope", "known are d1d1 (night/1, 23 examples)"), ("night/7", "known are d1d1"), ("", "known are d1d1")],
)
def test_an_unknown_dataset_lists_the_known_ones(home: Path, wanted: str, says: str) -> None:
    store = ledger(home)
    with pytest.raises(UserError) as e:
        find(store, wanted, "examples")
    assert says in str(e.value)


def test_a_prefix_of_two_datasets_is_refused(home: Path) -> None:
    store = ledger(home)
    fill(store, at(2), "curate", examples=[{"dataset_id": "d1d2", "attempt_id": "a01"}])
    with pytest.raises(UserError, match=r"d1d1 .*d1d2 .*more of the id"):
        find(store, "d1", "examples")
    assert find(store, "d1d1", "examples").round == 1
    assert find(store, "latest", "examples").id == find(store, "night", "examples").id == "d1d2"


def test_an_existing_folder_is_replaced_only_when_asked_and_only_an_export(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger(home)
    out, mine = tmp_path / "out", tmp_path / "mine"
    mine.mkdir()
    (mine / "README.md").write_text("my thesis")
    assert cli.main(["export", "latest", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    before = digest(out)
    assert cli.main(["export", "latest", "--out", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
    assert cli.main(["export", "latest", "--out", str(out), "--to", "jsonl", "--force"]) == 0
    assert digest(out) != before
    assert cli.main(["export", "latest", "--out", str(mine), "--force"]) == 2
    assert "no earlier export" in capsys.readouterr().err
    assert (mine / "README.md").read_text() == "my thesis"
    assert sorted(f.name for f in tmp_path.iterdir()) == ["home", "mine", "out"]


def test_bad_places_are_one_sentence(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "latest"]) == 2
    assert "curated" in capsys.readouterr().err
    ledger(home)
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file" / "out", Path("/proc/nowhere/out")):
        assert cli.main(["export", "latest", "--out", str(out)]) == 2
        err = capsys.readouterr().err
        assert "cannot write" in err and "Traceback" not in err


def _small_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))


def test_a_disk_that_takes_no_more_leaves_nothing_behind(home: Path, tmp_path: Path) -> None:
    ledger(home)
    (tmp_path / "disk").mkdir()
    argv = [sys.executable, "-m", "flows.cli", "export", "latest", "--out", str(tmp_path / "disk" / "out")]
    done = subprocess.run(
        argv, env=dict(os.environ), preexec_fn=_small_files, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if line.startswith("flywheel: cannot write")]
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "disk").iterdir())
