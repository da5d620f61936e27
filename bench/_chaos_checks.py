"""What must be true of a run after a kill: compared with one of the same settings that nobody disturbed.

Only looks at files. Not here: processes and slots (`_chaos_machine.py`).
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from data import integrity, manifest
from data.store import SUMMARY, Store
from tests import ledgers

REPORT = "report.html"
UNFINISHED = (".tmp", ".next", ".wal", ".draft")
OF_THE_CLOCK = {"run", "seconds", "stage_seconds"}  # in a summary

Files = dict[Path, tuple[int, int]]  # what is committed: i-node and time of writing


@dataclass(frozen=True, slots=True)
class Damage:
    """What a kill cost; every list is empty when it cost nothing."""

    lost: list[str]  # relations whose rows are not those of the undisturbed run
    twice: list[str]  # relations that have something twice
    again: list[str]  # files that were there at the kill and were written again, or are gone
    stray: list[str]  # unfinished files, and what `flywheel verify-store` finds
    report: list[str]  # what the summary and the report lack


def files(home: Path, run: str) -> Files:
    """The parts and manifests of a run."""
    found: Files = {}
    for folder in (home / "manifests" / run, *home.glob(f"lake/*/run={run}")):
        for path in folder.rglob("*"):
            if path.suffix in (".json", ".parquet") and not path.name.startswith("."):
                stat = path.stat()
                found[path] = stat.st_ino, stat.st_mtime_ns
    return found


def damage(home: Path, run: str, undisturbed: str, before: Files) -> Damage:
    """What is wrong with `run`; `before`: what was committed when it was disturbed."""
    expected, found = ledgers.tables(home, undisturbed), ledgers.tables(home, run)
    after = files(home, run)
    return Damage(
        lost=[relation for relation in expected if found[relation] != expected[relation]],
        twice=_twice(home, run),
        again=[str(path.relative_to(home)) for path, known in before.items() if after.get(path) != known],
        stray=_stray(home, run),
        report=_unlike(home / run, home / undisturbed),
    )


def _twice(home: Path, run: str) -> list[str]:
    text = "SELECT DISTINCT '{r}' AS relation FROM (SELECT {key} FROM {r} GROUP BY ALL HAVING count(*) > 1)"
    union = " UNION ALL ".join(text.format(key=key, r=relation) for relation, key in ledgers.KEYS.items())
    return [str(row["relation"]) for row in Store(home).query(union, run=run).to_pylist()]


def _stray(home: Path, run: str) -> list[str]:
    named = {home / part.path for m in manifest.committed(home, run) for part in m.parts}
    lying = {path for path in files(home, run) if path.suffix == ".parquet"}
    folders = home / run, home / "manifests" / run, *home.glob(f"lake/*/run={run}")
    draft = {f for folder in folders for f in folder.rglob("*") if f.name.endswith(UNFINISHED)}
    faults = [str(flaw) for flaw in integrity.examine(home).faults]
    return sorted(str(path.relative_to(home)) for path in (lying ^ named) | draft) + faults


def _unlike(folder: Path, undisturbed: Path) -> list[str]:
    """How summary and report differ from those of the undisturbed run, beside names and times."""
    lacks = []
    if _summary(folder) != _summary(undisturbed) or not _summary(folder):
        lacks.append(SUMMARY)
    if _outline(folder) != _outline(undisturbed) or not _outline(folder):
        lacks.append(REPORT)
    return lacks


def _summary(folder: Path) -> dict[str, object]:
    path = folder / SUMMARY
    known = json.loads(path.read_text()) if path.exists() else {}
    return {k: v for k, v in known.items() if k not in OF_THE_CLOCK}


def _outline(folder: Path) -> list[str]:
    """The headings, charts and tables of a report in their order, and its end; nothing when there is none."""
    path = folder / REPORT
    return re.findall(r"<h[1-6]|<svg|<table|<img|</html>", path.read_text()) if path.exists() else []
