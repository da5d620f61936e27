"""Rows of a user's own file, whatever its format: JSON lines, Parquet, or a `datasets` folder.

Knows nothing of problems: `file.py` makes those. A line that is not JSON is a row too, with a fault instead of columns.
Not here: downloads; a path that does not exist is an error, never the name of a dataset on a hub.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import UserError

JSON_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `place` says where it is (`12`, or `test 12` in a dataset with several splits; the first row is 1)."""

    place: str
    columns: dict[str, Any]
    fault: str = ""
    part: str = ""  # the split the file itself puts it in, "" where it has at most one


def read(path: Path) -> Iterator[Row]:
    """Every row of the file or folder. Raises UserError when there is none of that name or it cannot be read."""
    if not path.exists():
        raise UserError(
            f"there is no problem file {path}: give the path of a JSONL or Parquet file or a dataset folder"
        )
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() in JSON_LINES:
        return _json_lines(path)
    if path.suffix.lower() == ".parquet":
        return _parquet(path)
    raise UserError(f"{path} is neither .jsonl nor .parquet nor a dataset folder: convert it to one of them")


def stamp(path: Path) -> tuple[int, ...]:
    """Changes when the file, or a file in the folder, changes: number of files, newest change, size in bytes."""
    files = [f.stat() for f in ([path] if path.is_file() else path.rglob("*")) if f.is_file()]
    return len(files), max((f.st_mtime_ns for f in files), default=0), sum(f.st_size for f in files)


def _json_lines(path: Path) -> Iterator[Row]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                columns = json.loads(line.decode())  # a byte-order mark before the first row is the writer's fault
            except (
                ValueError,
                RecursionError,
            ) as e:  # ValueError: bad UTF-8, bad JSON, integers of thousands of digits
                yield Row(str(number), {}, f"not JSON ({str(e)[:100]})")
                continue
            if isinstance(columns, dict):
                yield Row(str(number), columns)
            else:
                yield Row(str(number), {}, 'not a JSON object such as {"prompt": "1+1=?", "answer": "2"}')


def _parquet(path: Path) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path) as file:
            rows = (columns for batch in file.iter_batches(1000) for columns in batch.to_pylist())
            for number, columns in enumerate(rows, start=1):
                yield Row(str(number), columns)
    except (pa.ArrowException, OSError) as e:
        raise UserError(f"{path} cannot be read as Parquet: {_first_line(e)}") from e


def _folder(path: Path) -> Iterator[Row]:
    """A folder written by `save_to_disk`, or any folder of data files that `datasets.load_dataset` understands."""
    import datasets

    datasets.disable_progress_bars()
    saved = (path / "dataset_dict.json").exists() or (path / "state.json").exists()
    with tempfile.TemporaryDirectory(prefix="flywheel-datasets-") as cache:
        try:
            found = datasets.load_from_disk(str(path)) if saved else datasets.load_dataset(str(path), cache_dir=cache)
        except (OSError, ValueError, datasets.exceptions.DatasetsError, pa.ArrowException) as e:
            raise UserError(f"{path} cannot be read as a dataset: {_first_line(e)}") from e
        parts = dict(found) if isinstance(found, datasets.DatasetDict) else {"": found}
        several = len(parts) > 1
        for part, rows in parts.items():
            for number, columns in enumerate(rows, start=1):
                yield Row(f"{part} {number}" if several else str(number), columns, part=part if several else "")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
