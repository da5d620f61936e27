"""What the ledger costs a round: write, curate, gate, publish, ask. Prints a table, with `--json` one object last.

    python -m bench.store [--attempts 6000] [--rounds 4] [--json]

Not measured: generation, verification and training; the attempts are made up.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from data import duck
from data.records import Attempt, Problem, StepVerdict, Verdict
from data.store import At, Store
from tasks.curate import curate
from tasks.gate import gate
from tasks.settings import CurateSettings

SAMPLES, SHARD, STEPS = 4, 1000, 4


def timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return round(time.perf_counter() - started, 4)


def write(store: Store, at: At, attempts: int) -> None:
    """A made-up round: three in five attempts right, one step in ten wrong."""
    draw = random.Random(at.round)
    ids = [f"{at.round}-{i}" for i in range(attempts // SAMPLES)]
    problems = [Problem(i, "sums", 3, f"{i}=?", "{}", "exact", "bench", "train") for i in ids]
    made = [
        Attempt(
            f"{p}-{k}",
            p,
            "m",
            "best_of_n",
            k,
            "8-2\n" * draw.randint(1, 9) + f"#### {draw.randint(0, 9)}",
            [0],
            20,
            -1.0,
            "stop",
        )
        for p in ids
        for k in range(SAMPLES)
    ]
    outcomes = ("correct", "correct", "correct", "incorrect", "no_answer")
    verdicts = [Verdict(draw.choice(outcomes), "compared", attempt_id=a.id) for a in made]
    steps = [
        StepVerdict(i, draw.choice(("correct",) * 9 + ("incorrect",)), "same_value", "", a.id)
        for a in made
        for i in range(STEPS)
    ]
    for name, relations in (
        ("problems", {"problems": problems}),
        ("generate", {"attempts": made}),
        ("verify", {"verdicts": verdicts, "step_verdicts": steps}),
    ):
        stage = store.stage(at, name, "bench")
        for relation, rows in relations.items():
            for start in range(0, len(rows), SHARD):
                stage.write(relation, str(start), rows[start : start + SHARD])
        stage.commit()


def measure(attempts: int, rounds: int) -> dict[str, float]:
    """Seconds of each step in the last of so many rounds, and the one-off import of Great Expectations."""
    settings, found = CurateSettings(), {}
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for number in range(rounds):
            at = At("bench", number, 1)
            found = {
                "write": timed(lambda at=at: write(store, at, attempts)),
                "curate": timed(lambda at=at: curate(store, at, settings)),
                "gate": timed(lambda at=at: gate(store, at, settings)),
                "publish": timed(store.publish),
            }
            if number == 0:
                timings = store.query("SELECT startup_seconds FROM timings WHERE stage = 'gate'")
                startup = timings["startup_seconds"][0].as_py()
        found["resume"] = timed(lambda: (curate(store, at, settings), gate(store, at, settings)))
        found["ask"] = timed(lambda: duck.sql(store.home, "FROM hardest_solved LIMIT 10"))
    return {**found, "great_expectations_import": startup}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attempts", type=int, default=6000, help="attempts per round")
    parser.add_argument("--rounds", type=int, default=4, help="rounds before and with the one measured")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options = parser.parse_args()
    found = measure(options.attempts, options.rounds)
    print(f"seconds for {options.attempts} attempts in round {options.rounds} of a run")
    for name, seconds in found.items():
        print(f"  {name:<26}{seconds:>9.3f}")
    if options.json:
        print(json.dumps({"attempts": options.attempts, "rounds": options.rounds, "seconds": found}))


if __name__ == "__main__":
    main()
