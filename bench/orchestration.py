"""What a round costs in `flywheel up`, beside the same round without Prefect: no server, flows, tasks, slot, artifacts.

    python -m bench.orchestration [--recipe demo] [--times 3] [--home FOLDER] [--port 4298] [--json]

A round counts from its first line in the log to the summary of its run, so that the start of a flow does not, and all
that is shown and published does. The two take turns; of each other's rows they must make the same dataset.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench import _chaos_trial as trial
from bench._chaos_machine import Machine
from data import manifest
from data.store import SUMMARY

PATIENCE_S = 3600.0


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
        state = trial.until_settled(machine, flow_run, time.monotonic() + PATIENCE_S)
        if state["name"] != "Completed":
            raise RuntimeError(f"run {run} ended as {state['name']}: {state['message']}")


def seconds(home: Path, run: str) -> tuple[float, float]:
    """From the first line of round 1 to the end of the run; how much of that was outside the stages."""
    lines = [json.loads(line) for line in (home / run / "log.jsonl").read_text().splitlines()]
    at = next(i for i, line in enumerate(lines) if line["message"].startswith("Round 1 of 1"))
    whole = (home / run / SUMMARY).stat().st_mtime - datetime.fromisoformat(lines[at]["time"]).timestamp()
    return round(whole, 2), round(whole - sum(line.get("seconds", 0) for line in lines[at:]), 2)


def dataset(home: Path, run: str) -> Any:
    """The id of what the round chose to train on."""
    (found,) = (m for m in manifest.committed(home, run, [1]) if m.stage == "curate")
    return found.meta["curated"]["dataset_id"]


def measure(home: Path, recipe: str, times: int, port: int) -> dict[str, Any]:
    """Seconds of a round, pair by pair."""
    pairs = []
    for number in range(times):
        names = f"bare-{number}", f"served-{number}"
        bare(home, recipe, names[0])
        served(home, recipe, names[1], port)
        assert len({dataset(home, run) for run in names}) == 1, "the two did not do the same work"
        pairs.append([seconds(home, run) for run in names])
        told = "bare {0[0]} s ({0[1]} outside the stages), served {1[0]} s ({1[1]})".format(*pairs[-1])
        print(told, file=sys.stderr, flush=True)
    return {
        "recipe": recipe,
        "pairs_s": pairs,
        "ratio": round(median(b[0] / a[0] for a, b in pairs), 4),
        "outside": round(median((b[1] - a[1]) / a[0] for a, b in pairs), 4),
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
        print(f"a round of {found['recipe']}, served, beside one without Prefect, median of {options.times} pairs:")
        print(f"{100 * (found['ratio'] - 1):+.1f} % in all, {100 * found['outside']:+.1f} % outside the stages")


if __name__ == "__main__":
    main()
