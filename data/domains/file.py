"""A user's own problems, `problem_files` of a recipe: JSON lines, Parquet, or a `datasets` folder on this machine.

Columns (others are ignored):
    prompt    what the model sees
    answer    the final answer, text or number, for `exact` or `symbolic`; or instead
    tests     hidden tests, a list (or its JSON) of {"args": [...], "expected": ...} or "assert f(1) == 2"; or of
              {"stdin": ..., "stdout": ...} for a whole program
    entry     the function that `tests` call; not needed with assert lines
    gold      in the place of both: a typed gold as `flywheel export --golds` writes it, with its `verifier`
    level     1 to 99, default 3: levels 1-2 count as easy, 3-4 as middle, 5 and more as hard
    verifier  exact, symbolic, unit_tests or console. Default: that of the tests; symbolic for an answer with a digit, a
              LaTeX command or one of + * / ^ = and no word of three or more letters but function names; else exact
    solution  a worked solution, never shown to a model: `flywheel check-problems` wants it accepted
    split     train or heldout (also: test, validation). Default: the split of a dataset that has several, else one in
              ten is held out, decided by a hash of the prompt

A row that cannot be used is set aside with its file, number and reason, and the rest run. Rows that repeat a prompt are
set aside too, so that a problem is in one split only, and so are those that `flywheel check-problems` has quarantined
(`_quarantine.py`). The domain of a problem is `file:<path as given>`. Unlike a
generated domain this one is finite and has no solver, so `open_problems` stands in the place of `problems`.
Not here: asking a verifier whether it accepts its gold (`tasks/` does that, before anything is generated).
"""

import difflib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from data import gold, ids
from data.domains import _cases, _quarantine, _rows
from data.errors import UserError
from data.records import Problem, Split

VERIFIER = "symbolic"  # of most problems; each problem names its own
INSTRUCTION = (
    "Solve the problem step by step. Write the final answer alone on the last line, as `#### <answer>`. "
    "If the problem asks for a program, end with one ```python block instead: the function, or the whole program."
)
BANDS = {"easy": (1, 2), "middle": (3, 4), "hard": (5, 99)}
EXAMPLES = [
    '{"prompt": "What is 6 times 7?", "answer": 42}',
    '{"prompt": "Capital of France?", "answer": "Paris", "level": 1}',
    '{"prompt": "Write f(x), the square of x.", "tests": ["assert f(3) == 9", "assert f(-2) == 4"]}',
    '{"prompt": "Read a number, print its double.", "tests": [{"stdin": "4\\n", "stdout": "8\\n"}]}',
    '{"prompt": "Write add(a, b).", "entry": "add", "tests": [{"args": [1, 2], "expected": 3}]}',
]

COLUMNS = ("prompt", "answer", "tests", "gold", "entry", "level", "verifier", "solution", "split")
SPLITS: dict[str, Split] = {"train": "train", "heldout": "heldout", "test": "heldout", "validation": "heldout"}
MAX_PROMPT = 20_000  # characters
MAX_ANSWER = 2_000
MAX_GOLD = 200_000
MAX_SOLUTION = 50_000  # what is beyond is cut

_JUDGES: dict[type, str] = {
    gold.Tests: "unit_tests", gold.Console: "console", gold.Planning: "plan", gold.Entailment: "certificate",
}  # fmt: skip
_MATHS = re.compile(r"\d|\\[a-zA-Z]|[+*/^=]")
_WORD = re.compile(r"(?<!\\)\b[A-Za-z]{3,}")
_FUNCTIONS = {"sqrt", "sin", "cos", "tan", "log", "exp", "abs", "min", "max", "mod", "gcd", "lcm", "inf"}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was set aside. `row` counts from 1 (lines of a JSONL file)."""

    file: str
    row: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """All rows of a file: those that are problems, in the file's order, and those that are not; solutions by id."""

    problems: tuple[Problem, ...]
    rejected: tuple[Rejected, ...]
    solutions: dict[str, str] = field(default_factory=dict)


def open_problems(path: str | Path, quarantined: bool = False) -> Loaded:
    """Reads the whole file, again only when it has changed; `quarantined`: with the problems that runs leave out.

    Raises UserError when there is no usable problem in it.
    """
    path = Path(path)
    loaded = _open(path, _rows.stamp(path))
    held = {} if quarantined else _quarantine.read(path)
    left = tuple(p for p in loaded.problems if p.id not in held)
    if not left:
        raise UserError(f"all problems of {path} are quarantined: see {_quarantine.path_of(path)}, mend or delete it")
    out = [p for p in loaded.problems if p.id in held]
    reasons = [Rejected(path.name, p.source.rpartition(":")[2], f"quarantined: {held[p.id]}") for p in out]
    return Loaded(left, (*loaded.rejected, *reasons), loaded.solutions)


@lru_cache(maxsize=8)
def _open(path: Path, stamp: tuple[int, ...]) -> Loaded:
    rows = list(_rows.read(path))
    if not rows:
        raise UserError(f"{path} is empty: it needs rows with `prompt` and `answer`, or `prompt` and `tests`")
    _check_columns(path, rows)
    problems: dict[str, Problem] = {}
    places: dict[str, str] = {}
    solutions: dict[str, str] = {}
    rejected = []
    for row in rows:
        try:
            problem = problem_of(row, str(path))
            key = split_key(problem.prompt)
            if key in problems:
                same = problems[key].gold == problem.gold
                raise ValueError(f"repeats the prompt of row {places[key]}" + ("" if same else " with another answer"))
            problems[key], places[key] = problem, row.place
            if isinstance(solution := row.columns.get("solution"), str) and solution.strip():
                solutions[problem.id] = solution[:MAX_SOLUTION]
        except ValueError as e:
            rejected.append(Rejected(path.name, row.place, str(e)))
    if not problems:
        raise UserError(f"none of the {len(rows)} rows of {path} is a problem; the first: {rejected[0]}")
    return Loaded(tuple(problems.values()), tuple(rejected), solutions)


def save_rejected(rejected: Iterable[Rejected], path: Path) -> None:
    """Writes the rows that were set aside to `path` as JSON lines, by rename."""
    draft = path.with_name(path.name + ".tmp")
    draft.write_text("".join(json.dumps(asdict(r), ensure_ascii=False) + "\n" for r in rejected), encoding="utf-8")
    draft.replace(path)


def parse(text: str) -> Problem | None:
    """The problem in one JSON line of the shape of EXAMPLES, or None."""
    try:
        columns = json.loads(text)
        return problem_of(_rows.Row("1", columns), "") if isinstance(columns, dict) else None
    except (ValueError, RecursionError):
        return None


def solve(problem: Problem) -> str:
    """The final answer alone: a file has no worked solutions. Raises UserError for a program, which it lacks."""
    known = gold.load(problem.gold)
    if isinstance(known, gold.Answer):
        return f"#### {known.value}"
    raise UserError(
        f"problem {problem.id} comes from a file that has tests but no solution: nothing can be solved from it"
    )


def _check_columns(path: Path, rows: list[_rows.Row]) -> None:
    """Raises UserError when a needed column is nowhere in the file, or one is there under a misspelt name."""
    found = {name: None for row in rows for name in row.columns}
    if not found:
        return  # every row has a fault of its own to name
    for name in found:
        near = difflib.get_close_matches(name, COLUMNS, n=1, cutoff=0.8)
        if name not in COLUMNS and near and near[0] not in found:
            raise UserError(
                f"{path} has a column `{name}`: rename it to `{near[0]}` if that is what it is, else to something else"
            )
    if "prompt" not in found or not {"answer", "tests", "gold"} & found.keys():
        names = ", ".join(str(n) for n in list(found)[:12])
        raise UserError(
            f"{path} has the columns {names}: it needs `prompt`, and `answer` or `tests`; rename its columns to these"
        )


def problem_of(row: _rows.Row, path: str) -> Problem:
    """The problem in a row. Raises ValueError that says what is wrong with the row."""
    if row.fault:
        raise ValueError(row.fault)
    columns = {k: v for k, v in row.columns.items() if v is not None}
    prompt = _text(columns, "prompt", MAX_PROMPT).strip()
    if not any(c.isalnum() for c in prompt):
        raise ValueError("`prompt` has no text")
    known = _gold(columns)
    if isinstance(known, gold.Answer) and _shows(prompt, known.value):
        raise ValueError("`prompt` shows its own final answer")
    text = gold.dump(known)
    verifier = _verifier(columns, known)
    return Problem(
        id=ids.content_id("file", prompt, text, verifier),
        domain=f"file:{path}",
        level=_level(columns.get("level", 3)),
        prompt=prompt,
        gold=text,
        verifier=verifier,
        source=f"{Path(path).name}:{row.place}",
        split=_split(columns, row.part, prompt),
    )


def _text(columns: dict[str, Any], name: str, limit: int) -> str:
    value = columns.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"`{name}` is missing" if value in (None, "") else f"`{name}` is not text")
    if len(value) > limit:
        raise ValueError(f"`{name}` has {len(value)} characters, more than {limit}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"`{name}` is not valid Unicode") from None
    return value


def _gold(columns: dict[str, Any]) -> gold.Gold:
    if "gold" in columns:
        return _typed(_text(columns, "gold", MAX_GOLD))
    if "answer" in columns and "tests" in columns:
        raise ValueError("has both `answer` and `tests`: keep the one that is meant")
    if "tests" in columns:
        return _cases.tests(columns["tests"], columns.get("entry", ""))
    answer = columns.get("answer")
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        if not math.isfinite(answer):
            raise ValueError("`answer` is not a finite number")
        whole = isinstance(answer, float) and answer.is_integer() and abs(answer) < 2**53
        return gold.Answer(str(int(answer) if whole else answer))
    return gold.Answer(_text(columns, "answer", MAX_ANSWER).strip())


def _typed(text: str) -> gold.Gold:
    """A gold in the ledger's own notation."""
    try:
        known = gold.load(text)
        if gold.load(gold.dump(known)) != known or not getattr(known, "entry", "f").isidentifier():
            raise ValueError
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError("`gold` is not a gold as `flywheel export --golds` writes it") from None
    return known


def _shows(prompt: str, answer: str) -> bool:
    return any(mark in prompt for mark in (f"#### {answer}", f"\\boxed{{{answer}}}"))


def _verifier(columns: dict[str, Any], known: gold.Gold) -> str:
    fitting: tuple[str, ...]
    if isinstance(known, gold.Answer):
        fitting = ("symbolic", "exact") if looks_like_maths(known.value) else ("exact", "symbolic")
    else:
        fitting = (_JUDGES[type(known)],)
    name = columns.get("verifier", fitting[0])
    if name not in fitting:
        raise ValueError(f"`verifier` {name!r} does not judge this gold: {' or '.join(sorted(fitting)[::-1])} would")
    return str(name)


def looks_like_maths(answer: str) -> bool:
    """Whether an answer is for `symbolic` rather than `exact`, where the row does not say."""
    bare = re.sub(r"\\[a-zA-Z]+", " ", answer)
    return bool(_MATHS.search(answer)) and all(w in _FUNCTIONS for w in _WORD.findall(bare))


def _level(value: Any) -> int:
    last = BANDS["hard"][1]
    try:
        level = int(value)
        if isinstance(value, bool) or level != float(value) or not 1 <= level <= last:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"`level` {str(value)[:20]!r} is not a whole number from 1 to {last}") from None
    return level


def _split(columns: dict[str, Any], part: str, prompt: str) -> Split:
    name = columns.get("split") or part
    if not name:
        return "heldout" if ids.split_of(split_key(prompt)) == "heldout" else "train"
    if not isinstance(name, str) or name not in SPLITS:
        raise ValueError(f"`split` {str(name)[:20]!r} is none of {', '.join(SPLITS)}")
    return SPLITS[name]


def split_key(prompt: str) -> str:
    """Prompts that differ in spaces and capitals alone are the same problem."""
    return "file " + " ".join(prompt.casefold().split())
