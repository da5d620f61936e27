"""What the quality gate expects of a round, relation by relation. Data only: a sentence that holds, and who breaks it.

The tables are those of `_quality_tables.py`. Not here: which of them stop a round (severity is, effect
is not), and the engine (`data/expectations.py`).
"""

from collections.abc import Iterator
from typing import get_args

from data.expectations import Rule, Severity, never
from data.records import Finish, Outcome, Split
from tasks.settings import CurateSettings, GateSettings

RELATIONS = (
    "problems", "attempts", "verdicts", "step_verdicts", "decisions", "examples", "pairs", "eval_samples", "scores",
)  # fmt: skip
MEASURED = ("eval_samples", "scores")  # as the round before left them: this round's come after the gate
_TOLERANCE = 1e-9  # of sums of floating-point numbers


def rules(curate: CurateSettings, limits: GateSettings) -> list[Rule]:
    """All expectations, in the order in which they are reported."""
    found = [*_problems(), *_attempts(limits), *_verdicts(), *_decisions(), *_examples(curate, limits), *_pairs(curate)]
    return [*columns(), *found, *_evaluation()]


def columns() -> list[Rule]:
    """The schema of every relation; where it is broken nothing else can be asked."""
    rows = "SELECT name, type, expected FROM {{batch}} WHERE relation = '{}' AND type IS DISTINCT FROM expected"
    return [never(r, "columns", "columns and types are the record's", rows.format(r)) for r in RELATIONS]


def _problems() -> Iterator[Rule]:
    def bad(says: str, condition: str, shown: str, severity: Severity = "critical", table: str = "problems") -> Rule:
        return _where("problems", table, says, condition, f"problem_id, {shown}", severity)

    yield _once("problems", "problems", "problem_id")
    blank = "problem_id IS NULL OR domain IS NULL OR verifier IS NULL OR verifier = '' OR no_prompt"
    yield bad("id, domain, prompt and verifier are known", blank, "domain, verifier, no_prompt")
    yield bad("split is known", f"split IS NULL OR split NOT IN {_one_of(Split)}", "split")
    yield bad("the level is not negative", "level IS NULL OR level < 0", "level")
    yield bad("the gold is of a known kind, with all that it needs", "gold_fault <> ''", "gold_fault")
    yield bad("the gold can be read (a sample)", "fault <> ''", "fault", table="golds")
    yield bad("no prompt to train on is held out too", "split = 'train' AND held_out", "domain, level", "warning")


def _attempts(limits: GateSettings) -> Iterator[Rule]:
    def bad(says: str, condition: str, shown: str, severity: Severity = "critical", table: str = "attempts") -> Rule:
        return _where("attempts", table, says, condition, f"attempt_id, {shown}", severity)

    yield _once("attempts", "attempts", "attempt_id")
    yield bad("the problem is known", "split IS NULL", "problem_id")
    yield bad("the model is named", "model_id IS NULL OR model_id = ''", "problem_id, model_id")
    yield bad("finish is known", f"finish IS NULL OR finish NOT IN {_one_of(Finish)}", "finish")
    yield bad("the attempt was judged", "outcome IS NULL", "problem_id, outcome")
    yield bad("the attempt has tokens", "tokens IS NULL OR tokens < 1", "tokens", "warning")
    odd = "logprob > 0 OR first_step < 0 OR last_step > characters"
    numbers = "logprob, first_step, last_step, characters"
    yield bad("likelihood and steps fit the text", odd, numbers, "warning", "texts")
    for column, low, high in (
        ("truncated", 0, limits.most_truncated),
        ("unverified", 0, limits.most_unverified),
        ("accepted", limits.least_accepted, limits.most_accepted),
    ):
        says = f"the {column} share is between {low:.0%} and {high:.0%}"
        share = {"column": column, "min_value": low, "max_value": high}
        yield Rule("attempts", "attempts", says, "ExpectColumnMeanToBeBetween", share, "warning")


def _verdicts() -> Iterator[Rule]:
    def bad(says: str, condition: str, shown: str, severity: Severity = "critical", table: str = "verdicts") -> Rule:
        return _where("verdicts", table, says, condition, shown, severity)

    judge = "attempt_id, verifier, version"
    yield bad("outcome is known", f"outcome IS NULL OR outcome NOT IN {_one_of(Outcome)}", f"{judge}, outcome")
    yield _once("verdicts", "verdicts", judge, "one verdict per attempt and verifier version")
    yield bad("the attempt is known", "orphan", judge)
    yield bad("the verifier is named", "verifier IS NULL OR verifier = ''", judge, "warning")
    yield bad("the time is not negative", "ms IS NULL OR ms < 0", "attempt_id, ms", "warning")
    twins = "problem_id, verifier, version, first_attempt, last_attempt, one_outcome, other_outcome"
    differ = "one_outcome <> other_outcome"
    yield bad("equal texts on a problem get equal outcomes", differ, twins, "warning", "twins")

    def step(says: str, condition: str) -> Rule:
        return _where("step_verdicts", "steps", says, condition, "attempt_id, kind, steps, places, first, odd")

    yield step("outcome is known", "odd > 0")
    yield step("a step has one verdict of a kind", "places < steps")
    yield step("the index is not negative", "first IS NULL OR first < 0")
    yield step("the attempt is known", "orphan")


def _decisions() -> Iterator[Rule]:
    def bad(says: str, condition: str, shown: str) -> Rule:
        return _where("decisions", "decisions", says, condition, f"attempt_id, {shown}")

    yield _once("decisions", "decisions", "attempt_id", "one decision per attempt")
    yield bad("every attempt has a decision with its reason", "reason IS NULL OR reason = ''", "tried_problem, reason")
    yield bad("the attempt is known", "tried_problem IS NULL", "problem_id, reason")
    yield bad("the problem is the attempt's", "problem_id <> tried_problem", "problem_id, tried_problem")
    yield bad("what is kept is correct", "kept AND outcome IS DISTINCT FROM 'correct'", "reason, outcome")


def _examples(curate: CurateSettings, limits: GateSettings) -> Iterator[Rule]:
    def bad(says: str, condition: str, shown: str, severity: Severity = "critical") -> Rule:
        return _where("examples", "examples", says, condition, f"attempt_id, {shown}", severity)

    smallest, widest = {"min_value": curate.min_examples}, {"column": "dataset_id", "max_value": 1}
    size = f"there are at least {curate.min_examples} examples"
    yield Rule("examples", "examples", size, "ExpectTableRowCountToBeBetween", smallest)
    yield Rule("examples", "examples", "all are of one dataset", "ExpectColumnUniqueValueCountToBeBetween", widest)
    yield bad("prompt and completion are known", "no_text", "problem_id")
    yield bad("the completion is not empty", "blank", "problem_id")
    copies = """SELECT problem_id, min(attempt_id) AS first_attempt, max(attempt_id) AS last_attempt, count(*) AS times
        FROM {batch} GROUP BY problem_id, same HAVING count(*) > 1"""
    yield never("examples", "examples", "no prompt and completion twice", copies, _if_on(curate.rules.duplicate))
    yield bad("the attempt is known", "orphan", "problem_id")
    yield bad("the attempt has a model", "model_id IS NULL OR model_id = ''", "problem_id, model_id")
    yield bad("the model is in the ledger", "NOT coalesce(model_known, false)", "model_id", "warning")
    yield bad("the problem is the attempt's", "problem_id IS DISTINCT FROM tried_problem", "problem_id, tried_problem")
    yield bad("a decision has kept it", "NOT kept", "problem_id")
    of_the_attempt: list[tuple[str, str, Severity]] = [
        ("outcome", "correct", "critical"),
        ("finish", "stop", _if_on(curate.rules.truncated)),
        ("split", "train", "critical"),
    ]
    for column, good, severity in of_the_attempt:
        condition = f"{column} IS DISTINCT FROM '{good}'"
        yield bad(f"the attempt's {column} is {good}", condition, f"problem_id, {column}", severity)
    lucky = _if_on(curate.rules.lucky and not curate.control)
    yield bad("no checked step is wrong", "wrong_steps > 0", "problem_id, wrong_steps", lucky)
    yield bad("the prompt is not held out", "held_out", "problem_id, domain, level")
    most = limits.most_of_one_level
    says, condition = f"no level of several is more than {most:.0%} of them", f"levels > 1 AND share > {most}"
    shown = "domain, level, examples, share, levels"
    yield _where("examples", "levels", says, condition, shown, "warning")


def _pairs(curate: CurateSettings) -> Iterator[Rule]:
    def bad(says: str, condition: str, shown: str, severity: Severity = "critical") -> Rule:
        return _where("pairs", "pairs", says, condition, f"problem_id, chosen_id, rejected_id, {shown}", severity)

    yield _once("pairs", "pairs", "chosen_id, rejected_id", "no pair twice")
    yield bad("the chosen one is correct", "chosen_outcome IS DISTINCT FROM 'correct'", "chosen_outcome")
    wrong = "rejected_outcome IS NULL OR rejected_outcome NOT IN ('incorrect', 'lucky')"
    yield bad("the rejected one is incorrect or lucky", wrong, "rejected_outcome")
    yield bad("the split is train", "split IS DISTINCT FROM 'train'", "split")
    steps, severity = "chosen_wrong_steps", _if_on(curate.rules.lucky)
    yield bad("no checked step of the chosen one is wrong", f"{steps} > 0", steps, severity)
    yield bad("both attempts are of the pair's problem", "NOT same_problem", "same_problem")
    yield bad("the two texts differ", "same_text", "same_text")
    yield bad("the prompt is not held out", "held_out", "split")


def _evaluation() -> Iterator[Rule]:
    def sample(says: str, condition: str, shown: str, severity: Severity = "critical") -> Rule:
        return _where("eval_samples", "eval_samples", says, condition, f"sample_id, {shown}", severity)

    yield _once(
        "eval_samples", "eval_samples", "model_id, problem_id, sample", "one sample per model, problem and turn"
    )
    yield sample("the problem is held out", "NOT held_out", "problem_id")
    yield sample("outcome is known", f"outcome IS NULL OR outcome NOT IN {_one_of(Outcome)}", "problem_id, outcome")
    yield sample("finish is known", f"finish IS NULL OR finish NOT IN {_one_of(Finish)}", "problem_id, finish")
    yield sample("the sample has tokens", "tokens IS NULL OR tokens < 1", "problem_id, tokens", "warning")
    score = "model_id, domain, level, band, metric, k"

    def figure(says: str, condition: str, severity: Severity = "critical") -> Rule:
        shown = f"{score}, value, low, high, problems, samples"
        return _where("scores", "scores", says, condition, shown, severity)

    yield _once("scores", "scores", score, "one score per model, group and metric")
    yield figure("shares are between 0 and 1", "metric <> 'tokens' AND NOT isnan(value) AND NOT value BETWEEN 0 AND 1")
    outside = f"NOT isnan(value) AND NOT value BETWEEN low - {_TOLERANCE} AND high + {_TOLERANCE}"
    yield figure("the value lies in its interval", outside, "warning")
    yield figure("it rests on samples", "NOT isnan(value) AND (problems < 1 OR samples < problems)", "warning")


def _where(relation: str, table: str, says: str, condition: str, shown: str, severity: Severity = "critical") -> Rule:
    return never(relation, table, says, f"SELECT {shown} FROM {{batch}} WHERE {condition}", severity)


def _once(relation: str, table: str, key: str, says: str = "") -> Rule:
    rows = f"SELECT {key}, count(*) AS times FROM {{batch}} GROUP BY {key} HAVING count(*) > 1"
    return never(relation, table, says or f"{key} is unique", rows)


def _if_on(rule: bool) -> Severity:
    """What a rule of curation drops must not be there; where it is switched off that is worth a warning."""
    return "critical" if rule else "warning"


def _one_of(names: object) -> str:
    """A Literal as a list of SQL."""
    return "(" + ", ".join(f"'{name}'" for name in get_args(names)) + ")"
