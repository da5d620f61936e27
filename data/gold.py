"""The gold of a problem: typed, JSON in the ledger, never shown to a model.

`Answer` is judged by `exact` or `symbolic`, `Tests` by `unit_tests`. `StepRule` tells how a trace's lines are checked:
`same_value`: every line has the value of `start`; `same_solution`: every line is an equation with `start`'s solution;
`trace`: the first line must read exactly `start`, whose parts are joined by `>`; empty: steps are not checked.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class StepRule:
    """How the steps of a trace are checked."""

    kind: Literal["", "same_value", "same_solution", "trace"] = ""
    start: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer as text in the verifier's own notation (`7/2`, `(1, 2)`, `Paris`)."""

    value: str
    steps: StepRule = field(default_factory=StepRule)


@dataclass(frozen=True, slots=True)
class Case:
    """One hidden test: `entry(*args) == expected`, plain JSON data."""

    args: list[Any]
    expected: Any


@dataclass(frozen=True, slots=True)
class Tests:
    """Hidden tests of a function."""

    entry: str
    cases: list[Case]
    steps: StepRule = field(default_factory=StepRule)


def dump(gold: Answer | Tests) -> str:
    """JSON text of a gold, stable under `load`."""
    kind = "answer" if isinstance(gold, Answer) else "tests"
    return json.dumps({"kind": kind, **asdict(gold)}, sort_keys=True, ensure_ascii=False)


def load(text: str) -> Answer | Tests:
    """The gold in `text`. Raises ValueError when it is none."""
    try:
        row = json.loads(text)
        steps = StepRule(**row.get("steps", {}))
        if row["kind"] == "answer":
            return Answer(str(row["value"]), steps)
        if row["kind"] == "tests":
            return Tests(row["entry"], [Case(c["args"], c["expected"]) for c in row["cases"]], steps)
    except (KeyError, TypeError, AttributeError) as e:
        raise ValueError(f"not a gold: {text[:80]!r} ({e})") from e
    raise ValueError(f"not a gold: kind {row['kind']!r} is neither 'answer' nor 'tests'")
