"""Where the problems that `check_problems.py` looks at come from, and what their texts alone say. No verdicts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from data import domains, gold, registry
from data.domains import file
from data.errors import UserError
from data.ids import derived_seed
from data.records import Problem

SPLITS = ("train", "heldout")
SHORT = 80  # characters of a prompt that a finding shows
_SAYS = r"(?:==?|[-=]>|→|#(?:[-=]>)?|returns|gives|is|should be|)"  # between a call and its value in a prompt


@dataclass(frozen=True, slots=True)
class Sample:
    """Which problems of a generated domain, and how often each right answer is judged."""

    levels: int = 8
    n: int = 50  # problems per level and split
    seed: int = 0
    repeats: int = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that one problem does not pass. `place`: row of a file, or level and split of a generated problem."""

    source: str
    place: str
    problem_id: str
    check: str
    why: str
    prompt: str = ""


@dataclass(slots=True)
class Source:
    """Problems of one domain or file, where each is, a solution where there is one, and what was found so far."""

    name: str
    problems: list[Problem]
    places: dict[str, str]
    solutions: dict[str, str]
    findings: list[Finding] = field(default_factory=list)
    path: Path | None = None  # None: generated

    def found(self, problem: Problem, check: str, why: str) -> None:
        """Note that a problem does not pass a check."""
        prompt = " ".join(problem.prompt.split())[:SHORT]
        self.findings.append(Finding(self.name, self.places[problem.id], problem.id, check, why, prompt))


def open_source(name: str, sample: Sample) -> Source:
    """The problems of a generated domain, or of a file. Raises UserError when there is neither."""
    generated = [known for known in registry.known("data.domains") if known != "file"]
    if name in generated:
        return _generated(name, sample)
    if not Path(name).exists() and not Path(name).suffix:
        raise UserError(f"there is no domain and no file {name!r}: known domains are {', '.join(generated)}")
    loaded = file.open_problems(name, quarantined=True)
    places = {p.id: f"row {p.source.rpartition(':')[2]}" for p in loaded.problems}
    source = Source(name, list(loaded.problems), places, loaded.solutions, path=Path(name))
    for row in loaded.rejected:
        check = "duplicate" if row.reason.startswith("repeats the prompt") else "row"
        source.findings.append(Finding(name, f"row {row.row}", "", check, row.reason))
    return source


def _generated(name: str, sample: Sample) -> Source:
    domain = domains.load(name)
    problems, places = [], {}
    for level in range(1, sample.levels + 1):
        for split in SPLITS:
            seed = derived_seed("check-problems", sample.seed, name, level)
            for problem in islice(domain.problems(split, seed, level), sample.n):
                problems.append(problem)
                places[problem.id] = f"level {level}, {split}"
    return Source(name, problems, places, {p.id: domain.solve(p) for p in problems})


def duplicates(sources: Sequence[Source]) -> None:
    """Note every prompt, but for spaces and capitals, that an earlier problem of any source has."""
    first: dict[str, tuple[Source, Problem]] = {}
    for source in sources:
        for problem in source.problems:
            key = " ".join(problem.prompt.casefold().split())
            if key not in first:
                first[key] = source, problem
                continue
            where, other = first[key]
            place = f"{where.name}, {where.places[other.id]}"
            same = "with the same gold" if other.gold == problem.gold else "with another gold: one of them is wrong"
            source.found(problem, "duplicate", f"the prompt of {place}, {same}")


def hidden_tests(problem: Problem) -> Iterator[tuple[str, str]]:
    """(check, what is wrong) of the hidden tests of one problem; none where the gold has no tests."""
    try:
        known = gold.load(problem.gold)
    except ValueError as e:
        yield "gold", f"cannot be read: {e}"
        return
    if isinstance(known, gold.Tests):
        pairs = [(_call(known.entry, case.args), _dense(repr(case.expected))) for case in known.cases]
        prompt = _dense(problem.prompt)
        shown = [call for call, value in pairs if _is_shown(call, value, prompt)]
    elif isinstance(known, gold.Console):
        pairs = [(e.stdin.strip(), e.stdout.strip()) for e in known.exchanges]
        lines = "\n".join(["", *(line.strip() for line in problem.prompt.splitlines()), ""])
        shown = [i for i, o in pairs if i and f"\n{i}\n" in lines and f"\n{o}\n" in lines]
    else:
        return
    if shown:
        yield "shown", f"the prompt shows {len(shown)} of {len(pairs)} hidden tests: {shown[0][:SHORT]}"
    if len({value for _, value in pairs}) == 1:
        yield "constant", f"every hidden test expects {pairs[0][1][:SHORT]}: a constant passes"
    expected: dict[str, str] = {}
    for call, value in pairs:
        if expected.setdefault(call, value) != value:
            yield "tests", f"{call[:SHORT]} is to be {expected[call][:SHORT]} and {value[:SHORT]}"


def _is_shown(call: str, value: str, prompt: str) -> bool:
    """Whether a dense prompt says that this call gives this value, in one of the usual spellings."""
    return bool(re.search(rf"(?<!\w){re.escape(call)} ?{_SAYS} ?{re.escape(value)}(?!\w|\.\d)", prompt))


def _call(entry: str, args: Sequence[object]) -> str:
    return _dense(f"{entry}({','.join(map(repr, args))})")


def _dense(text: str) -> str:
    """No spaces but those between words, and one kind of quotes."""
    return re.sub(r" ?([^\w ]) ?", r"\1", " ".join(text.split())).replace('"', "'")
