"""Files of a home that no manifest names: whose they are, and whether anybody still needs them.

A stage that is being written holds the lock of its run, so its parts are told from those that a killed one left. The
latter are kept for the run that is resumed. Not here: what manifests do name (`integrity.py`).
"""

import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from data import locks, manifest, parts, schemas
from data.manifest import LedgerError, Manifest
from data.store import SUMMARY

DRAFT_SECONDS = 3600  # a draft without a lock is one that nobody finishes when it is older than this
_ASIDE = "`flywheel verify-store --repair` sets it aside"
_PART = re.compile(r"lake/(\w+)/run=([^/]+)/round=(\d+)/(\.?)(part-[0-9a-f]{16}-)[0-9a-f]{16}\.parquet(\.\w+\.tmp)?")
_DRAFT = re.compile(r"\..*\.tmp|.*\.draft")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is not as it should be, in a sentence. Paths are relative to the home.

    `note`: nothing is wrong, but it is worth knowing. `moves`: what a repair sets aside, in this order. `since`: when
    it ceased to be of use, in seconds since 1970.
    """

    kind: str
    path: str
    text: str
    note: bool = False
    moves: tuple[str, ...] = ()
    since: float = 0.0


def walk(home: Path) -> list[PurePath]:
    """Files that a manifest should name, and whatever else may have been left behind, relative to the home."""
    manifests = set(manifest.paths(home))
    found = [f for f in (home / "lake").rglob("*") if f.is_file()]
    found += [f for f in (home / "manifests").rglob("*") if f.is_file() and f not in manifests]
    found += [f for d in ("*/*", "*/*/.*.tmp") for f in home.glob(d) if _DRAFT.fullmatch(f.name) and f.is_file()]
    found += [f for f in home.glob(".*") if f.is_dir() or f.is_file()]
    found += home.glob("flywheel.duckdb.next*")
    return sorted(PurePath(f.relative_to(home)) for f in {*found} if f.name != manifest.LOCK)


KINDS = ("temporary", "superseded", "unlisted", "unfinished", "foreign")  # of flaws that are files nobody names


def run_of(file: PurePath) -> str:
    """The run whose lock guards a file; empty when none does."""
    if file.parts[0] == "manifests" and len(file.parts) > 2:
        return file.parts[1]
    return match[2] if (match := _PART.fullmatch(str(file))) else ""


def examine(
    home: Path,
    files: Iterable[PurePath],
    found: Mapping[Path, Manifest],
    busy: Collection[str],
    unfinished: bool = False,
    damaged: Collection[str] = (),
) -> Iterator[Flaw]:
    """What each of these files is that no manifest in `found` names. `busy`: runs that are being written.

    `unfinished`: parts that a resumed run would use are strays too. `damaged`: runs that lack a manifest in `found`, so
    that their end proves nothing.
    """
    owners = {manifest.prefix(m.run, m.round, m.stage, m.fingerprint): (p, m) for p, m in found.items()}
    stages = {(m.run, str(m.round), m.stage): m for m in found.values()}
    waiting: dict[str, int] = {}
    writing: dict[str, int] = {}
    for file in files:
        if (run := run_of(file)) in busy:
            writing[run] = writing.get(run, 0) + 1
        elif (match := _PART.fullmatch(str(file))) and not match[4] and not match[6] and match[1] in schemas.RELATIONS:
            flaw = _part(home, file, match, owners, stages, 0.0 if run in damaged else ended_at(home, run))
            if flaw is None and unfinished:
                flaw = _stray("unfinished", file, f"the part {home / file} is of a stage that was not committed")
            if flaw is None:
                waiting[run] = waiting.get(run, 0) + 1
            else:
                yield flaw
        elif not _live(home, file):
            yield _other(home, file, bool(match))
    for run, n in sorted(writing.items()):
        text = f"run {run} is being written at this moment: {n} files that no manifest names yet were left alone"
        yield Flaw("writing", run, text, note=True)
    for run, n in sorted(waiting.items()):
        text = f"run {run} stopped within a stage: {n} finished parts wait for it to be resumed (or --unfinished)"
        yield Flaw("unfinished", run, text, note=True)


def _part(
    home: Path,
    file: PurePath,
    match: re.Match[str],
    owners: Mapping[str, tuple[Path, Manifest]],
    stages: Mapping[tuple[str, str, str], Manifest],
    ended: float,
) -> Flaw | None:
    """What is wrong with a part that no manifest names; None when a resumed run would use it."""
    path, run = home / file, match[2]
    if (owner := owners.get(match[5])) and owner[1].checksum:
        return _stray("unlisted", file, f"the part {path} came after its stage {owner[1].stage} of {run} was committed")
    if owner:  # an older manifest does not tell whether it was changed
        where = str(owner[0].relative_to(home))
        text = (
            f"the manifest {owner[0]} does not name the part {path} of its own stage: restore it from a copy, or let "
            "`flywheel verify-store --repair` set it aside and resume the run, which commits the stage again"
        )
        return Flaw("manifest", where, text, moves=(where,))
    try:
        notes, written = parts.notes(path), path.stat().st_mtime
    except (LedgerError, OSError) as e:
        why = parts.one_line(e.__cause__ or e)
        return _stray("part", file, f"the part {path} of an unfinished stage is damaged ({why})")
    later = stages.get((run, match[3], notes.get("stage", "")))
    if later and later.created >= written:
        what = f"the part {path} is of an earlier try of stage {later.stage}"
        return _stray("superseded", file, what, later.created)
    if ended >= written:
        what = f"the part {path} was never committed, and run {run} has ended since"
        return _stray("superseded", file, what, ended)
    if why := parts.damage(path):
        return _stray("part", file, f"the part {path} of an unfinished stage is damaged ({why})")
    return None


def _other(home: Path, file: PurePath, temporary: bool) -> Flaw:
    if temporary or _DRAFT.fullmatch(file.name) or file.parts[0].startswith(("flywheel.duckdb", ".spill-")):
        return _stray("temporary", file, f"{home / file} was being written when its process died")
    return _stray("foreign", file, f"{home / file} is nothing that a stage wrote")


def ended_at(home: Path, run: str) -> float:
    """When a run came to its end, in seconds since 1970; 0 when it did not."""
    try:
        return (home / run / SUMMARY).stat().st_mtime
    except OSError:
        return 0.0


def _stray(kind: str, file: PurePath, what: str, since: float = 0.0) -> Flaw:
    return Flaw(kind, str(file), f"{what}: {_ASIDE}", moves=(str(file),), since=since)


def _live(home: Path, file: PurePath) -> bool:
    """Whether what no run's lock guards may still be in use, or is none of ours."""
    top = file.parts[0]
    if top.startswith(".spill-"):
        return locks.busy(home / (top if top.endswith(".lock") else top + ".lock"))
    if top.startswith("flywheel.duckdb"):
        return locks.busy(home / manifest.LOCK)
    if top in ("lake", "manifests"):
        return False
    if len(file.parts) == 1 and not _DRAFT.fullmatch(top):
        return True
    try:
        return time.time() - (home / file).stat().st_mtime < DRAFT_SECONDS
    except OSError:
        return True
