"""Imports: rows become attempts that are judged like a model's own; labels decide nothing; faults are named by row."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given as forall
from hypothesis import settings as how
from hypothesis import strategies as st

from data.domains import _rows, _traces
from data.errors import UserError
from data.records import Attempt, Import, Problem
from data.schemas import rows
from data.store import At, Store
from tasks import import_traces
from tasks.curate import Curated, curate
from tasks.export import export, find
from tasks.gate import gate
from tasks.import_traces import REJECTED, Taken, agreement, run_name, take
from tasks.settings import CurateSettings, GateSettings, VerifySettings
from tasks.verify import Verified, verify
from tests import stages

AT = At("mine", 0, 0)
CURATE = CurateSettings(min_examples=1)
SIX = {"prompt": "What is 6 times 7?", "answer": 42, "split": "train"}
PARIS = {"prompt": "Capital of France?", "answer": "Paris", "split": "train"}
SQUARE = {
    "prompt": "Write f(x), the square of x.",
    "tests": ["assert f(3) == 9", "assert f(-2) == 4"],
    "split": "train",
}
RIGHT = "6*7 is 42\n#### 42"
CODE = "```python\ndef f(x):\n    return x * x\n```"


@dataclass(frozen=True)
class Done:
    taken: Taken
    verified: Verified
    curated: Curated


def imported(store: Store, *sources: Path, problems: Path | None = None, at: At = AT) -> Done:
    taken = take(store, at, sources, problems)
    verified = verify(store, at, VerifySettings(workers=1))
    return Done(taken, verified, curate(store, at, CURATE))


def jsonl(folder: Path, rows: list[Any], name: str = "theirs.jsonl") -> Path:
    path = folder / name
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows), encoding="utf-8")
    return path


def chat(prompt: str, completion: str, **more: Any) -> dict[str, Any]:
    turns = [("system", "Be brief."), ("user", prompt), ("assistant", completion)]
    return {"messages": [{"role": role, "content": text} for role, text in turns], **more}


def outcomes(store: Store, at: At = AT) -> dict[str, str]:
    found = store.query("SELECT text, outcome FROM judged WHERE round = $n", {"n": at.round}, run=at.run)
    return {row["text"]: row["outcome"] for row in found.to_pylist()}


def test_traces_are_judged_like_a_models_own_and_labels_decide_nothing(home: Path, tmp_path: Path) -> None:
    store = Store(home)
    theirs = [
        {**SIX, "completion": RIGHT, "correct": False, "model": "gpt", "tokens": 9},
        {**SIX, "completion": "#### 41", "correct": True},
        {**SIX, "completion": "I do not know", "correct": "incorrect"},
        {"answer": "Paris", "split": "train", **chat(PARIS["prompt"], "#### Paris", correct=1)},
        {**SQUARE, "completion": CODE},
        {**SQUARE, "completion": CODE.replace("x * x", "x + x"), "finish": "stop", "correct": "correct"},
        {**SQUARE, "completion": CODE},
    ]
    done = imported(store, jsonl(tmp_path, theirs))
    assert (done.taken.rows, done.taken.attempts, done.taken.problems, done.taken.reasons) == (7, 7, 3, {})
    assert done.verified.outcomes == {"correct": 4, "incorrect": 2, "no_answer": 1}
    gated = gate(store, AT, CURATE, GateSettings())
    assert gated.passed, gated.why
    kept = store.read("examples", "mine").to_pylist()
    assert sorted((e["prompt"], e["completion"]) for e in kept) == sorted(
        [(SIX["prompt"], RIGHT), (PARIS["prompt"], "#### Paris"), (SQUARE["prompt"], CODE)]
    )
    assert done.curated.reasons["duplicate"] == 1
    first = next(a for a in rows(store.read("attempts"), Attempt) if a.text == RIGHT)
    assert (first.model_id, first.strategy, first.tokens, first.steps) == ("gpt", "import", 9, [0, 10])
    assert {r["model_id"] for r in store.read("attempts").to_pylist()} == {"gpt", "theirs"}
    claims = {(r["claimed"], r["outcome"]): (r["attempts"], r["agrees"]) for r in agreement(store, AT).to_pylist()}
    assert claims == {
        ("incorrect", "correct"): (1, False),
        ("correct", "incorrect"): (2, False),
        ("incorrect", "no_answer"): (1, True),
        ("correct", "correct"): (1, True),
    }
    places = {i.attempt_id: (i.file, i.row) for i in rows(store.read("imports"), Import)}
    assert places[first.id] == ("theirs.jsonl", "1")


def test_held_out_problems_never_train(home: Path, tmp_path: Path) -> None:
    store = Store(home)
    rows_ = [{"prompt": f"What is {n} plus 1?", "answer": n + 1, "completion": f"#### {n + 1}"} for n in range(60)]
    done = imported(store, jsonl(tmp_path, [*rows_, {**PARIS, "completion": "#### Paris", "split": "test"}]))
    split = dict(store.query("SELECT split, count(*) AS n FROM problems GROUP BY split").to_pydict().items())
    assert dict(zip(split["split"], split["n"], strict=True))["heldout"] == done.taken.held_out > 1
    trained = store.query("SELECT DISTINCT split FROM examples e JOIN problems p ON p.id = e.problem_id")
    assert trained["split"].to_pylist() == ["train"]
    assert done.curated.kept == 61 - done.taken.held_out
    gated = gate(store, AT, CURATE, GateSettings())
    assert gated.passed, gated.why


def test_every_format_gives_the_same_attempts(home: Path, tmp_path: Path) -> None:
    import datasets

    theirs = [{**SIX, "answer": "42", "completion": RIGHT}, {**PARIS, "completion": "#### Rome"}]
    jsonl(tmp_path, theirs)
    pq.write_table(pa.Table.from_pylist(theirs), tmp_path / "theirs.parquet")
    datasets.Dataset.from_list(theirs).save_to_disk(str(tmp_path / "theirs"))
    found = []
    for number, name in enumerate(("theirs.jsonl", "theirs.parquet", "theirs")):
        at = At(f"run-{number}", 0, 0)
        take(Store(home), at, [tmp_path / name])
        found.append(sorted((a.id, a.text, a.model_id) for a in rows(Store(home).read("attempts", at.run), Attempt)))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2


BAD = [
    ("{not json", "not JSON"),
    ({**SIX}, "`completion` is missing"),
    ({**SIX, "completion": " \n"}, "`completion` is missing"),
    ({**SIX, "completion": "x" * 200_001}, "more than 200000"),
    ({**SIX, "completion": "\ud800"}, "not valid Unicode"),
    ({**SIX, "completion": 42}, "neither text nor a list"),
    ({"prompt": "no gold", "completion": "x"}, "`answer` is missing"),
    ({**SIX, "answer": 43, "completion": RIGHT}, "has the prompt of theirs.jsonl, row 1 with another answer"),
    ({**SIX, "completion": RIGHT, "finish": "eos"}, "`finish` 'eos' is none of"),
    ({**SIX, "completion": RIGHT, "model": ["x"]}, "`model` is not a name"),
    ({**SIX, "completion": RIGHT, "level": 0}, "`level` '0'"),
    ({"answer": 1, "messages": [{"role": "user", "content": "1+0?"}]}, "it needs user, assistant"),
    ({"answer": 1, "messages": "1+0?"}, "neither text nor a list"),
    ({"answer": 1, "messages": [1]}, "is not of the form"),
    ({"answer": 1, "messages": [{"role": "user", "content": [{"type": "image"}]}]}, "without text"),
    ({"prompt": [{"role": "user", "content": "a"}] * 2, "completion": "1", "answer": 1}, "`prompt` has 2 turns"),
    ({"prompt": "typed", "completion": "1", "gold": "{}"}, "`gold` is not a gold"),
    ({"prompt": "typed", "completion": "1", "gold": '{"kind": "tests", "entry": "f(", "cases": []}'}, "not a gold"),
    (
        {"prompt": "typed", "completion": "1", "gold": '{"kind": "answer", "value": "1"}', "verifier": "plan"},
        "`verifier`",
    ),
]


def test_bad_rows_are_named_and_the_rest_goes_on(home: Path, tmp_path: Path) -> None:
    store = Store(home)
    path = jsonl(tmp_path, [{**SIX, "completion": RIGHT}, *(row for row, _ in BAD)])
    done = take(store, AT, [path])
    aside = [json.loads(line) for line in (home / "mine" / REJECTED).read_text().splitlines()]
    assert (done.attempts, done.rows, sum(done.reasons.values())) == (1, 1 + len(BAD), len(BAD))
    for number, ((row, says), found) in enumerate(zip(BAD, aside, strict=True), start=2):
        assert (found["file"], found["row"]) == ("theirs.jsonl", str(number))
        assert says in found["reason"], row


@pytest.mark.parametrize("shape", ["messages", "parts", "lists"])
def test_chats_are_prompts_and_completions(shape: str) -> None:
    row = chat("6*7?", RIGHT, answer=42)
    if shape == "parts":
        row["messages"][1]["content"] = [{"type": "text", "text": "6*"}, {"type": "text", "text": "7?"}]
    if shape == "lists":
        row = {"prompt": row["messages"][:2], "completion": row["messages"][2:], "answer": 42}
    found = _traces.trace(_rows.Row("1", row), Path("chat.jsonl"))
    assert (found.problem.prompt, found.text, found.model, found.claimed) == ("6*7?", RIGHT, "chat", "")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["prompt", "completion", "messages", "answer", "tests", "gold", "model", "finish", "tokens", "correct", "level"]
)


@forall(st.dictionaries(names, json_values, max_size=3))
@how(max_examples=150)
def test_any_row_is_a_trace_or_a_reason(columns: dict[str, Any]) -> None:
    try:
        found = _traces.trace(_rows.Row("1", {**SIX, "completion": RIGHT, **columns}), Path("x.jsonl"))
    except ValueError as e:
        assert str(e)
    else:
        assert isinstance(found.problem, Problem)
        assert found.text.strip() and found.tokens > 0


def test_golds_come_from_a_file_of_problems(home: Path, tmp_path: Path) -> None:
    store = Store(home)
    golds = jsonl(tmp_path, [SIX, PARIS], "golds.jsonl")
    bare = [{"prompt": "what is 6  times 7?", "completion": RIGHT}, {"prompt": "Unknown?", "completion": RIGHT}]
    done = imported(store, jsonl(tmp_path, bare), problems=golds)
    assert (done.taken.attempts, done.verified.outcomes) == (1, {"correct": 1})
    assert list(done.taken.reasons) == ["no problem of the file of problems has its prompt"]
    (problem,) = rows(store.read("problems"), Problem)
    assert (problem.prompt, problem.domain) == (SIX["prompt"], f"file:{golds}")


def test_an_import_done_twice_is_done_once_and_another_is_refused(home: Path, tmp_path: Path) -> None:
    store = Store(home)
    path = jsonl(tmp_path, [{**SIX, "completion": RIGHT}])
    name = run_name([path])
    assert (name, run_name([jsonl(tmp_path, [{**SIX, "completion": RIGHT}], "theirs.jsonl")])) == (name, name)
    first = take(store, AT, [path])
    before = sorted(store.home.rglob("*"))
    assert take(store, AT, [path]) == first
    assert sorted(store.home.rglob("*")) == before
    jsonl(tmp_path, [{**SIX, "completion": "another"}])
    with pytest.raises(UserError, match="run mine holds another import: choose another --name"):
        take(store, AT, [path])
    assert run_name([path]) != name


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "is empty"), ('{"question": "1+1?", "response": "2"}\n', "none of the 1 rows"), (None, "there is no")],
)
def test_a_file_without_a_trace_is_one_sentence(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, says: str
) -> None:
    path = tmp_path / "theirs.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=says):
        take(Store(home), AT, [path])
    assert not list(home.rglob("*.json"))


def tried(store: Store, at: At) -> Curated:
    """A round of the scripted engine, curated."""
    stages.generated(store, stages.drawn(store, at), stages.Noting(store.home), at)
    verify(store, at, VerifySettings(workers=1))
    return curate(store, at, CURATE)


def test_a_run_of_the_same_name_replays_what_was_imported(home: Path, tmp_path: Path) -> None:
    store = Store(home)
    imported(store, jsonl(tmp_path, [{**SIX, "completion": RIGHT}, {**PARIS, "completion": "#### Rome"}]))
    assert tried(store, At("mine", 1, 7)).replayed == 1
    replayed = store.query("SELECT e.completion FROM examples e JOIN imports i USING (attempt_id) WHERE e.round = 1")
    assert replayed["completion"].to_pylist() == [RIGHT]


def test_an_import_that_was_interrupted_goes_on(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_traces, "PART", 300)
    path = jsonl(tmp_path, [{**SIX, "completion": f"{n % 1500}"} for n in range(2000)])

    def interrupt(done: int, total: int, text: str) -> None:
        raise KeyboardInterrupt

    store, undisturbed = Store(home), Store(tmp_path / "undisturbed")
    with pytest.raises(KeyboardInterrupt):
        take(store, AT, [path], progress=interrupt)
    there = {f: f.stat().st_mtime_ns for f in home.rglob("*.parquet")}
    assert len(there) == 6
    assert len(store.read("attempts")) == 0
    assert take(store, AT, [path]) == take(undisturbed, AT, [path])
    assert {f: f.stat().st_mtime_ns for f in there} == there
    for relation in ("problems", "attempts", "imports"):
        assert store.read(relation).equals(undisturbed.read(relation))
    assert len(set(store.read("attempts")["id"].to_pylist())) == 2000


def test_the_command_tells_what_became_of_the_rows(home: Path, tmp_path: Path, prefect_server: str) -> None:
    path = jsonl(tmp_path, [{**SIX, "completion": RIGHT, "correct": False}, {**SIX, "completion": "?"}, "broken"])
    argv = ["import", str(path), "--name", "theirs", "--set", "verify.workers=1", "curate.min_examples=2"]
    done = subprocess.run([sys.executable, "-m", "flows.cli", *argv], capture_output=True, text=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    for line in (["rows", "read", "3"], ["judged", "correct", "1"], ["dropped:", "no_answer", "1"], ["kept", "1"]):
        assert line in lines, done.stderr
    assert ["theirs.jsonl", "incorrect", "correct", "1", "False"] in lines
    assert "1 rows were set aside" in done.stderr
    assert "at least 2 examples" in done.stderr
    assert done.returncode == 1
    assert "leaked" not in done.stderr  # what DuckDB's bindings say at exit of objects that are still held
    assert find(Store(home), "theirs", "examples").rows == 1


def test_what_is_exported_and_imported_again_is_judged_the_same(home: Path, tmp_path: Path) -> None:
    store = Store(home)
    tried(store, stages.AT)
    export(store, find(store, "latest", "examples"), "hf", tmp_path / "ours", golds=True)
    done = imported(store, tmp_path / "ours")
    shipped = store.read("examples", "run").to_pylist()
    assert done.taken.attempts == len(shipped) > 10
    assert done.taken.reasons == {}
    assert done.verified.outcomes == {"correct": len(shipped)}
    sql = """SELECT text, outcome, verifier, version, checked_steps, wrong_steps FROM judged
        WHERE run = $run AND (run = 'mine' OR attempt_id IN (SELECT attempt_id FROM examples WHERE run = $run))
        ORDER BY ALL"""
    there = store.query(sql, {"run": "run"}).to_pylist()
    assert store.query(sql, {"run": "mine"}).to_pylist() == there
    assert {r["verifier"] for r in there} == {"symbolic", "unit_tests"}
    export(store, find(store, "mine", "examples"), "hf", tmp_path / "again")
    again = pq.read_table(tmp_path / "again" / "data").to_pylist()
    assert {(r["prompt"], r["completion"]) for r in again} <= {(e["prompt"], e["completion"]) for e in shipped}
    assert {r["model_id"] for r in again} == {"m0"}
