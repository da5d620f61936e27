"""Traces from outside enter the ledger: rows of files become problems and attempts of round 0 of a run of their own.

From there they go the way of a model's own attempts: `verify.py`, `curate.py`, `gate.py`. A label in the file is kept
beside them and decides nothing. Unusable rows are set aside by file, row and reason. A run that is begun under the same
name replays what was kept. A killed import repeats at most one part. Not here: what a row may look like
(`data/domains/_traces.py`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from data import manifest
from data.domains import _rows, _traces, file
from data.domains._traces import Trace
from data.domains.file import Rejected
from data.errors import UserError
from data.ids import content_id
from data.progress import Progress, silent
from data.records import Attempt, Import, Problem
from data.store import At, Store
from verifiers._steps import step_offsets

VERSION = 1
STAGE = "import"
STRATEGY = "import"
PART = 10_000  # rows per part
REJECTED = "import-rejected.jsonl"
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Taken:
    """What the files held. `reasons` counts the rows that were set aside; numbers in a reason are left out."""

    rows: int
    attempts: int
    problems: int
    held_out: int  # problems whose attempts are judged, but never trained on
    reasons: dict[str, int]


@dataclass(slots=True)
class _Reading:
    """What has been read so far: problems by the key of their prompt, where each was met, how often each text was."""

    problems: dict[str, Problem] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    texts: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    rows: int = 0


def run_name(sources: Sequence[Path]) -> str:
    """A name for the run that follows from the first file's name and what is in the files."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", sources[0].stem).strip("-.")[:60]
    return f"import-{stem or 'traces'}-{content_id(_contents(sources))[:8]}"


def take(
    store: Store, at: At, sources: Sequence[Path], problem_file: Path | None = None, progress: Progress = silent
) -> Taken:
    """Stage `import`: writes `problems`, `attempts` and `imports` of all rows that can be judged.

    `problem_file` has the golds, where the rows have none. Raises UserError when the run holds another import already,
    and when no row can be used.
    """
    for path in sources:
        _rows.read(path)  # raises UserError for a file that is not there, before all are read
    named = [str(path) for path in (*sources, *filter(None, [problem_file]))]
    stage = store.stage(at, STAGE, content_id(STAGE, VERSION, named, _contents([Path(n) for n in named])))
    if stage.done:
        return Taken(**stage.meta["taken"])
    _refuse_another(store, at)
    golds = None
    if problem_file:
        golds = {file.split_key(p.prompt): p for p in file.open_problems(problem_file).problems}
    reading, written = _Reading(), 0
    for number, part in enumerate(_parts(reading, sources, golds, progress)):
        attempts, imports = zip(*part, strict=True)
        stage.write("imports", str(number), imports)
        stage.write("attempts", str(number), attempts)
        written += len(part)
    if not written:
        raise UserError(_nothing(sources, reading))
    stage.write("problems", "all", list(reading.problems.values()))
    file.save_rejected(reading.rejected, store.run_dir(at.run) / REJECTED)
    held_out = sum(p.split == "heldout" for p in reading.problems.values())
    reasons = Counter(_NUMBER.sub("…", r.reason) for r in reading.rejected)
    taken = Taken(reading.rows, written, len(reading.problems), held_out, dict(reasons.most_common()))
    stage.commit({"taken": asdict(taken), "rows": written})
    return taken


def agreement(store: Store, at: At) -> pa.Table:
    """What the files claim, what the verdicts say, and whether they agree (NULL: no claim, or no verdict)."""
    sql = "SELECT file, claimed, outcome, attempts, agrees FROM claims WHERE round = $round AND claimed <> ''"
    return store.query(sql, {"round": at.round}, run=at.run)


def _parts(
    reading: _Reading, sources: Sequence[Path], golds: dict[str, Problem] | None, progress: Progress
) -> Iterator[list[tuple[Attempt, Import]]]:
    """PART usable rows at a time, and what is left at the end."""
    part: list[tuple[Attempt, Import]] = []
    for path in sources:
        for row in _rows.read(path):
            reading.rows += 1
            try:
                part.append(_attempt(reading, _traces.trace(row, path, golds), path, row.place))
            except ValueError as e:
                reading.rejected.append(Rejected(path.name, row.place, str(e)))
            if len(part) == PART:
                yield part
                part = []
            if reading.rows % 1000 == 0:
                progress(reading.rows, 0, f"rows read, {len(reading.rejected)} set aside")
    progress(reading.rows, reading.rows, f"rows read, {len(reading.rejected)} set aside")
    if part:
        yield part


def _attempt(reading: _Reading, trace: Trace, path: Path, place: str) -> tuple[Attempt, Import]:
    """The rows of the ledger. Raises ValueError when the prompt came before with another gold."""
    key = file.split_key(trace.problem.prompt)
    problem = reading.problems.setdefault(key, trace.problem)
    first = reading.places.setdefault(key, f"{path.name}, row {place}")
    if (problem.gold, problem.verifier) != (trace.problem.gold, trace.problem.verifier):
        raise ValueError(f"has the prompt of {first} with another answer")
    text = content_id(problem.id, trace.model, STRATEGY, trace.text)
    reading.texts[text] += 1
    attempt = Attempt(
        id=content_id(text, reading.texts[text]),
        problem_id=problem.id,
        model_id=trace.model,
        strategy=STRATEGY,
        seed=reading.texts[text],
        text=trace.text,
        steps=step_offsets(trace.text),
        tokens=trace.tokens,
        logprob=0.0,  # nobody knows
        finish=trace.finish,
    )
    return attempt, Import(attempt.id, path.name, place, trace.claimed)


def _refuse_another(store: Store, at: At) -> None:
    """Raises UserError when the run has begun, or holds the import of other files: round 0 is what it stands on."""
    there = list(manifest.committed(store.home, at.run))
    if there:
        what = "holds another import" if any(m.stage == STAGE for m in there) else "has begun without an import"
        raise UserError(f"run {at.run} {what}: choose another --name")


def _nothing(sources: Sequence[Path], reading: _Reading) -> str:
    names = ", ".join(path.name for path in sources)
    if not reading.rejected:
        return f"{names} is empty: it needs rows with `prompt`, `completion` and `answer` (or `tests`)"
    return (
        f"none of the {reading.rows} rows of {names} can be judged; the first: {reading.rejected[0]}; "
        "rows need `prompt` and `completion`, or `messages`, and `answer` or `tests`, or a file of --problems"
    )


def _contents(paths: Sequence[Path]) -> list[str]:
    """What is in the files, whatever they are called."""
    return [_digest(path) for path in paths]


def _digest(path: Path) -> str:
    if path.is_dir():
        inside = sorted(f for f in path.rglob("*") if f.is_file())
        named = [f"{f.relative_to(path)} {_digest(f)}" for f in inside]
        return sha256("\n".join(named).encode()).hexdigest()
    if not path.exists():
        return ""
    with path.open("rb") as f:
        return file_digest(f, "sha256").hexdigest()


take_task = task(name="import", cache_policy=NO_CACHE)(take)
