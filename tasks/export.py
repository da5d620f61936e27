"""Export: one dataset of the ledger as a folder of its own, with the lineage of every row and a dataset card.

    hf        data/train-00000-of-0000n.parquet and a README.md that `datasets.load_dataset(folder)` understands
    parquet   data/examples-00000-of-0000n.parquet (or pairs-...) and the card
    jsonl     data/examples.jsonl (or pairs.jsonl) and the card

The same dataset gives the same bytes. Rows stream, so memory does not grow with them. Hidden golds stay in the ledger
unless they are asked for. Not here: what the card says (`_card.py`), how files are written (`_shards.py`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from data import catalog
from data.duck import Workspace
from data.progress import Progress, silent
from data.store import Store
from tasks import _card, _shards
from tasks._datasets import Dataset, Kind, find

__all__ = ["Dataset", "Exported", "Form", "Kind", "export", "find"]

Form = Literal["parquet", "jsonl", "hf"]
MEMORY_GIB = 2.0  # of DuckDB; what needs more spills
_IDS = {"examples": ["attempt_id"], "pairs": ["chosen_id", "rejected_id"]}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: files of rows, and their bytes."""

    dataset: Dataset
    folder: Path
    files: int
    bytes: int


def export(
    store: Store,
    dataset: Dataset,
    form: Form,
    folder: Path,
    *,
    golds: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> Exported:
    """Write the dataset to `folder`; `force` replaces an earlier export there, and nothing else.

    Raises UserError when the folder exists, or cannot be written, or the disk is full.
    """
    folder = folder.expanduser().absolute()
    _shards.check(folder, force)
    known = {"run": dataset.run, "round": dataset.round, "dataset": dataset.id}

    def tell(done: int) -> None:
        progress(done, dataset.rows, "rows written")

    with (
        store.workspace(dataset.run, range(dataset.round + 1), MEMORY_GIB) as ws,
        _shards.whole(folder) as draft,
    ):
        progress(0, dataset.rows, "tracing")
        rows, order = _rows(ws, dataset, known, golds), f"ORDER BY {', '.join(_IDS[dataset.kind])}"
        stem = draft / "data" / ("train" if form == "hf" else dataset.kind)
        if form == "jsonl":
            lines = ws.stream(f"SELECT to_json(r)::VARCHAR AS line FROM ({rows}) r {order}", known)
            files = _shards.json_lines(lines, stem.with_suffix(".jsonl"), tell)
        else:
            files = _shards.parquet(ws.stream(f"{rows} {order}", known), dataset.rows, stem, tell)
        facts = _card.gather(ws, dataset, rows, known)
        card = _card.text(facts, files if form == "hf" else [])
        (draft / "README.md").write_text(card, encoding="utf-8")
        size = sum(f.stat().st_size for f in files)
    return Exported(dataset, folder, len(files), size)


def _rows(ws: Workspace, dataset: Dataset, known: dict[str, Any], golds: bool) -> str:
    """The SELECT of the rows, over the temporary table `traced`, which it makes."""
    ids = _IDS[dataset.kind]
    members = [f"SELECT {i} FROM {dataset.kind} WHERE round = $round AND dataset_id = $dataset" for i in ids]
    ws.table("sides", f"SELECT DISTINCT attempt_id FROM ({' UNION ALL '.join(members)}) t(attempt_id)", known)
    ws.table("traced", catalog.statement("export_lineage"), known)
    left_out = "" if golds else "EXCLUDE (gold)"
    return f"SELECT * {left_out} FROM (\n{catalog.statement(f'export_{dataset.kind}')}\n)"
