"""The quality gate: a good round passes, each expectation names who breaks it, its own faults are no bad data."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from data import duck, expectations
from data.errors import UserError
from data.expectations import ExpectationsError, Rule, never
from data.records import Check
from data.store import At, Store
from tasks._quality_rules import rules
from tasks._quality_tables import examine
from tasks.curate import curate
from tasks.gate import gate
from tasks.settings import CurateSettings, GateSettings, Rules
from tests.quality_rows import ALSO, HIDDEN, MAY, PLANTED, USUAL, Ledger, good, merged, trained
from tests.rows import fill, given

CURATE, LIMITS = CurateSettings(min_examples=3), GateSettings()
Found = dict[tuple[str, str], Check]
OF_THE_WHOLE = {
    ("examples", "there are at least 3 examples"),
    ("examples", "all are of one dataset"),
    ("examples", "no level of several is more than 75% of them"),
    ("attempts", "the truncated share is between 0% and 20%"),
    ("attempts", "the unverified share is between 0% and 5%"),
    ("attempts", "the accepted share is between 2% and 98%"),
}


def examined(ledger: Ledger, curate: CurateSettings = CURATE, **replaced: pa.Table) -> Found:
    """The checks of round 1 of a ledger; `replaced`: whole relations."""
    tables = {
        name: given(name, *({"round": 1, **USUAL.get(name, {}), **row} for row in rows))
        for name, rows in ledger.items()
    }
    with duck.workspace(Path("/nowhere"), []) as ws, expectations.engine(ws.connection) as engine:
        for name, table in (tables | replaced).items():
            ws.give(name, table)
        return {(c.relation, c.expectation): c for c in examine(ws, engine, 1, curate, LIMITS)}


def broken(found: Found) -> set[tuple[str, str]]:
    return {key for key, check in found.items() if not check.success}


@pytest.fixture(scope="module")
def planted() -> Found:
    """The checks of a good round to which everything bad was added."""
    return examined(merged(good(), HIDDEN, *(bad for group in PLANTED.values() for bad in group.values())))


def test_a_good_round_breaks_nothing():
    found = examined(good())
    assert broken(found) == set()
    assert list(found) == [(r.relation, r.says) for r in rules(CURATE, LIMITS)]
    assert found["attempts", "attempt_id is unique"].observed == "none in 8 rows"
    assert found["attempts", "the accepted share is between 2% and 98%"].observed == "0.5"
    assert {c.bad_rows for c in found.values()} == {"[]"}


@pytest.mark.parametrize(("relation", "says"), [(r, says) for r, group in PLANTED.items() for says in group])
def test_an_expectation_names_the_rows_that_break_it_and_no_others(relation: str, says: str, planted: Found):
    check = planted[relation, says]
    assert not check.success
    own, others = ids(PLANTED[relation][says]), ALSO.get((relation, says), [])
    rows = [set(map(str, row.values())) for row in json.loads(check.bad_rows)]
    assert [row for row in rows if not row & (own | {*others} | MAY)] == []
    assert any(row & own for row in rows)
    assert [name for name in others if not any(name in row for row in rows)] == []
    assert check.observed.startswith(f"{len(rows)} in ")


def ids(ledger: Ledger) -> set[str]:
    """What the rows of a ledger are called."""
    rows = [row for name, rows in ledger.items() if name != "pairs" for row in rows]
    return {row.get("id") or row.get("attempt_id") or row["model_id"] for row in rows}


def test_every_expectation_has_planted_rows():
    planted = {(relation, says) for relation, group in PLANTED.items() for says in group}
    schema = {(r, "columns and types are the record's") for r in PLANTED}
    assert {(r.relation, r.says) for r in rules(CURATE, LIMITS)} == planted | OF_THE_WHOLE | schema


def test_too_few_examples_of_two_datasets():
    first, second = good()["examples"][:2]
    found = examined({**good(), "examples": [first, {**second, "dataset_id": "other"}]})
    assert broken(found) == {("examples", "there are at least 3 examples"), ("examples", "all are of one dataset")}
    assert {found[key].observed for key in broken(found)} == {"2"}
    assert {found[key].severity for key in broken(found)} == {"critical"}


def test_shares_out_of_bounds_and_one_level_among_several_are_warnings():
    cut = [{"id": f"cut{i}", "finish": "length"} for i in range(4)]
    verdicts = [{"attempt_id": a["id"], "outcome": "unverified"} for a in cut]
    dropped = [{"attempt_id": a["id"], "kept": False, "reason": "unverified"} for a in cut]
    bad = {"attempts": cut, "verdicts": verdicts, "decisions": dropped}
    found = examined(merged(good(), bad, trained("of the second", at="p2")))
    most = "examples", "no level of several is more than 75% of them"
    assert broken(found) == {most} | {key for key in OF_THE_WHOLE if " 0% and" in key[1]}
    assert {found[key].severity for key in broken(found)} == {"warning"}
    assert found["attempts", "the truncated share is between 0% and 20%"].observed == "0.3077"
    row = {"domain": "sums", "level": 1, "examples": 4, "share": 0.8, "levels": 2}
    assert json.loads(found[most].bad_rows) == [row]


def test_a_round_too_easy_is_a_warning_and_of_many_bad_rows_the_first_are_kept():
    easy = {name: [row for row in rows if "wrong" not in str(row)] for name, rows in good().items()}
    many = {"problems": [{"id": f"p{i:04}", "level": -1} for i in range(1000)]}
    found = examined(merged({**easy, "pairs": []}, many))
    low = "problems", "the level is not negative"
    assert broken(found) == {low, ("attempts", "the accepted share is between 2% and 98%")}
    assert found[low].observed == "1,000 in 1,002 rows"
    assert [r["problem_id"] for r in json.loads(found[low].bad_rows)] == [f"p{i:04}" for i in range(expectations.SHOWN)]


def test_a_rule_of_curation_that_is_switched_off_is_worth_a_warning():
    off = CurateSettings(min_examples=3, rules=Rules(lucky=False, truncated=False, duplicate=False))
    names = ("no checked step is wrong", "the attempt's finish is stop", "no prompt and completion twice")
    found = examined(merged(good(), *(PLANTED["examples"][says] for says in names)), off)
    assert broken(found) == {("examples", says) for says in names}
    assert {found[key].severity for key in broken(found)} == {"warning"}


def test_another_schema_is_named_and_nothing_else_is_asked():
    attempts = given("attempts", {"id": "a"})
    other = attempts.set_column(0, "id", pa.array([b"a"])).drop_columns("tokens").append_column("toekns", [[1]])
    found = examined(good(), attempts=other)
    key = "attempts", "columns and types are the record's"
    assert broken(found) == {key} and {says for _, says in found} == {key[1]}
    assert [(r["name"], r["type"], r["expected"]) for r in json.loads(found[key].bad_rows)] == [
        ("id", "BLOB", "VARCHAR"),
        ("toekns", "BIGINT", None),
        ("tokens", None, "BIGINT"),
    ]


def test_the_engine_failing_is_an_error_and_never_bad_data():
    def rule(expectation: str, **arguments: object) -> Rule:
        return Rule("examples", "numbers", "it holds", expectation, arguments)

    with duck.workspace(Path("/nowhere"), []) as ws, expectations.engine(ws.connection) as engine:
        ws.table("numbers", "SELECT 1 AS a, 'x' AS prompt")
        for bad in (
            never("examples", "numbers", "it holds", "SELECT nonsense FROM {batch}"),
            never("examples", "numbers", "it holds", "SELECT a / (a - a)::VARCHAR::DATE FROM {batch}"),
            rule("ExpectColumnValuesToNotBeNull", column="no_such_column"),
            rule("ExpectColumnValuesToMatchRegex", column="prompt", regex="x"),  # not supported on DuckDB
        ):
            with pytest.raises(ExpectationsError, match=r"could not check examples \(it holds\)") as error:
                engine.check("numbers", [bad])
            assert isinstance(error.value, UserError)
        assert engine.check("numbers", [never("examples", "numbers", "it holds", "SELECT a FROM {batch} WHERE a > 1")])[
            0
        ].success


def test_a_curated_round_passes_once_and_for_all(home: Path):
    store, here = Store(home), At("r", 1, 7)
    keep = CurateSettings(min_examples=3, per_problem=4, rules=Rules(near_duplicate=False))
    full = complete({name: good()[name] for name in ("problems", "models", "attempts", "verdicts", "step_verdicts")})
    fill(
        store,
        At("r", 0, 7),
        "evaluate-m",
        **complete({n: good()[n] for n in ("eval_problems", "eval_samples", "scores")}),
    )
    fill(store, here, "all", **full)
    curate(store, here, keep)
    passed = gate(store, here, keep, LIMITS)
    assert passed.passed and passed.failed == passed.warnings == [] and passed.remark == passed.why == ""
    fill(store, here, "evaluate-n", **complete({name: good()[name] for name in ("eval_samples", "scores")}))
    before = {f: f.stat().st_mtime_ns for f in home.rglob("*.parquet")}
    assert gate(store, here, keep, LIMITS) == passed
    assert before == {f: f.stat().st_mtime_ns for f in home.rglob("*.parquet")}
    assert len(store.read("checks", rounds=[1])) == passed.checks == len(rules(keep, LIMITS))
    timing = store.query("SELECT * FROM timings WHERE stage = 'gate'").to_pylist()[0]
    assert timing["seconds"] >= timing["startup_seconds"] >= 0
    assert passed.page == home / "r" / "quality" / "round-1.html" and passed.page.exists()


def complete(ledger: Ledger) -> Ledger:
    """With the usual columns, as a stage writes it."""
    return {
        name: [{k: v for k, v in {**USUAL.get(name, {}), **row}.items() if k != "round"} for row in rows]
        for name, rows in ledger.items()
    }


def test_a_held_out_problem_stops_the_round_and_is_named(home: Path):
    """Curation would not have kept it."""
    store, here = Store(home), At("r", 1, 7)
    fill(store, here, "all", **complete(merged(good(), HIDDEN, trained("not for training", at="hidden"))))
    stopped = gate(store, here, CURATE, LIMITS)
    assert not stopped.passed
    assert [(c.relation, c.expectation) for c in stopped.failed] == [("examples", "the attempt's split is train")]
    row = {"attempt_id": "not for training", "problem_id": "hidden", "split": "heldout"}
    assert json.loads(stopped.failed[0].bad_rows) == [row]
    assert stopped.why == "examples: the attempt's split is train (1 in 5 rows)"
    assert stopped.remark == f"Quality: 1 failed of {stopped.checks} checks: {stopped.page}"
    assert not gate(store, here, CURATE, LIMITS).passed  # from the ledger, without checking again
    counted = store.query("SELECT count(*) AS n FROM checks WHERE NOT success AND severity = 'critical'")
    assert counted.to_pylist() == [{"n": 1}]


def test_a_ledger_that_cannot_be_read_is_an_error_and_commits_nothing(home: Path):
    store, here = Store(home), At("r", 1, 7)
    fill(store, here, "all", problems=[{"id": "p"}])
    part = next(home.glob("lake/problems/run=r/round=1/*.parquet"))
    part.write_bytes(part.read_bytes()[:-8] + b"\0" * 8)
    with pytest.raises(Exception, match=r"problems|parquet"):
        gate(store, here, CURATE, LIMITS)
    assert not list(home.glob("lake/checks/**/*.parquet")) and not store.stage(here, "gate", "").done


def test_a_round_with_nothing_to_learn_does_not_pass_and_does_not_break(home: Path):
    store = Store(home)
    curate(store, At("r", 0, 7), CURATE)
    stopped = gate(store, At("r", 0, 7), CURATE, LIMITS)
    assert [c.expectation for c in stopped.failed] == ["there are at least 3 examples"]
    assert stopped.why == "examples: there are at least 3 examples (0)"
