"""Setting a damaged ledger right: what is wrong is moved to `quarantine/`, never deleted, and the rest published anew.

A stage with a damaged part loses its manifest and that part; the sound parts stay, so that resuming the run writes
only what is missing. Killed anywhere, a repair can be run again. Not here: what is wrong (`integrity.py`).
"""

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath

from data import duck, integrity, locks, manifest, strays
from data.errors import UserError
from data.integrity import Report
from data.progress import Progress, silent
from data.store import QUARANTINE, SUMMARY

NOTE = "NOTE.txt"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was found, and what was done: `moved`, paths relative to the home, into `folder`.

    `again`: (run, round, stage) to be done again, by resuming the run. `left`: what could not be set right, and why.
    """

    report: Report
    folder: Path | None
    moved: list[str]
    again: list[tuple[str, int, str]]
    left: list[str]


def repair(home: Path, unfinished: bool = False, progress: Progress = silent) -> Repaired:
    """Examine the ledger and set aside what is wrong. Stages that want to begin meanwhile wait. Raises LedgerError.

    A run that is being written is left alone. `unfinished`: parts that a resumed run would use are set aside too.
    """
    with ExitStack() as held:
        idle = lock_idle(home, held)
        report = integrity.examine(home, unfinished=unfinished, idle=idle, progress=progress)
        moves: dict[str, str] = {}
        left = []
        for flaw in report.faults:
            if {run for path in flaw.moves if (run := strays.run_of(PurePath(path)))} - idle:
                left.append(f"{flaw.path} is of a run that is being written: repair again when it has ended")
                continue
            moves |= {path: flaw.text for path in flaw.moves if path not in moves}
        gone = [path for path in manifest.paths(home) if str(path.relative_to(home)) in moves]
        again = [(p.parts[-3], int(p.parts[-2].removeprefix("round-")), p.stem) for p in gone]
        unended = {f"{run}/{SUMMARY}": "the summary of a run that has to be resumed" for run, _, _ in again}
        folder = _set_aside(home, unended | moves)
    if report.stages or report.faults:
        try:
            duck.publish(home)
        except UserError as e:
            left.append(str(e))
    return Repaired(report, folder, list(moves), again, left)


def lock_idle(home: Path, held: ExitStack) -> set[str]:
    """Lock every run that nobody is writing until `held` ends; returns their names. Raises LedgerError."""
    runs = {f.name for f in (home / "manifests").glob("*") if f.is_dir()}
    runs |= {f.name.removeprefix("run=") for f in (home / "lake").glob("*/run=*")}
    found = set()
    for run in sorted(runs):
        manifests, folder = manifest.locks_of(home, run)
        try:
            manifest.make_folder(manifests.parent)
            wanted = [folder, manifests] if folder.parent.exists() else [manifests]
            if all(held.enter_context(locks.alone(lock)) for lock in wanted):
                found.add(run)
        except OSError as e:
            raise manifest.unwritable(manifests, e) from e
    return found


def _set_aside(home: Path, moves: Mapping[str, str]) -> Path | None:
    """Move files and folders to a new folder of the quarantine, in order, with a note on each. Raises LedgerError."""
    there = {path: why for path, why in moves.items() if (home / path).exists()}
    if not there:
        return None
    stamp, number = time.strftime("%Y-%m-%d-%H%M%S"), 0
    folder = home / QUARANTINE / stamp
    while folder.exists():
        number += 1
        folder = home / QUARANTINE / f"{stamp}-{number}"
    note = [f"Set aside by `flywheel verify-store --repair`. To undo it, move a file back to its path below {home}."]
    note += [f"\n{path}\n  {why}" for path, why in there.items()]
    manifest.write_atomic(folder / NOTE, "\n".join([*note, ""]).encode())  # before the first move: a crash keeps it
    for path in there:
        target = folder / path
        try:
            manifest.make_folder(target.parent)
            os.replace(home / path, target)
            manifest.sync_folder(target.parent)
            manifest.sync_folder((home / path).parent)
        except OSError as e:
            raise manifest.unwritable(target, e) from e
    return folder
