"""What every relation, column and macro means, read from where it is defined: from comments, and nowhere else.

    data/records.py, catalog.py   the comment of a field                 schemas.py   of a relation: its grain
    data/sql/*.sql                -- grain: one row per …                -- column: meaning
    data/sql/macros/*.sql         -- macro: name(arguments)              -- grain: …, or -- value: … where it has one

A column of a view that its file does not name means what the columns of that name and type mean that the file reads,
where these agree. `comment` puts all of it into a database, where DuckDB's own tools show it.
Not here: how it is printed (`flows/commands/schema.py`).
"""

import re
import tokenize
from functools import cache
from itertools import groupby
from typing import Any

from data import catalog, records, schemas
from data.catalog import quoted

Meanings = dict[str, str]  # by column
COLUMNS = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY column_index"


def written() -> list[str]:
    """Relations that are stored; all others are derived from them."""
    return [*schemas.RELATIONS, *catalog.TABLES]


def grain(relation: str) -> str:
    """What one row of a relation or a view is. Empty: nobody says."""
    stored = noted(schemas.__file__)["RELATIONS"] | noted(catalog.__file__)["TABLES"]
    return stored.get(relation) or header(catalog.files().get(relation, "")).get("grain", "")


def described(con: Any) -> list[dict[str, str]]:
    """A row per column of all that `catalog.define` made in a database, written relations first, macros last.

    Keys: relation (of a macro its signature), kind (written, derived, macro), grain, column, type, meaning.
    """
    types = _types(con)
    known = columns(types)
    stored = written()
    names = [n for n in stored if n in types] + sorted(types.keys() - stored)
    rows = []
    for name in names:
        about = {"relation": name, "kind": "written" if name in stored else "derived", "grain": grain(name)}
        rows += [about | {"column": c, "type": t, "meaning": known[name].get(c, "")} for c, t in types[name].items()]
    for name, text in sorted(catalog.macros().items()):
        head = header(text)
        call = re.sub(r"\w+(?=[,)])", "NULL", head["macro"])
        about = {"relation": head["macro"], "kind": "macro", "grain": head.get("grain") or head["value"]}
        table = f"FROM {call}" if "grain" in head else f"SELECT {call} AS {name}"
        for column, kind in con.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall():
            rows.append(about | {"column": column, "type": kind, "meaning": head.get(column) or head.get("value", "")})
    return rows


def columns(types: dict[str, dict[str, str]]) -> dict[str, Meanings]:
    """The meaning of every column of these relations (relation -> column -> type); columns without one are left out."""
    found = {name: _stored(name) for name in written()}
    for name, text in catalog.views().items():
        if name in types:
            read = sorted(catalog.mentioned(text) & found.keys() & types.keys())
            known = {c: _inherited(c, kind, read, types, found) for c, kind in types[name].items()} | header(text)
            found[name] = {c: known[c] for c in types[name] if known[c]}
    return {name: {c: found[name][c] for c in types[name] if c in found[name]} for name in found.keys() & types.keys()}


def comment(con: Any) -> None:
    """Put the meanings of all relations, columns and macros that a database has into it."""
    for relation, known in columns(_types(con)).items():
        what = "TABLE" if relation in catalog.TABLES else "VIEW"
        con.execute(f"COMMENT ON {what} {relation} IS {quoted('grain: ' + grain(relation))}")
        for column, meaning in known.items():
            con.execute(f'COMMENT ON COLUMN {relation}."{column}" IS {quoted(meaning)}')
    for name, text in catalog.macros().items():
        head = header(text)
        what, says = ("MACRO TABLE", f"grain: {head['grain']}") if "grain" in head else ("MACRO", head["value"])
        con.execute(f"COMMENT ON {what} {name} IS {quoted(says)}")


def header(text: str) -> Meanings:
    """The `-- name: meaning` lines that begin an SQL text."""
    found = {}
    for line in text.splitlines():
        if not (named := re.fullmatch(r"-- (\w+): (.+)", line)):
            break
        found[named[1]] = named[2]
    return found


@cache
def noted(path: str) -> dict[str, Meanings]:
    """Comments at the ends of lines of a Python file, by the class or constant they are in and what begins the line.

    That is a field (`text: str`), or the first string (`("rows", pa.int64()),`, `"problems": records.Problem,`).
    """
    found: dict[str, Meanings] = {}
    block = ""
    with tokenize.open(path) as f:
        kept = (t for t in tokenize.generate_tokens(f.readline) if t.string.strip())
        for _, line in groupby(kept, key=lambda t: t.start[0]):
            first, *more = line
            if first.type == tokenize.NAME and first.start[1] == 0:
                block = more[0].string if first.string == "class" else first.string
            if more and more[-1].type == tokenize.COMMENT:
                texts = [t.string[1:-1] for t in (first, *more) if t.type == tokenize.STRING]
                field = first.type == tokenize.NAME and more[0].string == ":"
                name = first.string if field or not texts else texts[0]
                found.setdefault(block, {})[name] = more[-1].string.lstrip("# ")
    return found


def _types(con: Any) -> dict[str, dict[str, str]]:
    types: dict[str, dict[str, str]] = {}
    for relation, column, kind in con.execute(COLUMNS).fetchall():
        types.setdefault(relation, {})[column] = kind
    return types


def _stored(relation: str) -> Meanings:
    place = noted(schemas.__file__)["PLACE"]
    if relation in schemas.RELATIONS:
        return noted(records.__file__).get(schemas.RELATIONS[relation].__name__, {}) | place
    known = noted(catalog.__file__)
    return place | known["_PLACE"] | known.get(relation.upper(), {})


def _inherited(
    column: str, kind: str, read: list[str], types: dict[str, dict[str, str]], found: dict[str, Meanings]
) -> str:
    """What a view's column means by what the view reads; empty where nothing or more than one meaning is to be had."""
    meanings = {found[name].get(column, "") for name in read if types[name].get(column) == kind}
    return meanings.pop() if len(meanings) == 1 else ""
