"""Precision, recall and speed of our verdicts on mathematical answers, and those of math-verify on the same rows.

    python bench/math_verdicts.py [cases.jsonl ...] [--passes 3] [--alone] [--json]

Without files the rows are the project's own (`_math_cases.py`). Each judge has one child process with a limit enforced
by the parent; each pass begins with a new child that has judged other rows before the clock runs, so that imports do
not count and no verdict comes from a cache. Times are medians over the passes. A bare answer reaches us as `#### x` and
math-verify as `$x$`. Then injected answers are judged: no file may appear. The figures: precision (of the rows called
correct), recall (of the rows that are correct), coverage (share not `unverified`), verdicts per second, slowest row.
With --json the last line is one JSON object.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from _math_cases import INJECTED, Row, made, read
from _math_verify import MathVerify, available

from data import gold
from data.errors import UserError
from data.ids import content_id
from data.records import Problem
from verifiers._pool import Pool

LIMIT_S = 10.0  # per row, enforced by the parent
WARM = 100  # rows judged before the clock runs
SHOWN = 20  # false rejects that are listed


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge said of one row."""

    outcome: str
    reason: str
    ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one judge on one group."""

    rows: int
    precision: float
    recall: float
    coverage: float
    per_s: float
    slowest_s: float


Judge = Callable[[Sequence[Row]], list[Opinion]]


def ours(rows: Sequence[Row]) -> list[Opinion]:
    """Our verdicts, from one new worker; the milliseconds are those inside it."""
    with Pool(1, timeout_s=LIMIT_S) as pool:
        list(pool.judge([_item(row) for row in made(seed=1)[:WARM]]))
        return [
            Opinion(j.verdict.outcome, f"{j.verdict.answer[:60]!r}: {j.verdict.reason}", j.verdict.ms or 1000 * LIMIT_S)
            for j in pool.judge([_item(row) for row in rows])
        ]


def theirs(rows: Sequence[Row]) -> list[Opinion]:
    """The verdicts of math-verify; a fault of its own is `unverified`."""
    judge = MathVerify()
    try:
        for row in made(seed=1)[:WARM]:
            judge.same(*_dollars(row))
        found = [judge.same(*_dollars(row)) for row in rows]
    finally:
        judge.close()
    names = {True: "correct", False: "incorrect", None: "unverified"}
    return [Opinion(names[same], "", ms) for same, ms in found]


def _item(row: Row) -> tuple[str, Problem, str]:
    text = row.form == "text"
    answer = gold.dump(gold.Answer(row.gold, bare=text))
    problem = Problem(content_id(row.gold, row.pred), "bench", 1, "?", answer, "symbolic", "bench", "train")
    return problem.id, problem, row.pred if text else "#### " + " ".join(row.pred.split())


def _dollars(row: Row) -> tuple[str, str]:
    if row.form == "text":
        return row.gold, row.pred
    left, right = (text if "$" in text else f"${text}$" for text in (row.gold, row.pred))
    return left, right


def passes(judges: Sequence[Judge], rows: Sequence[Row], count: int) -> list[list[Opinion]]:
    """The opinions of each judge's first pass with the median times of all; the judges take turns."""
    found = [[judge(rows) for judge in judges] for _ in range(count)]
    return [[_median(of_row) for of_row in zip(*of_judge, strict=True)] for of_judge in zip(*found, strict=True)]


def _median(found: Sequence[Opinion]) -> Opinion:
    return Opinion(found[0].outcome, found[0].reason, statistics.median(o.ms for o in found))


def figures(rows: Sequence[Row], opinions: Sequence[Opinion]) -> Figures:
    """The figures of one judge on these rows."""
    said = [o.outcome == "correct" for o in opinions]
    right = sum(s and r.expected for s, r in zip(said, rows, strict=True))
    true = sum(r.expected for r in rows)
    seconds = sum(o.ms for o in opinions) / 1000
    return Figures(
        len(rows),
        right / sum(said) if any(said) else 1.0,
        right / true if true else 1.0,
        sum(o.outcome != "unverified" for o in opinions) / len(rows),
        round(len(rows) / seconds, 1),
        round(max(o.ms for o in opinions) / 1000, 3),
    )


def report(rows: list[Row], our: list[Opinion], their: list[Opinion] | None) -> dict[str, object]:
    """Print the table and the wrong verdicts; the JSON object."""
    names = sorted({row.group for row in rows})
    groups: dict[str, dict[str, object]] = {}
    print(
        f"{'group':<12}{'rows':>6}{'precision':>11}{'recall':>9}{'coverage':>10}{'per s':>10}{'slowest':>9}  speed-up"
    )
    for name in [*names, "all"]:
        at = [i for i, row in enumerate(rows) if name in (row.group, "all")]
        mine = figures([rows[i] for i in at], [our[i] for i in at])
        _print(name, mine)
        groups[name] = asdict(mine) | {"speedup": None}
        if their is not None:
            other = figures([rows[i] for i in at], [their[i] for i in at])
            speedup = round(sum(their[i].ms for i in at) / sum(our[i].ms for i in at), 1)
            _print("  math-verify", other, f"{speedup:>10}")
            groups[name] |= {"speedup": speedup, "math_verify": asdict(other)}
    _list(
        "false accepts", [(r, o) for r, o in zip(rows, our, strict=True) if o.outcome == "correct" and not r.expected]
    )
    _list("false rejects", [(r, o) for r, o in zip(rows, our, strict=True) if o.outcome != "correct" and r.expected])
    return {**groups.pop("all"), "groups": groups}


def _print(name: str, f: Figures, speedup: str = "") -> None:
    print(
        f"{name:<14}{f.rows:>4}{f.precision:>11.4f}{f.recall:>9.4f}{f.coverage:>10.4f}{f.per_s:>10,.0f}"
        f"{f.slowest_s:>8.3f}s{speedup}"
    )


def _list(title: str, wrong: list[tuple[Row, Opinion]]) -> None:
    print(f"\n{len(wrong)} {title}")
    for row, opinion in wrong if title == "false accepts" else wrong[:SHOWN]:
        print(f"  {row.kind}: gold {row.gold[-60:]!r}, {opinion.outcome} {opinion.reason}")


def injected() -> list[str]:
    """The injected answers that left a trace, of all, bare and in a response, against several golds."""
    with tempfile.TemporaryDirectory() as folder:
        rows, marks = [], []
        for i, (text, known) in enumerate((t, g) for t in INJECTED for g in ("3", "x+1")):
            marks.append(Path(folder) / f"m{i}")
            answer = text.format(marks[-1])
            rows += [
                Row(known, answer, False, "injected", "answer"),
                Row(known, rf"So \boxed{{{answer}}}", False, "injected", "text"),
            ]
            rows.append(Row(answer, known, False, "injected", "answer"))
        accepted = [row.pred for row, said in zip(rows, ours(rows), strict=True) if said.outcome == "correct"]
        executed = [mark.name for mark in marks if mark.exists()]
        print(f"\n{len(rows)} injected answers: {len(executed)} executed, {len(accepted)} accepted")
    return executed + accepted


def main() -> None:
    """Print the tables, and the JSON where asked; exit 1 when an injected answer was executed or accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", type=Path)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="without math-verify")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options = parser.parse_args()
    try:
        rows = [row for path in options.cases for row in read(path)] if options.cases else made()
    except UserError as e:
        sys.exit(str(e))
    began = time.perf_counter()
    if not options.alone and not available():
        print("math-verify is not installed (pip install math-verify==0.9.0): its columns are left out")
    judges = [ours, theirs] if available() and not options.alone else [ours]
    our, *their = passes(judges, rows, options.passes)
    found = report(rows, our, their[0] if their else None)
    traces = injected()
    print(f"{time.perf_counter() - began:.0f} s")
    if options.json:
        print(json.dumps({**found, "executed": len(traces)}))
    sys.exit(bool(traces))


if __name__ == "__main__":
    main()
