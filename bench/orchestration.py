"""What a round costs in `flywheel up`, beside the same round without Prefect: no server, flows, tasks, slot, artifacts.

    python -m bench.orchestration [--recipe demo] [--times 3] [--home FOLDER] [--port 4298] [--json]

A round counts from its first line in the log to the summary of its run, so that the start of a flow does not, and all
that is shown and published does. The two take turns; of each other's rows they must make the same dataset. The clock
says what a person waits for, but on a shared machine it varies by more than is looked for; the CPU time that server,
runner and flow take beyond the bare run, as a share of what all cores have in that time, hardly does.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench import _chaos_trial as trial
from bench._chaos_machine import Machine
from bench._meter import Meter
from data import manifest
from data.store import SUMMARY

PATIENCE_S = 3600.0
ASK_S = 10.0  # answering is work for the server, too
FIRST = "Round 1 of 1"  # the log's first line of the round


def bare(home: Path, recipe: str, run: str) -> None:
    """The run without Prefect. Raises CalledProcessError."""
    env = os.environ | {"FLYWHEEL_HOME": str(home)}
    argv = [sys.executable, "-m", "bench._bare", recipe, run]
    with (home / f"{run}.log").open("wb") as log:
        subprocess.run(argv, env=env, stdout=log, stderr=log, check=True)


def served(home: Path, recipe: str, run: str, port: int) -> None:
    """The run as a person starts it. Raises RuntimeError when it does not end well."""
    with Machine(home, port) as machine:
        machine.start()
        flow_run = machine.trigger(run, recipe, {})
        state = trial.until_settled(machine, flow_run, time.monotonic() + PATIENCE_S, ASK_S)
        if state["name"] != "Completed":
            raise RuntimeError(f"run {run} ended as {state['name']}: {state['message']}")


@dataclass(frozen=True, slots=True)
class Took:
    """One round: its seconds, those outside its stages, and the CPU seconds of all but its workers."""

    seconds: float
    outside: float
    cpu: float


def took(home: Path, run: str, play: Callable[[], None]) -> Took:
    """Play it and measure it."""
    log, summary = home / run / "log.jsonl", home / run / SUMMARY
    with Meter(lambda: log.exists() and FIRST in log.read_text(), summary.exists) as meter:
        play()
    return Took(*seconds(home, run), round(meter.seconds, 2))


def seconds(home: Path, run: str) -> tuple[float, float]:
    """From the first line of round 1 to the end of the run; how much of that was outside the stages."""
    lines = [json.loads(line) for line in (home / run / "log.jsonl").read_text().splitlines()]
    at = next(i for i, line in enumerate(lines) if line["message"].startswith(FIRST))
    whole = (home / run / SUMMARY).stat().st_mtime - datetime.fromisoformat(lines[at]["time"]).timestamp()
    return round(whole, 2), round(whole - sum(line.get("seconds", 0) for line in lines[at:]), 2)


def dataset(home: Path, run: str) -> Any:
    """The id of what the round chose to train on."""
    (found,) = (m for m in manifest.committed(home, run, [1]) if m.stage == "curate")
    return found.meta["curated"]["dataset_id"]


def measure(home: Path, recipe: str, times: int, port: int) -> dict[str, Any]:
    """Seconds of a round, pair by pair."""
    pairs: list[tuple[Took, Took]] = []
    for number in range(times):
        alone, with_it = f"bare-{number}", f"served-{number}"
        first = took(home, alone, partial(bare, home, recipe, alone))
        second = took(home, with_it, partial(served, home, recipe, with_it, port))
        assert dataset(home, alone) == dataset(home, with_it), "the two did not do the same work"
        pairs.append((first, second))
        print(f"bare {first}, served {second}", file=sys.stderr, flush=True)
    cores = len(os.sched_getaffinity(0))
    ratios = sorted(b.seconds / a.seconds for a, b in pairs)
    return {
        "recipe": recipe,
        "pairs": [[asdict(each) for each in pair] for pair in pairs],
        "ratio": [round(r, 4) for r in (ratios[0], median(ratios), ratios[-1])],
        "outside": round(median((b.outside - a.outside) / a.seconds for a, b in pairs), 4),
        "cpu": round(median((b.cpu - a.cpu) / (cores * b.seconds) for a, b in pairs), 4),
    }


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="demo")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--home", type=Path, help="for the ledger of the runs; default: a folder that is deleted")
    parser.add_argument("--port", type=int, default=4298)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what it has started
    with tempfile.TemporaryDirectory() as made:
        home = (options.home or Path(made)).absolute()
        home.mkdir(parents=True, exist_ok=True)
        found = measure(home, options.recipe, options.times, options.port)
    if options.json:
        print(json.dumps(found))
    else:
        least, middle, most = (100 * (r - 1) for r in found["ratio"])
        print(f"a round of {found['recipe']}, served, beside one without Prefect, median of {options.times} pairs:")
        print(
            f"{middle:+.1f} % by the clock ({least:+.1f} to {most:+.1f}), {100 * found['outside']:+.1f} % outside its"
        )
        print(f"stages; {100 * found['cpu']:.1f} % of the CPU time of all cores")


if __name__ == "__main__":
    main()
