"""The stage that keeps benchmark problems out of training, its table for a person, and what a person clears."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import UserError
from data.records import Problem, Split
from data.store import At, Store
from flows import cli
from tasks import benchmarks, clearances
from tasks.curate import curate
from tasks.decontaminate import Decontaminated, clean, decontaminate
from tasks.settings import CurateSettings, DecontaminateSettings
from tests.rows import fill

STORY = (
    "Ann has 12 apples and 3 pears in a box. She gives 4 apples to her brother, and he eats two of them. "
    "Their mother then buys 1,250 more apples at the market. How many apples are there in the end?"
)
NEAR = f"{STORY} Explain every step that you take, and say at the end which of them was the hardest for you."
FRESH = "A train goes 60 miles an hour for 4 hours. How far does it get?"
PROMPTS = {"copy": STORY.upper(), "near": NEAR, "fresh": FRESH}
USUAL = DecontaminateSettings()
DROPPED = Decontaminated(problems=3, benchmarks={"held-out": 1}, dropped=1, review=1, cleared=0)


def at(number: int) -> At:
    return At("r", number, 7)


def judged_round(store: Store, number: int) -> None:
    """One right answer to each of PROMPTS."""
    fill(store, at(number), "problems", problems=[{"id": i, "prompt": p} for i, p in PROMPTS.items()])
    attempts = [{"id": f"a-{i}-{number}", "problem_id": i, "text": f"{i} {number}"} for i in PROMPTS]
    fill(store, at(number), "generate", attempts=attempts)
    fill(store, at(number), "verify", verdicts=[{"attempt_id": f"a-{i}-{number}"} for i in PROMPTS])


@pytest.fixture
def store(home: Path) -> Store:
    """A run that holds STORY out, and its first round."""
    store = Store(home)
    fill(store, at(0), "held-out", eval_problems=[{"id": "held", "prompt": STORY, "split": "heldout"}])
    judged_round(store, 1)
    return store


def problem(name: str, prompt: str, split: Split) -> Problem:
    return Problem(name, "file:x", 3, prompt, "", "exact", "x:1", split)


def rows(store: Store) -> list[dict[str, Any]]:
    return store.query("FROM contaminations ORDER BY round, problem_id, benchmark").to_pylist()


def test_copies_are_dropped_likes_are_reviewed_and_neither_trains(store):
    assert decontaminate(store, at(1), USUAL) == DROPPED
    copy, near = rows(store)
    assert (copy["problem_id"], copy["decision"], copy["signals"]) == ("copy", "drop", "n-grams + same form")
    assert (copy["benchmark"], copy["benchmark_id"], copy["overlap"], copy["edit"]) == ("held-out", "held", 1.0, 0.0)
    assert (near["problem_id"], near["decision"], near["signals"]) == ("near", "review", "n-grams")
    assert (near["prompt"], near["benchmark_prompt"]) == (NEAR, STORY)
    problems = [problem(i, p, "train") for i, p in PROMPTS.items()]
    assert [p.id for p in clean(store, at(1), problems)] == ["fresh"]
    assert curate(store, at(1), CurateSettings()).reasons == {"contaminated": 2, "kept": 1}


def test_the_rule_can_be_switched_off(store):
    decontaminate(store, at(1), USUAL)
    off = CurateSettings.model_validate({"rules": {"contaminated": False, "near_duplicate": False}})
    assert curate(store, at(1), off).reasons == {"kept": 3}


def test_it_works_once_until_something_it_reads_changes(store):
    first = decontaminate(store, at(1), USUAL)
    before = {f: f.stat().st_mtime_ns for f in store.home.rglob("*.json*")}
    assert decontaminate(store, at(1), USUAL) == first
    assert before == {f: f.stat().st_mtime_ns for f in store.home.rglob("*.json*")}
    strict = decontaminate(store, at(1), DecontaminateSettings(by_ngrams=False))
    assert (strict.dropped, strict.review) == (1, 0)
    own = [
        Problem("o", "file:x", 3, FRESH, "", "exact", "x:1", "heldout"),
        Problem("t", "", 3, NEAR, "", "", "", "train"),
    ]
    assert decontaminate(store, at(1), USUAL, own).dropped == 2
    assert {r["problem_id"] for r in rows(store)} == {"copy", "near", "fresh"}


def test_a_round_without_problems_or_held_out_ones(home):
    assert decontaminate(Store(home), at(1), USUAL) == Decontaminated(0, {}, 0, 0, 0)
    judged_round(Store(home), 2)
    assert decontaminate(Store(home), at(2), USUAL) == Decontaminated(3, {}, 0, 0, 0)


def test_replay_brings_no_copy_back(store):
    """An import is round 0; what is held out is known later."""
    judged_round(store, 0)
    assert curate(store, at(0), CurateSettings()).kept == 3
    fill(store, at(2), "problems", problems=[{"id": f"n{i}", "prompt": f"{i} + {i}"} for i in range(9)])
    fill(
        store,
        at(2),
        "generate",
        attempts=[{"id": f"b{i}", "problem_id": f"n{i}", "text": f"{2 * i}"} for i in range(9)],
    )
    fill(store, at(2), "verify", verdicts=[{"attempt_id": f"b{i}"} for i in range(9)])
    assert decontaminate(store, at(2), USUAL).dropped == 1
    curate(store, at(2), CurateSettings(replay_share=0.5))
    replayed = store.query("SELECT problem_id FROM examples WHERE round = 2 AND problem_id NOT LIKE 'n%'")
    assert replayed["problem_id"].to_pylist() == ["fresh"]


def test_what_a_person_clears_trains_from_the_next_round_on(store):
    decontaminate(store, at(1), USUAL)
    given = clearances.clear(store, "near", "  another\n story ")
    assert given.because == "another story" and given.who and given.when.endswith("+00:00")
    assert decontaminate(store, at(1), USUAL) == DROPPED  # decided
    judged_round(store, 2)
    assert decontaminate(store, at(2), USUAL) == Decontaminated(3, {"held-out": 1}, dropped=1, review=0, cleared=1)
    assert [(r["decision"], r["why"]) for r in rows(store)[2:]] == [("drop", ""), ("cleared", "another story")]
    assert curate(store, at(2), CurateSettings()).reasons == {"contaminated": 1, "kept": 2}
    clearances.clear(store, "near", "once more")
    clearances.clear(store, "copy", "its source")
    assert {c.problem_id: c.because for c in clearances.cleared(store.home).values()} == {
        "near": "once more",
        "copy": "its source",
    }
    assert len((store.home / clearances.FILE).read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("problem", "because", "message"),
    [
        ("near", "", "say why"),
        ("near", " \n", "say why"),
        ("near", "x" * 1001, "say why"),
        ("fresh", "why not", "'fresh' is in no table"),
        ("x' OR 1", "why not", "in no table"),
    ],
)
def test_nothing_is_cleared_without_a_reason_or_unseen(store, problem, because, message):
    decontaminate(store, at(1), USUAL)
    with pytest.raises(UserError, match=message):
        clearances.clear(store, problem, because)
    assert not (store.home / clearances.FILE).exists()


@pytest.mark.parametrize("line", ["{", "[]", '"x"', '{"problem_id": "p"}', '{"problem_id": 1, "because": 2}', "\udcff"])
def test_a_damaged_file_of_clearances_is_named_and_kept(store, line):
    decontaminate(store, at(1), USUAL)
    path = store.home / clearances.FILE
    path.write_bytes(line.encode(errors="surrogateescape"))
    for use in (lambda: clearances.clear(store, "near", "why"), lambda: clearances.cleared(store.home)):
        with pytest.raises(UserError, match=clearances.FILE):
            use()
    assert path.read_bytes() == line.encode(errors="surrogateescape")


def written(folder: Path, name: str, found: Sequence[dict[str, Any]]) -> str:
    """A benchmark file, or folder, of these rows."""
    path = folder / name
    if name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in found))
    elif name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(list(found)), path)
    else:
        datasets.Dataset.from_list(list(found)).save_to_disk(str(path))
    return str(path)


@pytest.mark.parametrize("name", ["b.jsonl", "b.parquet", "folder"])
@pytest.mark.parametrize("column", ["prompt", "question", "text", "Aufgabe"])
def test_benchmark_files_of_every_kind(store, tmp_path, name, column):
    path = written(tmp_path, name, [{"id": 7, column: "Why?"}, {"id": 8, column: FRESH.lower()}])
    chosen = DecontaminateSettings(benchmarks=[path, path], column="Aufgabe" if column == "Aufgabe" else "")
    found = decontaminate(store, at(1), chosen)
    assert (found.benchmarks, found.dropped) == ({"held-out": 1, path: 2}, 2)
    (row,) = [r for r in rows(store) if r["problem_id"] == "fresh"]
    assert (row["benchmark"], row["benchmark_id"], row["benchmark_prompt"]) == (path, "2", FRESH.lower())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no problem file"),
        ("", "is empty"),
        ("{\n", "row 1: not JSON"),
        ('{"prompt": "a"}\n{"answer": "a"}\n', "row 2 has no text in any of prompt, question, problem, text.*answer"),
        ('{"prompt": ""}\n', "row 1 has no text"),
        ('{"prompt": 7}\n', "row 1 has no text"),
    ],
)
def test_a_benchmark_that_cannot_be_compared_is_an_error(tmp_path, content, message):
    path = tmp_path / "b.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message):
        benchmarks.read([str(path)])


def test_text_that_is_no_unicode_is_compared_all_the_same(store, tmp_path):
    path = tmp_path / "b.jsonl"
    path.write_text('{"prompt": "\\ud800 ' + FRESH + '"}\n')
    assert benchmarks.read([str(path)])["prompt"].to_pylist() == [f"? {FRESH}"]


def command(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = cli.main(["contamination", *argv])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_shows_the_table_and_clears(store, capsys):
    decontaminate(store, at(1), USUAL)
    code, out, _ = command(capsys)
    assert code == 0 and "review" in out and "n-grams + same form" in out and NEAR not in out
    code, out, err = command(capsys, "--clear", "near", "--because", "I wrote it myself")
    assert code == 0 and out == "" and "from the next round on: I wrote it myself" in err
    code, out, _ = command(capsys, "r", "--json")
    copy, near = json.loads(out)
    assert near["prompt"] == NEAR and near["cleared"].startswith("I wrote it myself (") and copy["cleared"] == ""
    assert near["decision"] == "review"  # as the round has decided
    code, out, _ = command(capsys, "r", "--csv")
    assert code == 0 and out.startswith("run,round,problem_id,decision,signals,overlap,edit,prompt,benchmark")


@pytest.mark.parametrize("argv", [["--clear", "near"], ["--clear", "x", "--because", "y"], ["--because", "y"]])
def test_the_command_says_what_is_missing(store, capsys, argv):
    decontaminate(store, at(1), USUAL)
    code, out, err = command(capsys, *argv)
    assert code == 2 and out == "" and err.startswith("flywheel: ") and err.count("\n") == 1


def test_no_contamination_is_no_error(home, capsys):
    assert command(capsys)[:2] == (0, "no rows\n")
