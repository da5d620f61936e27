"""Every relation, column and macro says what it is, in one place; the command and DuckDB's own tools repeat it."""

import json
import re
from pathlib import Path

import pytest

from data import catalog, duck, meanings, schemas
from data.store import Store
from flows import cli

ROWS = duck.described().to_pylist()


def test_every_relation_says_what_a_row_is():
    silent = {row["relation"] for row in ROWS if not re.match(r"one row per |chance ", row["grain"])}
    assert not silent, f"no grain: write it where the relation is defined (data/schemas.py, data/sql): {silent}"
    assert {row["relation"] for row in ROWS} >= {*schemas.RELATIONS, *catalog.views(), *catalog.TABLES}


def test_every_column_says_what_it_means():
    silent = [f"{row['relation']}.{row['column']}" for row in ROWS if not row["meaning"]]
    assert not silent, f"no meaning: put a comment beside the field, or `-- column: meaning` into the SQL: {silent}"


@pytest.mark.parametrize("name", [*catalog.views(), *(f"macros/{name}" for name in catalog.macros())])
def test_no_file_describes_a_column_that_it_has_not(name: str):
    text = catalog.macros()[name.removeprefix("macros/")] if "/" in name else catalog.views()[name]
    head = meanings.header(text)
    columns = [row["column"] for row in ROWS if row["relation"] == head.get("macro", name)]
    described = [k for k in head if k not in ("grain", "macro", "value")]
    assert set(described) <= set(columns)
    if "macro" in head:
        assert head["macro"].startswith(f"{name.removeprefix('macros/')}(")
        assert ("grain" in head) != ("value" in head)


def test_stored_and_derived_relations_are_told_apart():
    kinds = {row["relation"]: row["kind"] for row in ROWS}
    assert [kinds[n] for n in ("attempts", "timings", "judged", "steps")] == [
        "written",
        "written",
        "derived",
        "derived",
    ]
    assert kinds["lineage(model)"] == "macro" and kinds["lineage"] == "derived"


def test_a_meaning_is_inherited_only_where_all_that_is_read_agrees():
    def inherited(column: str, kind: str, *read: str) -> str:
        types = {"attempts": {"tokens": "BIGINT", "id": "VARCHAR"}, "problems": {"id": "VARCHAR"}}
        known = {"attempts": {"tokens": "a length", "id": "an attempt"}, "problems": {"id": "a problem"}}
        return meanings._inherited(column, kind, list(read), types, known)

    assert inherited("tokens", "BIGINT", "attempts", "problems") == "a length"
    assert inherited("tokens", "DOUBLE", "attempts") == ""  # an average is something else
    assert inherited("id", "VARCHAR", "attempts", "problems") == ""
    assert inherited("id", "VARCHAR", "problems") == "a problem"


def test_comments_are_read_from_the_place_where_a_thing_is_defined(tmp_path: Path):
    file = tmp_path / "things.py"
    file.write_text(
        'LIST = [\n    ("one", str()),  # first\n    two("a", b="# not one"),  # second; with #\n]\n'
        'class Thing:\n    """A # thing."""\n\n    name: str = "x"  # what it is called\n    kind: int\n    # alone\n'
    )
    assert meanings.noted(str(file)) == {
        "LIST": {"one": "first", "a": "second; with #"},
        "Thing": {"name": "what it is called"},
    }


def test_the_published_database_says_the_same(home: Path):
    Store(home).publish()
    for relation, kind, comments in (
        ("attempts", "view", "duckdb_views"),
        ("hardest_solved", "view", "duckdb_views"),
        ("timings", "table", "duckdb_tables"),
    ):
        rows = [row for row in ROWS if row["relation"] == relation]
        said = duck.sql(home, f"SELECT comment FROM {comments}() WHERE {kind}_name = '{relation}'")
        assert said["comment"].to_pylist() == [f"grain: {rows[0]['grain']}"]
        columns = duck.sql(home, f"SELECT column_name, comment FROM duckdb_columns() WHERE table_name = '{relation}'")
        assert columns.to_pylist() == [{"column_name": r["column"], "comment": r["meaning"]} for r in rows]
    macros = duck.sql(home, "SELECT DISTINCT function_name, comment FROM duckdb_functions() WHERE NOT internal")
    assert {row["function_name"] for row in macros.to_pylist() if row["comment"]} == {*catalog.macros()}


def test_the_command(home: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["schema", "lineage", "--json"]) == 0
    assert {row["kind"] for row in json.loads(capsys.readouterr().out)} == {"derived", "macro"}
    assert cli.main(["schema"]) == 0
    shown = capsys.readouterr().out
    assert "one row per run, round and attempt" in shown and "why_dropped(attempt)" in shown
    assert "length of the completion in tokens of its model" in shown
    assert cli.main(["schema", "atempts"]) == 2
    assert "no relation or macro 'atempts': known are" in capsys.readouterr().err
