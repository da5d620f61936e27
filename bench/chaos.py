"""What a kill -9 costs: runs of `flywheel up` whose processes are killed in each stage, beside one left in peace.

    python -m bench.chaos [--kills task,flow,runner,server,everything] [--stages problems,...,promote] [--times 3]
                          [--recipe smoke] [--home FOLDER] [--port 4299] [--json]

Each kill is at a moment of its stage drawn at random (the stages' lengths are those of the undisturbed run), several
in one run of one round, fewer than a run is given up for. `task`: the engine's process, a verifier's or the training,
whichever is at work in the stage (where none is, the idle engine); `everything`: `flywheel up` and all below it, which
is then started again, as after a power cut. Nothing else is mended by hand. Answers come from a scripted engine in a
process of its own, so that the rows of two runs are equal. Each result is a line of FOLDER/chaos.jsonl; started again,
it goes on with the kills that are left.
"""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench import _chaos_trial as trial
from bench._chaos_checks import Damage
from bench._chaos_machine import Machine
from bench._chaos_trial import KILLS, STAGES, Plan, Result
from data.store import home

RESULTS = "chaos.jsonl"
# After the third death of its process a run is left to a person, after the fifth of the server or the runner within a
# minute `flywheel up` ends.
IN_A_RUN = {"task": 2, "flow": 2, "runner": 3, "server": 2, "everything": 4}
TRIES = 3  # to hit the stage that is meant: a short one is easily missed


def main() -> None:
    """Kill what is left to kill, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=_names(KILLS), default=KILLS, help="separated by commas; default: all")
    parser.add_argument("--stages", type=_names(STAGES), default=STAGES, help="separated by commas; default: all")
    parser.add_argument("--times", type=int, default=3, help="kills of each sort in each stage")
    parser.add_argument("--recipe", default="smoke")
    parser.add_argument("--home", type=Path, default=home() / "chaos", help="ledger and results of the trials")
    parser.add_argument("--port", type=int, default=4299)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.home.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    plans = [
        Plan(k, s, n, arguments.times)
        for n in range(arguments.times)
        for k in arguments.kills
        for s in arguments.stages
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what it has started
    if left(plans, read(folder)):
        with Machine(folder, arguments.port) as machine:
            perform(machine, plans, arguments.recipe)
    results = [r for r in read(folder) if r.kill in arguments.kills]
    print("\n".join(table(results)))
    if arguments.json:
        print(json.dumps(totals(results)))


def perform(machine: Machine, plans: Sequence[Plan], recipe: str) -> None:
    """Do what is left of the plans; a stage that was missed is tried again, TRIES times in all."""
    machine.start()
    trial.until_idle(machine)
    lengths = trial.undisturbed(machine, recipe)
    print("undisturbed: " + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in lengths.items()), flush=True)
    while chosen := together(left(plans, read(machine.home))):
        machine.start()
        run = f"{chosen[0].kill}-{chosen[0].stage}-{chosen[0].number}-{time.strftime('%H%M%S')}"
        results = trial.play(machine, chosen, run, recipe, lengths)
        with (machine.home / RESULTS).open("a") as f:
            f.writelines(json.dumps(asdict(result)) + "\n" for result in results)
        print("\n".join(map(line, results)), flush=True)
        if all(result.clean for result in results):
            trial.forget(machine.home, run)


def read(folder: Path) -> list[Result]:
    """The results so far."""
    path = folder / RESULTS
    rows = [json.loads(text) for text in path.read_text().splitlines()] if path.exists() else []
    return [Result(**{**row, "damage": Damage(**row["damage"])}) for row in rows]


def left(plans: Sequence[Plan], results: Sequence[Result]) -> list[Plan]:
    """The plans for whose stage there are too few kills yet, unless it was missed TRIES times."""
    hits = Counter((r.kill, r.landed) for r in results if r.killed)
    tries = Counter((r.kill, r.stage, r.number) for r in results)
    missed = [(p, tries[p.kill, p.stage, p.number]) for p in plans if hits[p.kill, p.stage] <= p.number]
    return [replace(p, missed=n) for p, n in missed if n < TRIES]


def together(plans: Sequence[Plan]) -> list[Plan]:
    """The first of these plans and those that one run can have with it: the same kill in later stages, not the next."""
    chosen = list(plans[:1])
    for p in plans[1:]:
        fits = p.kill == chosen[0].kill and STAGES.index(p.stage) > STAGES.index(chosen[-1].stage) + 1
        if fits and len(chosen) < IN_A_RUN[p.kill]:
            chosen.append(p)
    return chosen


def line(r: Result) -> str:
    """A result in one line, with all that is wrong."""
    if not r.killed:
        return f"{r.kill} in {r.stage} {r.number}: missed, there was nothing to kill; {r.state}: {r.message}"
    words = f"{r.kill} in {r.landed} (meant {r.stage} {r.number}): {r.state}, back after {r.recover_s:.1f} s"
    wrong = {**asdict(r.damage), "processes": r.processes, "slots": r.slots, "zombies": r.zombies}
    said = "".join(f"; {name}: {what}" for name, what in wrong.items() if what)
    return words + said + ("" if r.state == "Completed" else f"; {r.message}")


def totals(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """Per sort of kill: how many, in each stage, seconds to recover, and the sums that have to be zero.

    Left out is what killed nothing, and what came after the last stage.
    """
    of = {k: [r for r in results if r.kill == k and r.killed and r.landed in STAGES] for k in KILLS}
    return {k: _total(found) for k, found in of.items() if found}


def _total(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "kills": len(results),
        "completed": sum(r.state == "Completed" for r in results),
        "stages": {stage: sum(r.landed == stage for r in results) for stage in STAGES},
        "recover_median_s": median(r.recover_s for r in results),
        "recover_max_s": max(r.recover_s for r in results),
        "unsaved_max_s": max(r.saved_s for r in results),
        "again": sum(len(r.damage.again) for r in results),
        "twice": sum(len(r.damage.twice) for r in results),
        "lost": sum(len(r.damage.lost) for r in results),
        "stray": sum(len(r.damage.stray) for r in results),
        "report": sum(len(r.damage.report) for r in results),
        "processes": sum(len(r.processes) for r in results),
        "slots": sum(len(r.slots) for r in results),
        "zombies": sum(r.zombies for r in results),
    }


def table(results: Sequence[Result]) -> Iterator[str]:
    """Markdown: a row per sort of kill, then how many hit each stage; a stage that was never hit has a dash."""
    yield (
        "| kill -9 of | kills | run Completed | back at work, median (max) s | work under way, max s | done again "
        "| rows twice | tables that differ | left over: files, processes, slots, runs | report not whole |"
    )
    yield "|---" * 10 + "|"
    for name, t in totals(results).items():
        yield (
            f"| {name} | {t['kills']} | {t['completed']} | {t['recover_median_s']:.1f} ({t['recover_max_s']:.1f}) "
            f"| {t['unsaved_max_s']:.1f} | {t['again']} | {t['twice']} | {t['lost']} "
            f"| {t['stray']}, {t['processes']}, {t['slots']}, {t['zombies']} | {t['report']} |"
        )
    yield ""
    yield "| kills in | " + " | ".join(STAGES) + " |"
    yield "|---" * (len(STAGES) + 1) + "|"
    for name, t in totals(results).items():
        yield f"| {name} | " + " | ".join(str(n or "–") for n in t["stages"].values()) + " |"


def _names(known: Sequence[str]) -> Any:
    """An argument of known names, separated by commas."""

    def names(text: str) -> list[str]:
        found = text.split(",")
        if unknown := set(found) - set(known):
            raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}: known are {', '.join(known)}")
        return found

    return names


if __name__ == "__main__":
    main()
