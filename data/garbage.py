"""What a home can do without: what nobody reads, resumes or publishes any more. Nothing that a manifest names.

    wastes = collect(home, keep_days=14)              # only looks
    wastes = collect(home, keep_days=14, apply=True)  # and deletes it

Killed anywhere, the ledger stays valid: each thing goes by itself, and none is needed by another.
Not here: what is damaged (`integrity.py`), which weights nobody needs (`unpromoted.py`).
"""

import json
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath

from data import duck, integrity, manifest, strays
from data.integrity import Found
from data.manifest import LedgerError
from data.repair import lock_idle
from data.store import QUARANTINE
from data.unpromoted import unpromoted
from data.weights import FILES, REMOVED

DAY = 86_400
_WORK = (".work", ".job")  # what a training keeps beside the folder that it fills
_UNNAMED = {
    "temporary": "its process died while it wrote it",
    "superseded": "no manifest names it: its stage was done again, or its run ended without it",
}


@dataclass(frozen=True, slots=True)
class Waste:
    """A file or folder that can go; of `weights` only the weights in it. `path` is relative to the home.

    `days`: how long nobody has needed it.
    """

    kind: str
    path: str
    bytes: int
    days: float
    why: str


def collect(home: Path, keep_days: float, apply: bool = False) -> list[Waste]:
    """What can go; with `apply` it is gone. What somebody needed in the last `keep_days` stays, temporary files aside.

    Runs that are being written are left alone. Raises LedgerError while the ledger is damaged.
    """
    with ExitStack() as held:
        idle = lock_idle(home, held) if apply else set()
        lying = strays.walk(home)
        found, flaws = integrity.manifests(home)
        if flaws:
            raise LedgerError(f"nothing can be cleared away while the ledger is damaged: {flaws[0].text}")
        runs = {m.run for m in found.values()} | {f.parent.name for f in home.glob("*/models")}
        busy = integrity.busy_runs(home, [*lying, *(PurePath("manifests", run, "-") for run in runs)], idle)
        wastes = [*_unnamed(home, lying, found, busy), *_trainings(home, found, busy), *_quarantined(home)]
        wastes += _weights(home, found, busy)
        wastes = [w for w in wastes if w.kind == "temporary" or w.days >= keep_days]
        if apply and wastes:
            duck.publish(home)  # so that what is published names none of it
            for waste in wastes:
                _remove(home, waste)
    return wastes


def _unnamed(home: Path, lying: Iterable[PurePath], found: Found, busy: Collection[str]) -> Iterator[Waste]:
    """Files of dead processes, and parts that a later try of their stage replaced."""
    named = {p.path for m in found.values() for p in m.parts}
    for flaw in strays.examine(home, [f for f in lying if str(f) not in named], found, busy):
        if not flaw.note and flaw.kind in _UNNAMED:
            yield _waste(home, flaw.kind, home / flaw.path, flaw.since or time.time(), _UNNAMED[flaw.kind])


def _trainings(home: Path, found: Found, busy: Collection[str]) -> Iterator[Waste]:
    """Checkpoints and logs of trainings whose run has committed that round's models since, or has ended."""
    trained = {(m.run, m.round): m.created for m in found.values() if any(p.relation == "models" for p in m.parts)}
    for folder in sorted(f for suffix in _WORK for f in home.glob(f"*/models/round-*{suffix}")):
        run, number = folder.parts[-3], folder.name.split("-")[1]
        since = max(trained.get((run, int(number)), 0.0) if number.isdigit() else 0.0, strays.ended_at(home, run))
        if run not in busy and since > folder.stat().st_mtime:
            yield _waste(home, "training", folder, since, "the training that kept it is over, its model is in place")


def _quarantined(home: Path) -> Iterator[Waste]:
    for folder in sorted((home / QUARANTINE).glob("*")):
        why = "a repair set it aside, and nobody has put it back"
        yield _waste(home, "quarantine", folder, folder.stat().st_mtime, why)


def _weights(home: Path, found: Found, busy: Collection[str]) -> Iterator[Waste]:
    for model in unpromoted(home, found):
        if model.run not in busy:
            size = sum(f.stat().st_size for f in model.folder.glob(FILES))
            why = f"model {model.id} was not promoted, and no other model or run began with it; its rows stay"
            yield Waste("weights", str(model.folder.relative_to(home)), size, _days(model.since), why)


def _waste(home: Path, kind: str, path: Path, since: float, why: str) -> Waste:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    size = sum(f.lstat().st_size for f in files if not f.is_dir())
    return Waste(kind, str(path.relative_to(home)), size, _days(since), why)


def _days(since: float) -> float:
    return max(0.0, round((time.time() - since) / DAY, 2))


def _remove(home: Path, waste: Waste) -> None:
    """Raises LedgerError."""
    path = home / waste.path
    try:
        if waste.kind == "weights":
            note = {"removed": time.time(), "by": "flywheel gc", "why": waste.why}
            manifest.write_atomic(path / REMOVED, json.dumps(note, indent=1).encode())  # first: what is gone is told of
            for file in path.glob(FILES):
                file.unlink()
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as e:
        raise manifest.unwritable(path, e) from e
