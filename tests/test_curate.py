"""Curation: one decision per attempt, nothing unproven trains, and the same ledger gives the same datasets."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from data.store import At, Store
from tasks.curate import Curated, curate
from tasks.settings import CurateSettings, Rules
from tests.rows import fill
from verifiers._steps import step_offsets

SETTINGS = CurateSettings(per_problem=2, replay_rounds=2, replay_share=0.25, min_examples=1)


def at(number: int) -> At:
    return At("r", number, 7)


def judged_round(store: Store, number: int, problems: int = 12, samples: int = 4) -> None:
    """A round in which sample 0 is right, 1 is right by luck, 2 is wrong and 3 could not be judged."""
    ids = [f"{number}-{i}" for i in range(problems)]
    fill(store, at(number), "problems", problems=[{"id": p, "prompt": f"{p}?"} for p in ids])
    attempts = [
        {"id": f"{p}-{k}", "problem_id": p, "text": f"so {k}", "tokens": 2**k} for p in ids for k in range(samples)
    ]
    fill(store, at(number), "generate", attempts=attempts)
    outcomes = ["correct", "correct", "incorrect", "unverified"]
    verdicts = [{"attempt_id": f"{p}-{k}", "outcome": outcomes[k]} for p in ids for k in range(samples)]
    steps = [{"attempt_id": f"{p}-1", "index": 1, "outcome": "incorrect"} for p in ids]
    fill(store, at(number), "verify", verdicts=verdicts, step_verdicts=steps)


def test_every_attempt_gets_one_decision_and_only_proven_ones_train(home: Path):
    store = Store(home)
    judged_round(store, 0)
    report = curate(store, at(0), SETTINGS)
    assert report.reasons == {"incorrect": 12, "kept": 12, "lucky": 12, "unverified": 12}
    assert (report.attempts, report.kept, report.examples, report.pairs, report.replayed) == (48, 12, 12, 12, 0)
    examples = store.read("examples").to_pylist()
    assert {e["dataset_id"] for e in examples} == {report.dataset_id}
    assert {e["completion"] for e in examples} == {"so 0"}
    pairs = store.read("pairs").to_pylist()
    assert {(p["chosen"], p["rejected"], p["dataset_id"]) for p in pairs} == {("so 0", "so 1", report.pairs_id)}


def test_it_works_once_and_reports_the_same_again(home: Path):
    store = Store(home)
    judged_round(store, 0)
    first = curate(store, at(0), SETTINGS)
    before = {f: f.stat().st_mtime_ns for f in home.rglob("*") if f.is_file()}
    assert curate(store, at(0), SETTINGS) == first
    assert before == {f: f.stat().st_mtime_ns for f in home.rglob("*") if f.is_file()}
    other = curate(store, at(0), SETTINGS.model_copy(update={"rules": Rules(lucky=False)}))
    assert other.kept == 24 and other.dataset_id != first.dataset_id
    assert len(store.read("examples")) == 24  # the other settings' manifest replaced the first


def test_the_control_keeps_as_many_by_chance(home: Path):
    store = Store(home)
    judged_round(store, 0)
    curate(store, at(0), SETTINGS)
    proven = {e["attempt_id"] for e in store.read("examples").to_pylist()}
    report = curate(store, at(0), SETTINGS.model_copy(update={"control": True}))
    assert report.reasons == {"incorrect": 12, "kept": 12, "not drawn": 12, "unverified": 12}
    drawn = {e["attempt_id"] for e in store.read("examples").to_pylist()}
    assert len(drawn) == 12 and drawn != proven
    assert {a.rpartition("-")[2] for a in drawn} == {"0", "1"}  # right ones, and right ones by luck


def test_parts_that_a_crash_has_left_are_kept(home: Path):
    store = Store(home)
    judged_round(store, 0)
    first = curate(store, at(0), SETTINGS)
    parts = {f: f.stat().st_mtime_ns for f in home.rglob("*.parquet")}
    next(home.rglob("curate.json")).unlink()
    next(home.glob("lake/pairs/**/*.parquet")).unlink()
    assert curate(store, at(0), SETTINGS) == first
    again = {f: f.stat().st_mtime_ns for f in home.rglob("*.parquet")}
    assert again.keys() == parts.keys()
    assert {f.parts[-4] for f in parts if again[f] != parts[f]} == {"pairs"}


def test_earlier_rounds_come_back_as_replay_and_only_as_replay(home: Path):
    store = Store(home)
    for number in range(4):
        judged_round(store, number)
        report = curate(store, at(number), SETTINGS)
        replayed = 4 if number else 0  # a quarter of the dataset: 4 of 12 + 4
        assert (report.kept, report.replayed, report.examples) == (12, replayed, 12 + replayed)
    last = store.query("SELECT * FROM examples WHERE round = 3 AND problem_id NOT LIKE '3-%'").to_pylist()
    assert {e["problem_id"][0] for e in last} <= {"1", "2"}  # replay_rounds = 2
    fill(store, at(4), "problems", problems=[{"id": "0-0", "prompt": "0-0?"}])
    fill(store, at(4), "generate", attempts=[{"id": "again", "problem_id": "0-0", "text": " so  0\n"}])
    fill(store, at(4), "verify", verdicts=[{"attempt_id": "again"}], step_verdicts=[])
    assert curate(store, at(4), SETTINGS).reasons == {"used before": 1}


def test_a_round_without_attempts_gives_an_empty_dataset(home: Path):
    report = curate(Store(home), at(0), SETTINGS)
    assert (report.attempts, report.examples, report.pairs, report.reasons) == (0, 0, 0, {})


TEXTS = ["1", "2", "1 ", "1\n2", "1 2", "3\n#### 4", "1\n2\n3", "1\n2\n4", "1\n3\n4\n5", "1\n2\x00", "wait " * 30]
ATTEMPT = st.fixed_dictionaries(
    {
        "problem_id": st.sampled_from("pqrs"),
        "text": st.sampled_from(TEXTS),
        "outcome": st.sampled_from(["correct", "correct", "incorrect", "no_answer", "unverified", None]),
        "wrong_step": st.sampled_from([None, None, 0, 1, 2]),
        "finish": st.sampled_from(["stop", "stop", "length"]),
        "tokens": st.integers(1, 9),
        "logprob": st.floats(-9, 0),
    }
)


def has_wrong_step(row: dict) -> bool:
    return row["wrong_step"] is not None and row["wrong_step"] < len(row["text"].split("\n"))


def curated(rows: list[dict], chosen: CurateSettings) -> tuple[Curated, dict[str, list[dict]]]:
    """The report and the relations that come of these attempts. Each line is a step."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        fill(store, at(0), "problems", problems=[{"id": p, "prompt": f"{p}?"} for p in "pqrs"])
        columns = ("id", "problem_id", "text", "finish", "tokens", "logprob")
        attempts = [{**{k: r[k] for k in columns}, "steps": step_offsets(r["text"])} for r in rows]
        fill(store, at(0), "generate", attempts=attempts)
        verdicts = [{"attempt_id": r["id"], "outcome": r["outcome"]} for r in rows if r["outcome"]]
        steps = [
            {"attempt_id": r["id"], "index": i, "kind": "same_value"}
            | {"outcome": "incorrect" if i == r["wrong_step"] else "correct"}
            for r in rows
            for i in range(len(r["text"].split("\n")))
        ]
        fill(store, at(0), "verify", verdicts=verdicts, step_verdicts=steps)
        report = curate(store, at(0), chosen)
        return report, {name: store.read(name).to_pylist() for name in ("decisions", "examples", "pairs")}


@settings(max_examples=8)
@given(st.lists(ATTEMPT, max_size=40), st.integers(1, 3), st.booleans())
def test_whatever_the_ledger_holds(drawn, cap, drop_lucky):
    rows = [{"id": f"a{i}", **row} for i, row in enumerate(drawn)]
    # two rules measure against all there is, so what they say changes with it
    on = Rules(lucky=drop_lucky, foreign_characters=False, length_outlier=False)
    chosen = CurateSettings(per_problem=cap, rules=on, pairs_per_problem=2, min_examples=1)
    _, tables = curated(rows, chosen)
    by_id = {r["id"]: r for r in rows}
    assert sorted(d["attempt_id"] for d in tables["decisions"]) == sorted(by_id)
    assert all((d["reason"] == "kept") == d["kept"] for d in tables["decisions"])
    trained = [by_id[e["attempt_id"]] for e in tables["examples"]]
    assert all(r["outcome"] == "correct" and r["finish"] == "stop" and "wait" not in r["text"] for r in trained)
    assert not (drop_lucky and any(map(has_wrong_step, trained)))
    assert max(Counter(r["problem_id"] for r in trained).values(), default=0) <= cap
    copies = Counter((r["problem_id"], "".join(r["text"].split())) for r in trained)
    assert max(copies.values(), default=0) <= 1
    for pair in tables["pairs"]:
        good, bad = by_id[pair["chosen_id"]], by_id[pair["rejected_id"]]
        assert good["problem_id"] == bad["problem_id"] == pair["problem_id"]
        assert good["outcome"] == "correct" and not (drop_lucky and has_wrong_step(good))
        assert bad["outcome"] == "incorrect" or (drop_lucky and bad["outcome"] == "correct" and has_wrong_step(bad))
        assert (pair["kind"] == "step") == (pair["shared"] > 0)
        assert good["text"][: pair["shared"]] == bad["text"][: pair["shared"]]
        assert pair["shared"] in (0, *step_offsets(bad["text"])[bad["wrong_step"] or 0 :][:1])
    assert {d["reason"] for d in curated(trained, chosen)[1]["decisions"]} <= {"kept"}


def test_what_was_kept_of_an_ordinary_round_is_kept_again():
    rng = random.Random(3)

    def text(i: int) -> str:
        steps = [
            f"{rng.randrange(99)} + {rng.randrange(99)} = {rng.randrange(99)}" for _ in range(rng.choice([2, 3, 4]))
        ]
        return "\n".join([*steps, "所以" * (i == 7) + "#### 5"]) + "\n1" * 200 * (i == 9)

    usual = {"outcome": "correct", "finish": "stop", "tokens": 9, "logprob": -1.0, "wrong_step": None}
    rows = [{"id": f"a{i}", "problem_id": rng.choice("pqrs"), "text": text(i), **usual} for i in range(120)]
    chosen = CurateSettings(per_problem=25, rules=Rules(endless=False))
    report, tables = curated(rows, chosen)
    assert report.reasons == {"foreign characters": 1, "kept": 100, "length outlier": 1, "over the cap": 18}
    again = [r for r in rows if r["id"] in {e["attempt_id"] for e in tables["examples"]}]
    assert curated(again, chosen)[0] == replace(report, attempts=100, reasons={"kept": 100})


def test_the_order_of_the_rows_does_not_matter():
    rng = random.Random(5)
    texts = [f"{rng.randrange(3)}" for _ in range(40)]
    rows = [
        {"id": f"a{i}", "problem_id": rng.choice("pqrs"), "text": x, "tokens": i, "logprob": -i}
        for i, x in enumerate(texts)
    ]
    rows = [{**r, "outcome": rng.choice(["correct", "incorrect"]), "wrong_step": None, "finish": "stop"} for r in rows]
    first = curated(rows, SETTINGS)
    assert first[0].kept and first[0].pairs
    assert all(curated(rng.sample(rows, len(rows)), SETTINGS) == first for _ in range(2))
