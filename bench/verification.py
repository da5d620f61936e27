"""How many verdicts per second each verifier gives, through the pool, and what one verdict costs.

    python bench/verification.py [--workers 2] [--seconds 3] [--json]

Every group is judged for about `seconds`; workers are started, imports done and sandboxes proven before the clock runs.
With --json the last line is one JSON object: {group: {per_second, median_ms, p99_ms, outcomes}}.
"""

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, islice

from data import domains, gold
from data.ids import content_id
from data.records import Problem
from verifiers._pool import Item, Pool

_ALGEBRA = [("(x+1)^2", "x^2+2x+1"), (r"2\sqrt{2}", r"\sqrt{8}"), (r"\frac{1}{\sqrt{2}}", r"\frac{\sqrt{2}}{2}")]
_ALGEBRA += [(r"\sin^2 x+\cos^2 x", "1"), ("x^2+1", "x^2+2"), ("2x+3y=6", "4x+6y=12"), ("(1,\\pi)", "(1,\\pi)")]


def problem(value: str, verifier: str) -> Problem:
    """A problem with this answer."""
    return Problem(content_id(value), "bench", 1, "?", gold.dump(gold.Answer(value)), verifier, "bench", "train")


def numbers() -> Iterator[Item]:
    """Whole numbers and fractions, two in three right."""
    return ((str(i), problem(f"{i % 90}/7", "symbolic"), f"so\n#### {i % 90 + (i % 3 == 0)}/7") for i in count())


def algebra() -> Iterator[Item]:
    """Expressions that need the two deciders."""
    pairs = ((i, _ALGEBRA[i % len(_ALGEBRA)]) for i in count())
    return ((str(i), problem(left, "symbolic"), f"\\boxed{{{right}}}") for i, (left, right) in pairs)


def words() -> Iterator[Item]:
    """Answers that are text."""
    return ((str(i), problem(f"Paris {i % 9}", "exact"), f"#### paris {i % 8}") for i in count())


def worked(name: str) -> Callable[[], Iterator[Item]]:
    """Worked solutions of a generated domain, their steps checked."""

    def items() -> Iterator[Item]:
        domain = domains.load(name)
        known = list(islice(domain.problems("train", 1, 4), 300))
        texts = [domain.solve(p) for p in known]
        return ((str(i), known[i % 300], texts[i % 300]) for i in count())

    return items


GROUPS = {"numbers": numbers, "algebra": algebra, "words": words}
GROUPS |= {name: worked(name) for name in ("chain_sum", "equations", "programs")}


def measure(items: Iterator[Item], workers: int, seconds: float) -> dict[str, object]:
    """Judge for about `seconds`; milliseconds are those inside the worker."""
    with Pool(workers, timeout_s=10.0) as pool:
        list(pool.judge(islice(items, 64 * workers)))  # imports, sandboxes
        times, outcomes = [], Counter[str]()
        began = time.perf_counter()
        for judged in pool.judge(items):
            times.append(judged.verdict.ms)
            outcomes[judged.verdict.outcome] += 1
            if time.perf_counter() - began > seconds:
                break
        spent = time.perf_counter() - began
    p99 = statistics.quantiles(times, n=100)[98]
    return {
        "per_second": round(len(times) / spent, 1),
        "median_ms": round(statistics.median(times), 3),
        "p99_ms": round(p99, 3),
        "outcomes": dict(outcomes),
    }


def main() -> None:
    """Print the table, and the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options = parser.parse_args()
    found = {}
    print(f"{'group':<12}{'verdicts/s':>12}{'median ms':>12}{'p99 ms':>10}  outcomes")
    for name, group in GROUPS.items():
        row = found[name] = measure(group(), options.workers, options.seconds)
        print(f"{name:<12}{row['per_second']:>12,}{row['median_ms']:>12}{row['p99_ms']:>10}  {row['outcomes']}")
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
