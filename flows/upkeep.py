"""What `flywheel verify-store` and `flywheel gc` show.

Not here: what they find (`data/integrity.py`, `data/garbage.py`).
"""

import json
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
from rich.markup import escape

from data import garbage, integrity, strays
from data.integrity import Report
from data.repair import Repaired
from data.repair import repair as set_right
from data.store import SETTINGS, home
from flows import show
from flows.terminal import watch

MOST = 100  # findings shown; --json has all


def verify(*, repair: bool, unfinished: bool, form: str) -> int:
    """1 when something is wrong with the ledger, or was before its repair."""
    where, began = home(), time.monotonic()
    repaired = None
    with watch("verify-store") as progress:
        if repair:
            repaired = set_right(where, unfinished, progress)
            report = repaired.report
        else:
            report = integrity.examine(where, unfinished=unfinished, progress=progress)
    seconds = round(time.monotonic() - began, 2)
    if form == "json":
        json.dump(_as_json(where, report, repaired, seconds), sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        _show(where, report, repaired, seconds)
    return 1 if report.faults else 0


def _as_json(where: Path, report: Report, repaired: Repaired | None, seconds: float) -> dict[str, object]:
    counts = {k: v for k, v in asdict(report).items() if k != "flaws"}
    found = {"home": str(where), "seconds": seconds, **counts, "findings": [asdict(f) for f in report.flaws]}
    if repaired:
        found["repair"] = {
            "folder": str(repaired.folder or ""),
            "moved": repaired.moved,
            "again": [{"run": run, "round": number, "stage": stage} for run, number, stage in repaired.again],
            "left": repaired.left,
        }
    return found


def _show(where: Path, report: Report, repaired: Repaired | None, seconds: float) -> None:
    out = show.console()
    for flaw in report.flaws[:MOST]:
        style, state = ("yellow", "stray") if flaw.kind in strays.KINDS else ("bold red", "wrong")
        style, state = ("dim", "note") if flaw.note else (style, state)
        out.print(f"[{style}]{state:6}[/] {escape(flaw.text)}", soft_wrap=True)
    if len(report.flaws) > MOST:
        out.print(f"{len(report.flaws) - MOST:,} more: use --json", style="dim")
    size = _size(report.bytes)
    looked = f"{report.runs} runs, {report.stages} stages, {report.parts} parts, {report.rows:,} rows, {size}"
    stray = sum(f.kind in strays.KINDS for f in report.faults)
    verdict = f"{len(report.faults) - stray or 'nothing'} wrong" + (f", {stray} stray" if stray else "")
    out.print(f"{looked} in {seconds:.1f} s: {verdict}", soft_wrap=True, markup=False)
    if repaired and repaired.folder:
        text = f"{len(repaired.moved)} files were set aside in {repaired.folder}, with a note on each"
        out.print(text, soft_wrap=True, markup=False)
    for text in repaired.left if repaired else ():
        out.print(f"left as it is: {text}", soft_wrap=True, markup=False)
    for run in sorted({run for run, _, _ in repaired.again} if repaired else ()):
        out.print(f"To do again what was set aside: {_again(where, run)}", soft_wrap=True, markup=False)


def _again(where: Path, run: str) -> str:
    """The command that resumes a run."""
    try:
        recipe = json.loads((where / run / SETTINGS).read_text())["recipe"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"the command that made run {run}, with --name {run}"
    return f"flywheel run {recipe} --resume --name {run}"


def clear(*, apply: bool, keep_days: float, form: str) -> int:
    """Show what can go, and with `apply` let it go; 0."""
    wastes = garbage.collect(home(), keep_days, apply)
    if form == "json":
        total = {"home": str(home()), "applied": apply, "bytes": sum(w.bytes for w in wastes)}
        json.dump({**total, "wastes": [asdict(w) for w in wastes]}, sys.stdout, ensure_ascii=False, indent=1)
        print()
        return 0
    out, sizes, counts = show.console(), Counter[str](), Counter(w.kind for w in wastes)
    for waste in wastes:
        sizes[waste.kind] += waste.bytes
    if wastes:
        show.write(pa.Table.from_pylist([asdict(w) for w in wastes]), limit=MOST)
    for kind, size in sizes.most_common():
        out.print(f"{counts[kind]:6,} {kind:12} {_size(size):>12}", markup=False)
    if not wastes:
        out.print(f"There is nothing to clear away in {home()}", soft_wrap=True, markup=False)
    else:
        all_of_it = _size(sizes.total())
        out.print(f"{all_of_it} are free again" if apply else f"--apply would free {all_of_it}", markup=False)
    return 0


def _size(bytes: int) -> str:
    return f"{bytes / 2**20:,.1f} MiB"
