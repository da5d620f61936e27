"""Arrow schemas derived from the records, and the way between rows and tables. Not here: files (`store.py`)."""

import types
from collections.abc import Hashable, Sequence
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa

from data import records
from data.ids import content_id

R = TypeVar("R")

RELATIONS: dict[str, type] = {
    "problems": records.Problem,  # one row per run, round and problem that the round tries
    "attempts": records.Attempt,  # one row per run, round and attempt
    "verdicts": records.Verdict,  # one row per run, round, attempt and version of its verifier
    "step_verdicts": records.StepVerdict,  # one row per run, round, attempt and checked step
    "reviews": records.Review,  # one row per run, round, attempt or held-out sample, and later version of its verifier
    "decisions": records.Decision,  # one row per run, round and attempt that was curated
    "examples": records.Example,  # one row per run, round and member of the round's dataset of examples
    "pairs": records.Pair,  # one row per run, round and member of the round's dataset of pairs
    "proposals": records.Proposal,  # one row per run, round and problem that a model proposed
    "models": records.Model,  # one row per run, round and model: the given one in round 0, then those that were trained
    "losses": records.Loss,  # one row per run, round, model and logged step of its training
    "eval_problems": records.Problem,  # one row per run and held-out problem, in round 0
    "eval_samples": records.EvalSample,  # one row per run, round and held-out sample
    "scores": records.Score,  # one row per run, round, model, domain, level, band, metric and k
    "rounds": records.RoundResult,  # one row per run and finished round
    "checks": records.Check,  # one row per run, round and expectation of the quality gate
    "probes": records.ProbeResult,  # one row per run, round and labelled attempt of the audit
    "contaminations": records.Contamination,  # one row per run, round, training problem and benchmark that has its like
    "imports": records.Import,  # one row per run, round and attempt that came from a file
}
PLACE = [
    pa.field("run", pa.string(), nullable=False),  # name of the run
    pa.field("round", pa.int32(), nullable=False),  # round of the run; 0: before the first
]

_SCALARS: dict[Any, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def schema(record: type) -> pa.Schema:
    """The arrow schema of a record class. Raises TypeError for a field type the ledger does not know."""
    return _schema(record)


@cache
def _schema(record: Hashable) -> pa.Schema:
    assert isinstance(record, type)
    hints = get_type_hints(record)
    return pa.schema([_field(f.name, hints[f.name]) for f in fields(record)])


def placed(record: type) -> pa.Schema:
    """The record's schema followed by `run` and `round`, as rows of the lake are read."""
    return pa.schema([*schema(record), *PLACE])


def to_table(rows: Sequence[Any], record: type) -> pa.Table:
    """Rows of one record class as a table. Raises pa.ArrowInvalid when a value does not fit its field."""
    columns = {f.name: [getattr(row, f.name) for row in rows] for f in schema(record)}
    return conform(pa.table(columns, schema=schema(record)), record)


def rows(table: pa.Table, record: type[R]) -> list[R]:
    """The rows of a table as records; further columns (`run`, `round`) are left out."""
    names = schema(record).names
    return [record(*values) for values in zip(*(table[name].to_pylist() for name in names), strict=True)]


def columns_id(record: type) -> str:
    """A hash of the names of the record's columns, by which a part says which ones it has."""
    return content_id(schema(record).names)


def default(record: type, name: str) -> Any:
    """What a column holds in parts that lack it; None when the record does not say."""
    return next((f.default for f in fields(record) if f.name == name and f.default is not MISSING), None)


def conform(table: pa.Table, record: type) -> pa.Table:
    """The table with exactly the record's columns and types; a column that it lacks takes the field's default.

    Raises ValueError when a column without a default is missing, when a value cannot be cast, or when it is null
    where the record has no None.
    """
    defaults = {f.name: f.default for f in fields(record)}
    columns = []
    for field in schema(record):
        if field.name in table.column_names:
            column = table[field.name].cast(field.type)
        elif defaults[field.name] is not MISSING:
            column = pa.chunked_array([pa.repeat(pa.scalar(defaults[field.name], field.type), len(table))])
        else:
            raise ValueError(f"column {field.name!r} of {record.__name__} is missing; there are {table.column_names}")
        if column.null_count and not field.nullable:
            raise ValueError(f"column {field.name!r} of {record.__name__} has {column.null_count} nulls")
        columns.append(column)
    return pa.table(columns, schema=schema(record))


def _field(name: str, hint: Any) -> pa.Field:
    """An optional hint becomes a nullable field, a Literal of strings a string."""
    nullable = False
    if get_origin(hint) in (Union, types.UnionType):
        inner = [a for a in get_args(hint) if a is not types.NoneType]
        nullable = len(inner) < len(get_args(hint))
        hint = inner[0] if len(inner) == 1 else hint
    return pa.field(name, _type(hint), nullable=nullable)


def _type(hint: Any) -> pa.DataType:
    if get_origin(hint) is Literal:
        kinds = {type(value) for value in get_args(hint)}
        return _type(kinds.pop()) if len(kinds) == 1 else _refuse(hint)
    if get_origin(hint) is list:
        return pa.list_(_type(get_args(hint)[0]))
    return _SCALARS.get(hint) or _refuse(hint)


def _refuse(hint: Any) -> pa.DataType:
    raise TypeError(f"no arrow type for {hint!r}; known are str, int, float, bool, list, Literal and X | None")
