"""The quality gate: good rounds pass, every expectation catches a planted row, its own faults are no bad data."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from data.errors import UserError
from data.expectations import ExpectationsError, Rule, check
from data.store import At, Store
from tasks.curate import curate
from tasks.gate import gate, rules
from tasks.settings import CurateSettings
from tests.rows import fill
from tests.test_curate import at, judged_round

SETTINGS = CurateSettings(min_examples=3)
EXAMPLE = {"dataset_id": "d", "attempt_id": "a", "problem_id": "p", "prompt": "1+1", "completion": "2"}
EXAMPLE |= {"outcome": "correct", "finish": "stop", "split": "train", "wrong_steps": 0}
PAIR = {"problem_id": "p", "chosen_id": "a", "rejected_id": "b", "chosen": "2", "rejected": "3", "split": "train"}
PAIR |= {"chosen_outcome": "correct", "rejected_outcome": "lucky", "chosen_wrong_steps": 0, "same_problem": True}
ATTEMPT = {"attempt_id": "a", "finish": "stop", "outcome": "correct", "tokens": 3}
ATTEMPT |= {"truncated": 0, "accepted": 1, "unverified": 0}
VERDICT = {"attempt_id": "a", "outcome": "correct", "verifier": "exact", "version": 1}


def good() -> dict[str, list[dict]]:
    return {
        "examples": [{**EXAMPLE, "attempt_id": f"a{i}", "completion": f"{i}"} for i in range(4)],
        "pairs": [PAIR, {**PAIR, "rejected_id": "c", "rejected_outcome": "incorrect"}],
        "attempts": [{**ATTEMPT, "attempt_id": "a0"}, {**ATTEMPT, "attempt_id": "a1", "accepted": 0}],
        "verdicts": [VERDICT, {**VERDICT, "version": 2, "outcome": "unverified"}],
    }


def broken(tables: dict[str, list[dict]], settings: CurateSettings = SETTINGS) -> dict[str, list[str]]:
    """What failed, critical or not, and the rows that the check names."""
    found = check({name: pa.Table.from_pylist(rows) for name, rows in tables.items()}, rules(settings)).checks
    return {c.expectation: json.loads(c.bad_rows) for c in found if not c.success}


PLANTED = [
    ("examples", {"attempt_id": None}, {"attempt_id is known"}),
    ("examples", {"problem_id": None}, {"problem_id is known"}),
    ("examples", {"prompt": None}, {"prompt is known"}),
    ("examples", {"completion": None}, {"completion is known"}),
    ("examples", {"dataset_id": "e"}, {"all are of one dataset"}),
    ("examples", {"completion": "0"}, {"no prompt and completion twice"}),
    ("examples", {"completion": " \n"}, {"the completion is not empty"}),
    ("examples", {"outcome": None}, {"the attempt's outcome is known"}),
    ("examples", {"outcome": "unverified"}, {"the attempt's outcome is correct"}),
    ("examples", {"finish": None}, {"the attempt's finish is known"}),
    ("examples", {"finish": "length"}, {"the attempt's finish is stop"}),
    ("examples", {"split": None}, {"the attempt's split is known"}),
    ("examples", {"split": "heldout"}, {"the attempt's split is train"}),
    ("examples", {"wrong_steps": 1}, {"no checked step is wrong"}),
    ("pairs", {"rejected_id": "b"}, {"no pair twice"}),
    ("pairs", {"chosen_outcome": None}, {"chosen_outcome is known"}),
    ("pairs", {"chosen_outcome": "incorrect"}, {"chosen_outcome is correct"}),
    ("pairs", {"rejected_outcome": None}, {"rejected_outcome is known"}),
    ("pairs", {"rejected_outcome": "unverified"}, {"rejected_outcome is incorrect or lucky"}),
    ("pairs", {"split": None}, {"split is known"}),
    ("pairs", {"split": "heldout"}, {"split is train"}),
    ("pairs", {"chosen_wrong_steps": 2}, {"no checked step of the chosen one is wrong"}),
    ("pairs", {"same_problem": False}, {"both attempts are of the pair's problem"}),
    ("pairs", {"rejected": "2"}, {"the two texts differ"}),
    ("attempts", {"attempt_id": "a0"}, {"attempt_id is unique"}),
    ("attempts", {"finish": "tired"}, {"finish is known"}),
    ("attempts", {"outcome": None}, {"the attempt was judged"}),
    ("attempts", {"tokens": 0}, {"the attempt has tokens"}),
    ("attempts", {"truncated": 1}, {"the truncated share is between 0% and 20%"}),
    ("attempts", {"unverified": 1}, {"the unverified share is between 0% and 5%"}),
    ("attempts", {"accepted": 1}, {"the accepted share is between 2% and 98%"}),
    ("verdicts", {"version": 1}, {"one verdict per attempt and verifier version"}),
    ("verdicts", {"outcome": "maybe"}, {"outcome is known"}),
]


def test_good_tables_break_nothing():
    assert broken(good()) == {}
    assert broken({**good(), "pairs": [PAIR][:1]}) == {}


@pytest.mark.parametrize(("relation", "damage", "expected"), PLANTED, ids=lambda v: str(v)[:60])
def test_a_planted_row_breaks_its_expectation_and_no_other(relation: str, damage: dict, expected: set[str]):
    tables = good()
    tables[relation][-1] = {**tables[relation][-1], **damage}
    if relation != "verdicts":
        tables = {relation: tables[relation]}
    assert set(broken(tables)) == expected


def test_every_expectation_has_a_planted_row():
    planted = {says for _, _, expected in PLANTED for says in expected}
    assert {r.says for r in rules(SETTINGS)} - planted == {"there are at least 3 examples"}


def test_too_few_examples_and_lucky_ones_when_they_are_wanted():
    few = good()
    few["examples"] = few["examples"][:2]
    assert set(broken(few)) == {"there are at least 3 examples"}
    few["examples"][0] = {**few["examples"][0], "wrong_steps": 4}
    assert broken(few, CurateSettings(min_examples=1, drop_lucky=False)) == {}


def test_the_engine_failing_is_an_error_and_never_bad_data():
    table = {"examples": pa.Table.from_pylist([EXAMPLE])}
    for expectation, arguments in (
        ("ExpectColumnValuesToNotBeNull", {"column": "no_such_column"}),
        ("UnexpectedRowsExpectation", {"unexpected_rows_query": "SELECT nonsense FROM {batch}"}),
        ("ExpectColumnValuesToMatchRegex", {"column": "prompt", "regex": "x"}),  # not supported on DuckDB
    ):
        with pytest.raises(ExpectationsError, match=r"could not check examples \(it holds\)") as error:
            check(table, [Rule("examples", "attempt_id", "it holds", expectation, arguments)])
        assert isinstance(error.value, UserError)


def test_a_good_round_passes_once_and_for_all(home: Path):
    store = Store(home)
    judged_round(store, 0)
    judged_round(store, 1)
    for number in range(2):
        curate(store, at(number), SETTINGS)
        passed = gate(store, at(number), SETTINGS)
        assert passed.passed and passed.failed == []
        assert [w.expectation for w in passed.warnings] == ["the unverified share is between 0% and 5%"]
    assert gate(store, at(1), SETTINGS) == passed
    assert len(store.read("checks", rounds=[1])) == passed.checks == len(rules(SETTINGS))
    timing = store.query("SELECT * FROM timings WHERE stage = 'gate' AND round = 0").to_pylist()[0]
    assert timing["seconds"] >= timing["startup_seconds"] >= 0


def test_a_held_out_problem_stops_the_round_and_is_named(home: Path):
    store, here = Store(home), At("r", 0, 7)
    problems = [{"id": p, "prompt": f"{p}?", "split": "heldout" if p == "q" else "train"} for p in "pqs"]
    fill(store, here, "problems", problems=problems)
    fill(store, here, "generate", attempts=[{"id": f"a{p}", "problem_id": p, "text": "2", "tokens": 1} for p in "pqs"])
    fill(store, here, "verify", verdicts=[{"attempt_id": f"a{p}"} for p in "pqs"], step_verdicts=[])
    curate(store, here, SETTINGS)
    stopped = gate(store, here, SETTINGS)
    assert not stopped.passed
    assert [(c.relation, c.expectation) for c in stopped.failed] == [("examples", "the attempt's split is train")]
    assert json.loads(stopped.failed[0].bad_rows) == [{"attempt_id": "aq", "split": "heldout"}]
    assert not gate(store, here, SETTINGS).passed  # from the ledger, without checking again
    assert store.query("SELECT count(*) AS n FROM checks WHERE NOT success AND severity = 'critical'").to_pylist() == [
        {"n": 1}
    ]


def test_a_round_with_nothing_to_learn_does_not_pass_and_does_not_break(home: Path):
    store = Store(home)
    curate(store, at(0), SETTINGS)
    stopped = gate(store, at(0), SETTINGS)
    assert [c.expectation for c in stopped.failed] == ["there are at least 3 examples"]
    assert stopped.why == "examples: there are at least 3 examples (0)"
