"""Streams of rows into the files of a folder, Parquet shards or JSON lines, and a folder that appears whole.

The same rows give the same bytes: row groups and shards have fixed numbers of rows, whatever batches the rows come in.
Not here: which rows (`export.py`).
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from data import manifest
from data.errors import UserError

SHARD = 250_000  # rows of one Parquet file
GROUP = 10_000  # rows of one row group
MADE_BY = "Made by `flywheel export`."  # what the card of every export says

Tell = Callable[[int], None]  # rows written so far


def parquet(rows: pa.RecordBatchReader, total: int, stem: Path, tell: Tell) -> list[Path]:
    """Write all `total` rows to `<stem>-00000-of-0000n.parquet`; returns the files."""
    shards = max(1, -(-total // SHARD))
    stem.parent.mkdir(parents=True, exist_ok=True)
    files = [stem.with_name(f"{stem.name}-{i:05}-of-{shards:05}.parquet") for i in range(shards)]
    groups, done = _groups(rows), 0
    for path in files:
        with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
            for group in islice(groups, SHARD // GROUP):
                writer.write_table(group)
                done += len(group)
                tell(done)
    return files


def json_lines(rows: pa.RecordBatchReader, path: Path, tell: Tell) -> list[Path]:
    """Write rows whose only column is a JSON text; returns the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with path.open("wb") as f:
        for batch in rows:
            f.write("".join(f"{line}\n" for line in batch.column(0).to_pylist()).encode())
            done += len(batch)
            tell(done)
    return [path]


def _groups(rows: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """The rows in tables of GROUP rows; the last may have fewer."""
    held = rows.schema.empty_table()
    for batch in rows:
        held = pa.concat_tables([held, pa.Table.from_batches([batch])])
        while len(held) >= GROUP:
            yield held.slice(0, GROUP).combine_chunks()
            held = held.slice(GROUP)
    if len(held):
        yield held.combine_chunks()


def check(folder: Path, force: bool) -> None:
    """Raises UserError when something is there that may not be replaced; `force`: an earlier export may."""
    if not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not force:
        raise UserError(f"{folder} exists: give another --out, or --force to replace an earlier export there")
    card = folder / "README.md"
    if not (folder.is_dir() and card.is_file() and MADE_BY in card.read_text(encoding="utf-8", errors="replace")):
        raise UserError(f"{folder} is no earlier export, so --force does not replace it: give another --out")


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A folder to fill that is at `folder` when the block ends, whole, in the place of what was there.

    After an error nothing has changed. Raises UserError when it cannot be written.
    """
    draft, old = (folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.{kind}") for kind in ("tmp", "old"))
    try:
        draft.mkdir(parents=True)
        yield draft
        manifest.sync_files(draft)
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
        manifest.sync_folder(folder.parent)
    except OSError as e:
        reason = e.strerror or str(e)
        raise UserError(f"cannot write {folder}: {reason}; free some space there or give another --out") from e
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
