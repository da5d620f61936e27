"""The promise: a budget ends a run between two stages, counts everything once, and never refuses what is committed."""

import io
import time
from typing import Any

import pytest

from data import manifest
from data.store import At, Store
from flows.cli import main
from flows.commands.run import minutes, tokens
from flows.course import Budget, Course, Spent, farewell
from tasks.comparison import comparison
from tasks.promote import Answer, promote
from tests.test_promote import measure

RUN = At("run", 1, 7)
HOUR = 3600.0


def commit(store: Store, name: str, at: At = RUN, **meta: Any) -> None:
    store.stage(at, name, "f").commit(meta)


def test_no_budget_no_end(home):
    store = Store(home)
    commit(store, "generate", tokens=10**12)
    Course(3, began=0).check(store, RUN, "verify")


@pytest.mark.parametrize(("limit", "ends"), [(0, False), (150, True), (151, False)])
def test_tokens_are_those_of_the_stages_committed_since_the_start(home, limit, ends):
    store = Store(home)
    commit(store, "evaluate-m0", At("run", 0, 7), tokens=1000)
    began = time.time()
    commit(store, "generate", tokens=100)
    commit(store, "propose", tokens=50)
    commit(store, "distill", tokens=5000)  # trained on, not generated
    commit(store, "generate", At("other", 1, 7), tokens=7000)
    course = Course(3, Budget(tokens=limit), began=began)
    assert course.used(store, "run")[0] == 150
    if ends:
        with pytest.raises(Spent, match="150 of 150 tokens were generated before the stage evaluate m1 of round 1"):
            course.check(store, RUN, "evaluate m1")
    else:
        course.check(store, RUN, "evaluate m1")


def test_a_stage_that_is_read_back_is_not_refused(home):
    store = Store(home)
    commit(store, "evaluate-m1", tokens=10)
    spent = Course(3, Budget(minutes=1), began=time.time() - HOUR)
    spent.check(store, RUN, "evaluate m1")
    with pytest.raises(Spent, match=r"60\.0 of 1 minutes were used before the stage evaluate m2 of round 1"):
        spent.check(store, RUN, "evaluate m2")


def test_waiting_for_a_person_uses_up_no_minutes(home):
    store = Store(home)
    course = Course(3, Budget(minutes=30), began=time.time() - HOUR)
    with pytest.raises(Spent):
        course.check(store, RUN, "audit")
    commit(store, "promote", waited_seconds=0.75 * HOUR)
    course.check(store, RUN, "audit")
    assert course.used(store, "run")[1] == pytest.approx(15, abs=0.1)


def test_the_end_says_what_was_used_what_was_reached_and_how_to_go_on():
    result = {"promoted": 1, "rounds": 2, "gain_points": 5.04, "interval": [1.0, 9.0]}
    text = farewell("61.0 of 60 minutes were used before distill, round 3", "mine", result)
    for part in ("61.0 of 60 minutes", "1 of 2 rounds promoted", "+5.0 points", "[+1.0, +9.0]", "--resume --name mine"):
        assert part in text
    assert "No round is finished yet" in farewell("x", "mine", result | {"rounds": 0})
    assert "Nothing was measured yet" in farewell("x", "mine", {})


@pytest.mark.parametrize(
    ("answer", "promoted", "why"),
    [
        (Answer(True, "approved by a person: looks sound", 60), True, "; approved by a person: looks sound"),
        (
            Answer(False, "a person kept the incumbent", 60),
            False,
            "not promoted: a person kept the incumbent (the test",
        ),
    ],
)
def test_a_person_is_asked_once_and_what_they_say_is_in_the_ledger(home, answer, promoted, why):
    store, asked = Store(home), []

    def ask(reason: str) -> Answer:
        asked.append(reason)
        return answer

    measure(store, 0, "old", {1: 0.95, 3: 0.3})
    measure(store, 1, "new", {1: 0.95, 3: 0.6})
    for _ in range(2):
        result = promote(store, RUN, "old", "new", ask)
        assert result.promoted is promoted and why in result.why
    assert len(asked) == 1 and asked[0].startswith("promoted: better")
    committed = manifest.read(manifest.path_of(home, "run", 1, "promote"))
    assert committed is not None and committed.meta["waited_seconds"] == 60


def test_nobody_is_asked_about_a_challenger_that_fails(home):
    store = Store(home)
    measure(store, 0, "old", {3: 0.6})
    measure(store, 1, "new", {3: 0.3})
    assert not promote(store, RUN, "old", "new", lambda why: pytest.fail("asked")).promoted


def test_the_comparison_names_gain_and_losses(home):
    store = Store(home)
    measure(store, 0, "old", {1: 1.0, 3: 0.3})
    measure(store, 1, "new", {1: 0.7, 3: 0.7})
    text = comparison(store, RUN, "old", "new", "promoted: better")
    rows = [line for line in text.splitlines() if line.startswith("| pass@")]
    assert [row.split("|")[1].strip() for row in rows] == ["pass@1", "pass@8"]
    assert "Levels that have lost pass@1: chain_sum 1 (-" in text
    assert text.splitlines()[0] == "Run **run**, round 1: shall `new` replace `old`?"


def test_asking_without_a_terminal_is_refused_at_once(home, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["run", "smoke", "--ask"]) == 2
    assert "--ask needs a terminal to ask in" in capsys.readouterr().err
    assert not any(home.iterdir())


@pytest.mark.parametrize(("text", "number"), [("2e6", 2_000_000), ("0", 0), ("1500", 1500), ("2.5e3", 2500)])
def test_tokens_may_be_written_as_people_write_them(text, number):
    assert tokens(text) == number


@pytest.mark.parametrize("text", ["", "many", "-1", "nan", "inf", "1.5"])
def test_what_is_no_number_of_tokens_is_refused(text):
    with pytest.raises(ValueError):
        tokens(text)
    if text != "1.5":
        with pytest.raises(ValueError):
            minutes(text)
