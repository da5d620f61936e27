"""Texts of a user's benchmark files, which training problems must stay clear of. Not here: what counts as a copy."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from data.domains import _rows
from data.errors import UserError

COLUMNS = ("prompt", "question", "problem", "text")  # the first that a row has is its text
SCHEMA = pa.schema([(name, pa.string()) for name in ("benchmark", "id", "prompt")])


def read(files: Sequence[str], column: str = "") -> pa.Table:
    """Columns benchmark (the file as given), id (the row) and prompt.

    Raises UserError for a file that cannot be read, and for a row without a text: what cannot be compared could be
    trained on.
    """
    found: list[tuple[str, str, str]] = []
    for file in dict.fromkeys(files):
        before = len(found)
        found += [(file, row.place, _text(file, row, column)) for row in _rows.read(Path(file))]
        if len(found) == before:
            raise UserError(f"the benchmark {file} is empty: take it out of decontaminate.benchmarks")
    columns = zip(*found, strict=True) if found else [[]] * len(SCHEMA)
    return pa.table([pa.array(values, pa.string()) for values in columns], schema=SCHEMA)


def _text(file: str, row: _rows.Row, column: str) -> str:
    where = f"the benchmark {file}, row {row.place}"
    if row.fault:
        raise UserError(f"{where}: {row.fault}; mend the row or take it out")
    names = [column] if column else [name for name in COLUMNS if name in row.columns][:1]
    text = row.columns.get(names[0]) if names else None
    if not isinstance(text, str) or not text.strip():
        wanted = f"`{column}`" if column else f"any of {', '.join(COLUMNS)}"
        raise UserError(
            f"{where} has no text in {wanted} (its columns: {', '.join(map(str, row.columns)) or 'none'}): "
            "set decontaminate.column, or take the row out"
        )
    return text.encode(errors="replace").decode()
