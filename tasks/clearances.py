"""Clearances: problems that a person has looked at and found no copy of a benchmark's, whatever the signals say.

One file under the home, a JSON line each with who, when and why; lines are only ever added. Rounds that begin later
honour them. Not here: the signals (`decontaminate.py`).
"""

import getpass
import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from data.errors import UserError
from data.manifest import write_atomic
from data.store import Store

FILE = "contamination-cleared.jsonl"
LONGEST = 1000  # characters of a reason
REVIEW = """
    SELECT
        c.run, c.round, c.problem_id, c.decision, c.signals, round(c.overlap, 2) AS overlap, round(c.edit, 2) AS edit,
        left(c.prompt, $longest) AS prompt, c.benchmark, c.benchmark_id,
        left(c.benchmark_prompt, $longest) AS benchmark_prompt,
        if(l.who IS NULL, '', l.because || ' (' || l.who || ', ' || left(l.when, 10) || ')') AS cleared
    FROM contaminations c
    LEFT JOIN clearances l USING (problem_id)
    ORDER BY c.run, c.round, c.decision, c.problem_id, c.benchmark"""


@dataclass(frozen=True, slots=True)
class Clearance:
    """One line: the problem, the reason, who gave it, and when (ISO 8601, UTC)."""

    problem_id: str
    because: str
    who: str
    when: str


def cleared(home: Path) -> dict[str, Clearance]:
    """The newest clearance of each problem, by its id. Raises UserError when the file cannot be understood."""
    return {c.problem_id: c for c in map(_parse, _lines(home / FILE))}


def clear(store: Store, problem_id: str, because: str) -> Clearance:
    """Add a clearance. Raises UserError for a problem that nothing speaks against, and without a reason."""
    because = " ".join(because.split())
    if not because or len(because) > LONGEST:
        raise UserError(f'say why, in 1 to {LONGEST} characters: --because "the benchmark is its source"')
    known = store.query("SELECT DISTINCT problem_id FROM contaminations WHERE problem_id = $id", {"id": problem_id})
    if not len(known):
        raise UserError(f"problem {problem_id!r} is in no table of contaminations: `flywheel contamination` shows them")
    path = store.home / FILE
    cleared(store.home)
    added = Clearance(problem_id, because, _who(), datetime.now(UTC).isoformat(timespec="seconds"))
    lines = [*_lines(path), json.dumps(asdict(added), ensure_ascii=False)]
    write_atomic(path, "".join(f"{line}\n" for line in lines).encode())
    return added


def table(store: Store, run: str | None = None, whole: bool = True) -> pa.Table:
    """One row per run, round, problem and benchmark that were found alike; texts are cut short unless `whole`."""
    given = [asdict(c) for c in cleared(store.home).values()]
    names = [f.name for f in fields(Clearance)]
    lines = pa.table({name: pa.array([row[name] for row in given], pa.string()) for name in names})
    return store.query(REVIEW, {"longest": 500 if whole else 60}, run=run, tables={"clearances": lines})


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as e:
        raise UserError(f"{path} cannot be read ({e}): mend it, or move it away and clear again") from e


def _parse(line: str) -> Clearance:
    try:
        row = json.loads(line)
        if not all(isinstance(value, str) for value in row.values()):
            raise TypeError("not all values are text")
        return Clearance(**row)
    except (ValueError, TypeError, AttributeError, RecursionError) as e:
        raise UserError(f"a line of {FILE} is no clearance ({e}): mend it, or take it out: {line[:80]}") from e


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        return "unknown"
