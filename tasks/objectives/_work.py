"""The working folder of one training run (`<out>.work/`): checkpoints, progress, and the rename that finishes it.

What it promises: a run killed at any instruction and called again with the same inputs continues from its last
complete checkpoint; `out` is either absent, or what it was, or complete, also after a power cut. Other inputs start
afresh.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from data.ids import content_id
from data.manifest import sync_files, sync_folder
from tasks.objectives import LossPoint, TrainReport
from tasks.settings import DistillSettings

_REPORT = "training.json"  # in the model folder: the key of the run that made it, and its report
_COMPLETE = "complete"  # in a checkpoint folder: written after everything else


def run_key(objective: str, table: pa.Table, base_id: str, settings: DistillSettings, seed: int) -> str:
    """What decides whether an interrupted run may be continued: objective, rows in order, base, settings, seed."""
    digest = hashlib.sha256()
    for batch in table.to_batches(max_chunksize=4096):
        digest.update(json.dumps(batch.to_pylist(), sort_keys=True, default=str).encode())
    return content_id(objective, digest.hexdigest(), base_id, settings.model_dump(), seed)


class Work:
    """The working folder of the run with this key."""

    def __init__(self, out: Path, key: str) -> None:
        self.out, self.key = out, key
        self.folder = out.with_name(out.name + ".work")
        self.progress = self.folder / "progress.jsonl"
        if os.environ.get("RANK", "0") != "0":
            return  # of processes that train together, the first one keeps the folder
        owner = self.folder / "key"
        if self.folder.exists() and (not owner.exists() or owner.read_text() != key):
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        owner.write_text(key)

    def finished(self) -> TrainReport | None:
        """The report of this very run when `out` already holds its result."""
        path = self.out / _REPORT
        if not path.exists():
            return None
        saved = json.loads(path.read_text())
        if saved.pop("key") != self.key:
            return None
        shutil.rmtree(self.folder, ignore_errors=True)
        return TrainReport(**{**saved, "losses": [LossPoint(**p) for p in saved["losses"]]})

    def checkpoint(self) -> str | None:
        """The last complete checkpoint; what was being written when the run died is removed."""
        found: dict[int, Path] = {}
        for path in self.folder.glob("checkpoint-*"):
            if (path / _COMPLETE).exists():
                found[int(path.name.rpartition("-")[2])] = path
            else:
                shutil.rmtree(path)
        return str(found[max(found)]) if found else None

    def mark(self, step: int) -> None:
        """Declare the checkpoint of that step complete."""
        checkpoint = self.folder / f"checkpoint-{step}"
        sync_files(checkpoint)
        (checkpoint / _COMPLETE).touch()

    def tell(self, **line: Any) -> None:
        """Append one line of progress for whoever watches."""
        with self.progress.open("a") as f:
            f.write(json.dumps(line) + "\n")

    def publish(self, save: Callable[[Path], None], report: TrainReport) -> None:
        """Save beside, then rename to `out` and forget the working folder."""
        final = self.folder / "final"
        shutil.rmtree(final, ignore_errors=True)
        final.mkdir()
        save(final)
        (final / _REPORT).write_text(json.dumps({"key": self.key, **asdict(report)}))
        sync_files(final)
        if self.out.exists():
            shutil.rmtree(self.out)
        final.rename(self.out)
        sync_folder(self.out.parent)
        shutil.rmtree(self.folder)
