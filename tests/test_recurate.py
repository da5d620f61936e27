"""Choosing again: by the same rules the same data, by others other data; the run they come from stays what it was."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from data import domains, integrity, manifest
from data.errors import UserError
from data.records import Attempt, Example, Problem, Verdict
from data.schemas import rows
from data.store import At, Stage, Store
from tasks import export
from tasks.curate import Curated, curate
from tasks.recurate import TAKEN, judged_rounds, take_over
from tasks.settings import CurateSettings, Rules

RULES = Rules(near_duplicate=False, length_outlier=False)  # answers that differ in a digit are all there are
SETTINGS = CurateSettings(per_problem=1, min_examples=1, rules=RULES)
ROUNDS = [1, 2]


def write(store: Store, at: At, name: str, **relations: list[Any]) -> None:
    stage = store.stage(at, name, "test")
    for relation, records in relations.items():
        stage.write(relation, "all", records)
    stage.commit()


def answers(problem: Problem, number: int) -> list[Attempt]:
    """Three right ones that differ."""
    told = domains.load("chain_sum").solve(problem)
    texts = [told, f"Let us see. {told}", f"Step by step: {told}"]
    ids = [f"{number}-{i}-{problem.id}" for i in range(len(texts))]
    return [
        Attempt(i, problem.id, "m0", "best_of_n", 0, t, [], 9, -1.0, "stop") for i, t in zip(ids, texts, strict=True)
    ]


@pytest.fixture
def store(home: Path) -> Store:
    """Two rounds of ten problems with three right answers each, curated to one."""
    store, drawn = Store(home), domains.load("chain_sum").problems("train", 1, 3)
    for number in ROUNDS:
        at, problems = At("night", number, 5), list(islice(drawn, 10))
        attempts = [a for p in problems for a in answers(p, number)]
        write(store, at, "problems", problems=problems)
        write(store, at, "generate", attempts=attempts)
        judged = [Verdict("correct", "equal", "", "symbolic", 1, attempt_id=a.id) for a in attempts]
        write(store, at, "verify", verdicts=judged)
        curate(store, at, SETTINGS)
    return store


def choose_again(store: Store, settings: CurateSettings, run: str = "again") -> list[Curated]:
    found = []
    for number in judged_rounds(store, "night"):
        take_over(store, At(run, number, 5), "night", ROUNDS)
        found.append(curate(store, At(run, number, 5), settings))
    return found


def files(store: Store, run: str) -> dict[Path, bytes]:
    lake = [f for f in (store.home / "lake").rglob("*.parquet") if f"run={run}" in f.parts]
    return {f: f.read_bytes() for f in [*lake, *(store.home / "manifests" / run).rglob("*.json")]}


def test_the_same_rules_choose_the_same(store: Store) -> None:
    before = files(store, "night")
    again = choose_again(store, SETTINGS)
    assert again == [curate(store, At("night", number, 5), SETTINGS) for number in ROUNDS]
    assert files(store, "night") == before
    with pytest.raises(UserError, match="no attempt of run 'day' has been judged"):
        judged_rounds(store, "day")


def test_other_rules_choose_otherwise_and_the_dataset_is_exported(store: Store, tmp_path: Path) -> None:
    before = files(store, "night")
    first, last = choose_again(store, SETTINGS.model_copy(update={"per_problem": 3}))
    assert (first.kept, last.kept) == (30, 30) and last.replayed == 10
    found = rows(store.read("examples", "again", [2]), Example)
    assert len(found) == last.examples == 40
    dataset = export.find(store, "again", "examples")
    done = export.export(store, dataset, "jsonl", tmp_path / "out")
    assert dataset.id == last.dataset_id and done.bytes > 0
    assert files(store, "night") == before
    assert export.find(store, "night", "examples").rows < 40


def test_what_is_taken_over_is_the_same_file_and_says_where_it_is_from(store: Store) -> None:
    choose_again(store, SETTINGS)
    for m in manifest.committed(store.home, "again"):
        if m.stage != "source":
            continue
        assert m.meta["source"] == "night"
        assert set(m.meta["stages"]) == {f"{m.round}/{stage}" for stage in ("problems", "generate", "verify")}
        for part in m.parts:
            assert part.relation in TAKEN and (store.home / part.path).stat().st_nlink == 2
    assert integrity.examine(store.home).faults == []


def test_a_killed_one_goes_on_and_another_disk_gets_copies(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt, adopted = Stage.adopt, 0

    def breaks(self: Stage, part: manifest.Part) -> None:
        nonlocal adopted
        if adopted == 2:
            raise KeyboardInterrupt
        adopted += 1
        adopt(self, part)

    def refuse(*_: object) -> None:
        raise OSError("no such names here")

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Stage, "adopt", breaks)
        choose_again(store, SETTINGS)
    monkeypatch.setattr("os.link", refuse)
    assert choose_again(store, SETTINGS) == [curate(store, At("night", number, 5), SETTINGS) for number in ROUNDS]
    assert integrity.examine(store.home).faults == []
