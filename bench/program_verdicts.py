"""What verdicts on programs are worth, and what they cost: the adversarial suite, then speed beside the usual judge.

    python bench/program_verdicts.py [--json] [--as-nobody] [--programs 200]

The suite (`tests/attacks/`) runs through the real verifiers with their full limits. Speed is that of the pool on worked
solutions of the `programs` domain, sandboxes proven before the clock runs; a process per program judges the same in the
same run (`_process_per_program.py`), both two at a time, in turns, medians of three. `--as-nobody`: all of it as an
ordinary user. With --json the last line is one JSON object: {accepted, refused, spoiled, side_effects, attacks, benign,
per_s, speedup}; the first four: attacks that were accepted, right programs that were not, next verdicts that were
wrong, marks left on the host.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # `tests`, also for another user's interpreter
import _process_per_program as usual

from data import gold
from data.domains import programs as domain
from tests.attacks import host
from tests.attacks import programs as suite
from verifiers import unit_tests
from verifiers._pool import Item, Pool

WORKERS, REPEATS = 2, 3


def trust() -> dict[str, int]:
    """Run the suite, print a row per class; the counts."""
    report = host.run()
    known = {p.label: p for p in suite()}
    rows = defaultdict(list)
    for seen in report.seen:
        rows[known[seen.label].kind].append(seen)
    outcomes = ("correct", "incorrect", "no_answer", "unverified")
    print(f"{'class':<20}{'programs':>9}{''.join(f'{o:>12}' for o in outcomes)}{'slowest s':>11}")
    for kind, row in rows.items():
        count = Counter(s.outcome for s in row)
        counts = "".join(f"{count[o]:>12}" for o in outcomes)
        print(f"{kind:<20}{len(row):>9}{counts}{max(s.seconds for s in row):>11.2f}")
    for line in [*host.wrong(report), *report.side_effects]:
        print("!!", line)
    accepted = [s for s in report.seen if s.outcome == "correct" and not known[s.label].benign]
    refused = [s for s in report.seen if s.outcome != "correct" and known[s.label].benign]
    print(f"user {os.geteuid()}, behind {' '.join(report.isolation)}; {report.seconds:.0f} s")
    return {
        "accepted": len(accepted),
        "refused": len(refused),
        "spoiled": sum(s.next_outcome != "correct" for s in report.seen),
        "side_effects": len(report.side_effects),
        "attacks": sum(not p.benign for p in known.values()),
        "benign": sum(p.benign for p in known.values()),
    }


def solved(number: int) -> tuple[list[Item], list[str]]:
    """Worked solutions of all levels, as the pool and as the usual judge takes them."""
    problems = [p for level in range(1, 9) for p in islice(domain.problems("train", 1, level), -(-number // 8))][
        :number
    ]
    items = [(str(i), p, domain.solve(p)) for i, p in enumerate(problems)]
    texts = []
    for _, problem, text in items:
        tests = gold.load(problem.gold)
        assert isinstance(tests, gold.Tests)
        asserts = [f"assert {tests.entry}(*{case.args!r}) == {case.expected!r}" for case in tests.cases]
        texts.append("\n".join([unit_tests.extract(text), *asserts]))
    return items, texts


def speed(number: int) -> dict[str, float]:
    """Verdicts per second of both judges, in turns."""
    items, texts = solved(number)
    ours, theirs = [], []
    with Pool(WORKERS, timeout_s=10.0) as pool:
        list(pool.judge(items[: 2 * WORKERS]))
        for _ in range(REPEATS):
            begun = time.perf_counter()
            right = [judged.verdict.outcome == "correct" for judged in pool.judge(items)]
            ours.append(number / (time.perf_counter() - begun))
            begun = time.perf_counter()
            passed = usual.judge(texts, WORKERS)
            theirs.append(number / (time.perf_counter() - begun))
            if not all(right) or not all(passed):  # a machine too busy for the limits
                print(f"!! of {number} worked solutions the pool took {sum(right)}, the usual judge {sum(passed)}")
    per_s, usual_per_s = statistics.median(ours), statistics.median(theirs)
    print(f"verdicts/s, {WORKERS} at a time: pool {per_s:.0f} {[round(n) for n in ours]}, ", end="")
    print(f"process per program {usual_per_s:.0f} {[round(n) for n in theirs]}: {per_s / usual_per_s:.1f} times")
    return {"per_s": round(per_s, 1), "speedup": round(per_s / usual_per_s, 2)}


def main() -> None:
    """Print the tables, and the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--as-nobody", action="store_true", help="as an ordinary user; needs root to become one")
    parser.add_argument("--programs", type=int, default=200, help="programs whose judging is timed")
    options = parser.parse_args()
    if options.as_nobody:
        python = host.interpreter(as_nobody=True)
        if os.geteuid() != 0 or not python:
            sys.exit("--as-nobody needs root, to become nobody, and a Python 3.11 or later that nobody may run.")
        command = [python, "-B", __file__, *[a for a in sys.argv[1:] if a != "--as-nobody"]]
        nobody = host.NOBODY
        sys.exit(subprocess.run(command, cwd="/", user=nobody, group=nobody, extra_groups=[]).returncode)
    found = trust() | speed(options.programs)
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
