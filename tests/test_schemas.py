"""Arrow schemas follow from the records, and rows survive the way through a Parquet file."""

import io
from dataclasses import dataclass, fields
from typing import Literal, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import schemas
from data.records import Attempt, Verdict

_SIMPLE = {
    str: st.text(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    list[int]: st.lists(st.integers(0, 2**40)),
}


def _values(hint):
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    return _SIMPLE[hint] if hint in _SIMPLE else st.none() | _SIMPLE[get_args(hint)[0]]


def _rows_of(record):
    hints = get_type_hints(record)
    return st.lists(st.builds(record, **{f.name: _values(hints[f.name]) for f in fields(record)}), max_size=4)


@given(
    st.sampled_from(sorted(schemas.RELATIONS)).flatmap(lambda n: st.tuples(st.just(n), _rows_of(schemas.RELATIONS[n])))
)
def test_rows_survive_a_parquet_file(case):
    relation, rows = case
    record, file = schemas.RELATIONS[relation], io.BytesIO()
    pq.write_table(schemas.to_table(rows, record), file, compression="zstd")
    assert schemas.rows(pq.read_table(file), record) == rows


def test_types_follow_from_the_hints():
    schema = schemas.schema(Attempt)
    assert schema.field("steps").type == pa.list_(pa.int64())
    assert schema.field("finish") == pa.field("finish", pa.string(), nullable=False)
    assert schema.field("parent") == pa.field("parent", pa.string(), nullable=True)


def test_a_type_the_ledger_does_not_know_is_refused_by_name():
    @dataclass(frozen=True)
    class Odd:
        when: complex

    with pytest.raises(TypeError, match="complex"):
        schemas.schema(Odd)


def test_conform_fills_defaults_drops_extras_and_refuses_nulls_and_gaps():
    table = pa.table({"outcome": ["correct"], "reason": ["same"], "stray": [1]})
    assert schemas.rows(schemas.conform(table, Verdict), Verdict) == [Verdict("correct", "same")]
    with pytest.raises(ValueError, match="'reason' of Verdict is missing"):
        schemas.conform(pa.table({"outcome": ["correct"]}), Verdict)
    with pytest.raises(ValueError, match="'reason' of Verdict has 1 null"):
        schemas.conform(pa.table({"outcome": ["correct"], "reason": pa.nulls(1, pa.string())}), Verdict)
