"""The gold of a problem: typed, JSON in the ledger, never shown to a model.

`Answer` is judged by `exact` or `symbolic`, `Tests` by `unit_tests`, `Console` by `console`, `Planning` by `plan`,
`Entailment` by `certificate`. `StepRule` tells how a trace's lines are checked: `same_value`: every line has the value
of `start`; `same_solution`: every line is an equation with `start`'s solution; `trace`: the first line must read
exactly `start`, whose parts are joined by `>`; `stacks`: every line before a plan shows the stacks of blocks after its
next move; empty: the gold has no rule (a verifier may still check steps itself).
"""

import ast
import cmath
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class StepRule:
    """How the steps of a trace are checked."""

    kind: Literal["", "same_value", "same_solution", "trace", "stacks"] = ""
    start: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer as text in the verifier's own notation (`7/2`, `(1, 2)`, `Paris`).

    `bare`: where no final answer is marked, the last expression of the completion is taken for one.
    """

    value: str
    steps: StepRule = field(default_factory=StepRule)
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One hidden test: `entry(*args) == expected`, of plain values: None, bool, int, float, complex, str, bytes, list,
    tuple, set, dict. What JSON cannot carry is kept as a Python literal, which is read and never run.
    """

    args: list[Any]
    expected: Any


@dataclass(frozen=True, slots=True)
class Tests:
    """Hidden tests of a function."""

    entry: str
    cases: list[Case]
    steps: StepRule = field(default_factory=StepRule)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One hidden test of a whole program: what it reads from standard input and must write to standard output."""

    stdin: str
    stdout: str


@dataclass(frozen=True, slots=True)
class Console:
    """Hidden tests of a program that reads standard input and writes standard output."""

    exchanges: list[Exchange]
    steps: StepRule = field(default_factory=StepRule)


@dataclass(frozen=True, slots=True)
class Planning:
    """A planning task in PDDL (STRIPS, typing, negative preconditions): the domain's text and the problem's."""

    domain: str
    problem: str
    steps: StepRule = field(default_factory=StepRule)


@dataclass(frozen=True, slots=True)
class Entailment:
    """Do the premises entail the conclusion? Formulas in the verifier's notation; the certificate is the answer."""

    premises: list[str]
    conclusion: str
    steps: StepRule = field(default_factory=StepRule)


Gold = Answer | Tests | Console | Planning | Entailment
_KINDS: dict[str, Any] = {
    "answer": Answer, "tests": Tests, "console": Console, "planning": Planning, "entailment": Entailment,
}  # fmt: skip
_ITEMS: dict[str, Any] = {"cases": Case, "exchanges": Exchange}


def dump(gold: Gold) -> str:
    """JSON text of a gold, stable under `load`; fields at their default are left out."""
    kind = next(name for name, made in _KINDS.items() if type(gold) is made)
    row = {name: value for name, value in asdict(gold).items() if (name, value) != ("bare", False)}
    if isinstance(gold, Tests):
        row["cases"] = [_dump_case(case) for case in gold.cases]
    return json.dumps({"kind": kind, **row}, sort_keys=True, ensure_ascii=False)


def load(text: str) -> Gold:
    """The gold in `text`. Raises ValueError when it is none."""
    try:
        row = json.loads(text)
        kind = row.pop("kind")
        row["steps"] = StepRule(**row.get("steps", {}))
        for name in _ITEMS.keys() & row.keys():
            row[name] = [_load_item(_ITEMS[name], item) for item in row[name]]
        if kind == "answer":
            row["value"] = str(row["value"])
        made: Gold = _KINDS[kind](**row)
    except (KeyError, TypeError, AttributeError, SyntaxError, RecursionError, MemoryError) as e:
        raise ValueError(f"not a gold: {text[:80]!r} ({e})") from e
    return made


def _dump_case(case: Case) -> dict[str, Any]:
    values = [case.args, case.expected]
    try:
        if repr(json.loads(json.dumps(values))) == repr(values):
            return {"args": case.args, "expected": case.expected}
    except (TypeError, ValueError):
        pass  # no JSON data
    return {"literal": literal(values)}


def _load_item(kind: Any, item: dict[str, Any]) -> Any:
    return kind(*ast.literal_eval(item["literal"])) if "literal" in item else kind(**item)


def literal(value: Any) -> str:
    """`value` as a Python literal, the same text in every process. Raises ValueError when it has none."""
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return repr(value)
    if kind in (float, complex) and cmath.isfinite(value):
        return repr(value)
    if kind is dict:
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if kind is set:
        return "{" + ", ".join(sorted(map(literal, value))) + "}" if value else "set()"
    if kind in (list, tuple):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if kind is list else f"({inner}{',' * (len(value) == 1)})"
    raise ValueError(f"{str(value)[:40]!r} is not plain data")
