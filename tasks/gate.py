"""The quality gate: may this round be trained on? Critical expectations that fail say no and name the rows.

Not here: the engine that checks (`data/expectations.py`), and what happens to a round that did not pass (flows).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE

from data import schemas
from data.expectations import Rule, check
from data.ids import content_id
from data.records import Check
from data.store import At, Store
from tasks.settings import CurateSettings

VERSION = 1
MOST_TRUNCATED = 0.2  # warn above: the length limit is too low, or the model rambles
MOST_UNVERIFIED = 0.05  # warn above: the verifiers cannot judge what they are given
ACCEPTED = (0.02, 0.98)  # warn outside: problems too hard, or too easy, to learn from

_READ = ("problems", "attempts", "verdicts", "step_verdicts", "decisions", "examples", "pairs")
_TABLES = {
    "examples": "FROM lineage WHERE round = $round",
    "pairs": "FROM pair_lineage WHERE round = $round",
    "attempts": """
        SELECT *, (finish = 'length')::INTEGER AS truncated, (outcome = 'correct')::INTEGER AS accepted,
            (outcome = 'unverified')::INTEGER AS unverified
        FROM judged WHERE round = $round""",
    "verdicts": "FROM verdicts WHERE round = $round",
}


@dataclass(frozen=True, slots=True)
class Gated:
    """Whether the round may be trained on; `failed` are critical and block it, `warnings` do not."""

    passed: bool
    checks: int
    failed: list[Check]
    warnings: list[Check]

    @property
    def why(self) -> str:
        """What failed, for a person: `examples: there are at least 32 examples (12)`; empty when nothing did."""
        return "; ".join(f"{c.relation}: {c.expectation} ({c.observed})" for c in self.failed)


def gate(store: Store, at: At, settings: CurateSettings) -> Gated:
    """Check this round's data and commit the checks. Raises ExpectationsError, and commits nothing, when it cannot."""
    inputs = store.inputs(at.run, [at.round], _READ)
    fingerprint = content_id("gate", VERSION, settings.model_dump(), asdict(at), inputs)
    stage = store.stage(at, "gate", fingerprint)
    if not stage.done:
        known, rounds = {"round": at.round}, range(at.round + 1)
        tables = {name: store.query(sql, known, run=at.run, rounds=rounds) for name, sql in _TABLES.items()}
        done = check(tables, rules(settings))
        stage.write("checks", "all", done.checks)
        stage.commit({"startup_seconds": done.startup_seconds, "checked_rows": sum(map(len, tables.values()))})
    checks = schemas.rows(stage.partial("checks"), Check)
    broken = [c for c in checks if not c.success]
    failed = [c for c in broken if c.severity == "critical"]
    return Gated(not failed, len(checks), failed, [c for c in broken if c.severity == "warning"])


def rules(settings: CurateSettings) -> list[Rule]:
    """All expectations, on the tables `examples`, `pairs`, `attempts` and `verdicts` of one round."""
    return [*_examples(settings), *_pairs(settings), *_attempts(), *_verdicts()]


def _examples(settings: CurateSettings) -> Iterator[Rule]:
    def rule(says: str, expectation: str, **arguments: object) -> Rule:
        return Rule("examples", "attempt_id", says, expectation, arguments)

    smallest = settings.min_examples
    yield rule(f"there are at least {smallest} examples", "ExpectTableRowCountToBeBetween", min_value=smallest)
    yield rule("all are of one dataset", "ExpectColumnUniqueValueCountToBeBetween", column="dataset_id", max_value=1)
    for column in ("attempt_id", "problem_id", "prompt", "completion"):
        yield rule(f"{column} is known", "ExpectColumnValuesToNotBeNull", column=column)
    both = ["prompt", "completion"]
    yield rule("no prompt and completion twice", "ExpectCompoundColumnsToBeUnique", column_list=both)
    empty = "SELECT attempt_id, completion FROM {batch} WHERE trim(completion, ' \t\r\n') = ''"
    yield rule("the completion is not empty", "UnexpectedRowsExpectation", unexpected_rows_query=empty)
    for column, good in (("outcome", "correct"), ("finish", "stop"), ("split", "train")):
        yield rule(f"the attempt's {column} is known", "ExpectColumnValuesToNotBeNull", column=column)
        yield rule(f"the attempt's {column} is {good}", "ExpectColumnValuesToBeInSet", column=column, value_set=[good])
    if settings.drop_lucky:
        yield rule("no checked step is wrong", "ExpectColumnValuesToBeBetween", column="wrong_steps", max_value=0)


def _pairs(settings: CurateSettings) -> Iterator[Rule]:
    def rule(says: str, expectation: str, **arguments: object) -> Rule:
        return Rule("pairs", "rejected_id", says, expectation, arguments)

    def never(says: str, condition: str) -> Rule:
        sql = f"SELECT problem_id, chosen_id, rejected_id FROM {{batch}} WHERE {condition}"
        return rule(says, "UnexpectedRowsExpectation", unexpected_rows_query=sql)

    ids = ["chosen_id", "rejected_id"]
    yield rule("no pair twice", "ExpectCompoundColumnsToBeUnique", column_list=ids)
    for column, good in (
        ("chosen_outcome", ["correct"]),
        ("rejected_outcome", ["incorrect", "lucky"]),
        ("split", ["train"]),
    ):
        yield rule(f"{column} is known", "ExpectColumnValuesToNotBeNull", column=column)
        yield rule(f"{column} is {' or '.join(good)}", "ExpectColumnValuesToBeInSet", column=column, value_set=good)
    if settings.drop_lucky:
        yield never("no checked step of the chosen one is wrong", "chosen_wrong_steps > 0")
    yield never("both attempts are of the pair's problem", "NOT coalesce(same_problem, false)")
    yield never("the two texts differ", "chosen = rejected")


def _attempts() -> Iterator[Rule]:
    def rule(says: str, expectation: str, **arguments: object) -> Rule:
        return Rule("attempts", "attempt_id", says, expectation, arguments)

    def warn(says: str, expectation: str, **arguments: object) -> Rule:
        return Rule("attempts", "attempt_id", says, expectation, arguments, "warning")

    finishes = ["stop", "length", "abort"]
    yield rule("attempt_id is unique", "ExpectColumnValuesToBeUnique", column="attempt_id")
    yield rule("finish is known", "ExpectColumnValuesToBeInSet", column="finish", value_set=finishes)
    yield rule("the attempt was judged", "ExpectColumnValuesToNotBeNull", column="outcome")
    yield warn("the attempt has tokens", "ExpectColumnValuesToBeBetween", column="tokens", min_value=1)
    for column, low, high in (
        ("truncated", 0, MOST_TRUNCATED),
        ("unverified", 0, MOST_UNVERIFIED),
        ("accepted", *ACCEPTED),
    ):
        says = f"the {column} share is between {low:.0%} and {high:.0%}"
        yield warn(says, "ExpectColumnMeanToBeBetween", column=column, min_value=low, max_value=high)


def _verdicts() -> Iterator[Rule]:
    def rule(says: str, expectation: str, **arguments: object) -> Rule:
        return Rule("verdicts", "attempt_id", says, expectation, arguments)

    once = ["attempt_id", "verifier", "version"]
    outcomes = ["correct", "incorrect", "no_answer", "unverified"]
    yield rule("outcome is known", "ExpectColumnValuesToBeInSet", column="outcome", value_set=outcomes)
    yield rule("one verdict per attempt and verifier version", "ExpectCompoundColumnsToBeUnique", column_list=once)


gate_task = task(name="gate", cache_policy=NO_CACHE)(gate)
