"""One ledger of `_traces.py` through decontamination, curation and the gate, in a process of its own: its JSON report.

    python bench/_curate_once.py HOME [--near-only]

Seconds are told apart by the table that a statement of the stage makes; `cpu` is over all threads. `--near-only` does
the near copies alone, over all attempts of the ledger, to stand beside another program (`_minhash_lsh.py`).
"""

import argparse
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from _traces import AT

from data import duck
from data.rules import rules
from data.store import Store
from tasks.curate import curate
from tasks.decontaminate import decontaminate
from tasks.gate import gate
from tasks.settings import CurateSettings, DecontaminateSettings, GateSettings

CAPS = ("over_the_cap", "level_balance")
NEAR = "near_duplicate"
JUDGED = "SELECT attempt_id, prompt, text, md5_number_lower(attempt_id) AS draw FROM judged"
IMPORT = "SELECT max(startup_seconds) AS seconds FROM timings WHERE stage = 'gate'"
# The ends of a planted near copy that both came as far as the rule, and those that the rule dropped.
FOUND = """
WITH ends AS (
    SELECT jaccard >= $similarity AS near, a.reason AS one, b.reason AS other
    FROM planted
    JOIN decisions a ON a.attempt_id = copy_id
    JOIN decisions b ON b.attempt_id = source_id
    WHERE kind NOT IN ('same', 'spaces') AND a.reason IN $reached AND b.reason IN $reached
)
SELECT count(*) FILTER (near) AS near, count(*) FILTER (near AND 'near duplicate' IN (one, other)) AS found
FROM ends"""
DROPPED = """
SELECT count(*) AS dropped, count(*) FILTER (attempt_id IN (
    SELECT unnest([copy_id, source_id]) FROM planted WHERE jaccard >= $similarity)) AS rightly
FROM decisions
WHERE reason = 'near duplicate'"""
FLAGGED = """
SELECT
    count(*) AS problems, count(*) FILTER (planted) AS planted, count(*) FILTER (planted AND flagged) AS found,
    count(*) FILTER (NOT planted AND flagged) AS falsely
FROM (
    SELECT
        id IN (SELECT problem_id FROM marked) AS planted,
        id IN (SELECT problem_id FROM contaminations WHERE decision <> 'cleared') AS flagged
    FROM problems)"""


class Stopwatch:
    """Seconds by part: each statement's time, and what preceded it since the last, goes to the part of its table."""

    def __init__(self, parts: Mapping[str, str]) -> None:
        self.parts, self.seconds, self._mark = parts, defaultdict[str, float](float), time.perf_counter()

    def lap(self, part: str) -> None:
        now = time.perf_counter()
        self.seconds[part] += now - self._mark
        self._mark = now

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Every table of a workspace is timed. `members` are the examples first, and then the pairs."""
        table, again = duck.Workspace.table, iter(("examples", "pairs"))

        def timed(ws: duck.Workspace, name: str, text: str, params: Mapping[str, Any] | None = None) -> int:
            rows = table(ws, name, text, params)
            self.lap(next(again) if name == "members" else self.parts.get(name, "reading"))
            return rows

        duck.Workspace.table = timed  # type: ignore[method-assign]
        try:
            yield
        finally:
            duck.Workspace.table = table  # type: ignore[method-assign]


def parts() -> dict[str, str]:
    """The part of the work that a table of curation belongs to."""
    named = {}
    for name, rule in rules().items():
        part = "caps" if name in CAPS else "near copies" if name == NEAR else "rules"
        named |= dict.fromkeys([f"dropped_{name}", *(table for table, _ in rule.steps)], part)
    return named


def curated(home: Path) -> dict[str, Any]:
    """Seconds by part, counts, and what was found of what was planted."""
    store, settings = Store(home), CurateSettings()
    watch, begun = Stopwatch(parts()), time.process_time()
    decontaminate(store, AT, DecontaminateSettings())
    watch.lap("decontamination")
    with watch.watching():
        report = curate(store, AT, settings)
    watch.lap("pairs")
    gated = gate(store, AT, settings, GateSettings())
    watch.lap("gates")
    seconds = dict(watch.seconds)
    seconds["import"] = store.query("SELECT max(startup_seconds) AS s FROM timings WHERE stage = 'gate'")["s"][
        0
    ].as_py()
    seconds["gates"] -= seconds["import"]
    return {
        "attempts": report.attempts,
        "seconds": seconds,
        "total": sum(seconds.values()),
        "cpu": time.process_time() - begun,
        "rss_gb": peak(),
        "kept": report.kept,
        "pairs": report.pairs,
        "reasons": report.reasons,
        "gate": [
            f"{c.severity}: {c.relation}: {c.expectation} ({c.observed})" for c in (*gated.failed, *gated.warnings)
        ],
        **_against_the_truth(store, settings),
    }


def _against_the_truth(store: Store, settings: CurateSettings) -> dict[str, Any]:
    beside = store.home.name
    known = {
        "similarity": settings.similarity,
        "reached": ["kept", "near duplicate", *(n.replace("_", " ") for n in CAPS)],
    }
    with store.workspace() as ws:
        ws.give("planted", pq.read_table(store.home.with_name(f"{beside}.near.parquet")))
        ws.give("marked", pq.read_table(store.home.with_name(f"{beside}.contaminated.parquet")))
        near, dropped, marked = (ws.arrow(sql, known).to_pylist()[0] for sql in (FOUND, DROPPED, FLAGGED))
    return {
        "near_recall": near["found"] / max(1, near["near"]),
        "near_precision": dropped["rightly"] / max(1, dropped["dropped"]),
        "contaminated_recall": marked["found"] / max(1, marked["planted"]),
        "contaminated_false": marked["falsely"] / max(1, marked["problems"] - marked["planted"]),
    }


def near_only(home: Path) -> dict[str, Any]:
    """Seconds of the near copies among all attempts, texts read beforehand, and how many go."""
    settings = CurateSettings()
    known, rule = {"similarity": settings.similarity}, rules()[NEAR]
    with Store(home).workspace(memory_gib=settings.memory_gib) as ws:
        rows = ws.table(
            "candidates", "SELECT attempt_id, prompt, text, md5_number_lower(attempt_id) AS draw FROM judged"
        )
        ws.table("alive", "SELECT attempt_id, draw FROM candidates")
        started, begun = time.perf_counter(), time.process_time()
        for name, text in rule.steps:
            ws.table(name, text, known)
        dropped = ws.table("dropped", rule.select)
        return {
            "attempts": rows,
            "seconds": time.perf_counter() - started,
            "cpu": time.process_time() - begun,
            "dropped": dropped,
        }


def peak() -> float:
    """Most memory this process has had, in GB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 / 1e9 if found else 0.0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--near-only", action="store_true")
    options = parser.parse_args()
    print(json.dumps((near_only if options.near_only else curated)(options.home)))
