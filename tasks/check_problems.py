"""Task hygiene: are these problems fit to be trained on? Every check is by the problem's own verifier or by its text.

    gold        the gold can be read and, written as an answer, is accepted
    reference   the solver's solution, or a row's `solution`, is accepted and none of its steps is wrong
    stub        no text, the prompt copied, and a function that does nothing are not accepted
    flaky       the same text gets the same verdict every time
    shown       no hidden test is among those that the prompt shows
    tests       the hidden tests do not contradict each other
    constant    the hidden tests do not all expect the same, which a constant would satisfy
    duplicate   no prompt comes twice, be it with the same gold or (a contradiction) with another
    row         a row of a file is a problem

Problems that fail one of the first four are quarantined: runs leave those of a file out (`<file>.quarantine.jsonl`).
Not here: whether a problem is hard or worth solving; near duplicates in other words.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from data import gold
from data.domains import _quarantine
from data.progress import Progress, silent
from data.records import Problem
from tasks._problem_sources import Finding, Sample, Source, duplicates, hidden_tests, open_source
from tasks.settings import VerifySettings
from verifiers._judge import Judged
from verifiers._pool import Pool

QUARANTINES = ("gold", "reference", "stub", "flaky")
_STUBS = {"tests": "```python\ndef {entry}(*args, **kwargs):\n    pass\n```", "console": "```python\npass\n```"}

__all__ = ["Checked", "Finding", "Sample", "check"]


@dataclass(frozen=True, slots=True)
class Checked:
    """One source: how many problems, how many have a solution to judge, how many are quarantined, and all findings."""

    source: str
    problems: int
    solutions: int
    quarantined: int
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class _Trial:
    """A text to be judged. `check` is gold, reference or stub; `what` names the text."""

    source: Source
    problem: Problem
    check: str
    what: str
    text: str


def check(names: Sequence[str], sample: Sample, settings: VerifySettings, progress: Progress = silent) -> list[Checked]:
    """Check generated domains (by name) and files (by path), and quarantine problems of the files.

    Raises UserError for a source that does not exist or has no problem at all.
    """
    sources = [open_source(name, sample) for name in dict.fromkeys(names)]
    duplicates(sources)
    for source in sources:
        for problem in source.problems:
            for what, why in hidden_tests(problem):
                source.found(problem, what, why)
    trials = [t for source in sources for problem in source.problems for t in _trials(source, problem)]
    for trial, judged in zip(trials, _judged(trials, sample.repeats, settings, progress), strict=True):
        for what, why in _objections(trial, judged):
            trial.source.found(trial.problem, what, why)
    return [_closed(source) for source in sources]


def _trials(source: Source, problem: Problem) -> Iterator[_Trial]:
    """What is judged of one problem."""
    try:
        known = gold.load(problem.gold)
    except ValueError:
        return  # `hidden_tests` has said so
    if isinstance(known, gold.Answer):
        yield _Trial(source, problem, "gold", "the gold", f"#### {known.value}")
    if problem.id in source.solutions:
        yield _Trial(source, problem, "reference", "the solution", source.solutions[problem.id])
    yield _Trial(source, problem, "stub", "an empty text", "")
    yield _Trial(source, problem, "stub", "the prompt copied", problem.prompt)
    if isinstance(known, gold.Tests):
        yield _Trial(source, problem, "stub", "an empty function", _STUBS["tests"].format(entry=known.entry))
    if isinstance(known, gold.Console):
        yield _Trial(source, problem, "stub", "an empty program", _STUBS["console"])


def _judged(
    trials: Sequence[_Trial], repeats: int, settings: VerifySettings, progress: Progress
) -> Iterator[list[Judged]]:
    """The judgements of each trial: one of a stub, `repeats` of the others, each round of them apart in time."""
    rounds = [[i for i, t in enumerate(trials) if r == 0 or t.check != "stub"] for r in range(max(1, repeats))]
    order = [i for chosen in rounds for i in chosen]
    found: list[list[Judged]] = [[] for _ in trials]

    def tell(done: int, total: int, text: str) -> None:
        progress(done, len(order), text)

    with Pool(settings.workers, settings.timeout_s) as pool:
        items = ((str(i), trials[i].problem, trials[i].text) for i in order)
        for i, judged in zip(order, pool.judge(items, tell), strict=True):
            found[i].append(judged)
    yield from found


def _objections(trial: _Trial, judged: Sequence[Judged]) -> Iterator[tuple[str, str]]:
    """(check, what is wrong) that the verdicts on one text say."""
    counts = Counter(j.verdict.outcome for j in judged)
    if len(counts) > 1:
        said = ", ".join(f"{n} times {outcome}" for outcome, n in counts.most_common())
        yield "flaky", f"{trial.what} is {said}"
        return
    verdict, steps = judged[0].verdict, judged[0].steps
    if trial.check == "stub":
        if verdict.outcome == "correct":
            yield "stub", f"{trial.what} is accepted"
        return
    if verdict.outcome != "correct":
        yield trial.check, f"{trial.what} is {verdict.outcome}: {verdict.reason}"
    wrong = [s for s in steps if s.outcome == "incorrect"]
    if wrong and trial.check == "reference":
        yield trial.check, f"step {wrong[0].index + 1} of {trial.what} is wrong: {wrong[0].reason}"


def _closed(source: Source) -> Checked:
    """The result of one source; writes the quarantine of a file."""
    reasons: dict[str, str] = {}
    for f in source.findings:
        if f.check in QUARANTINES:
            reasons.setdefault(f.problem_id, f"{f.check}: {f.why}")
    if source.path:
        _quarantine.write(source.path, {p.id: p for p in source.problems}, reasons)
    return Checked(source.name, len(source.problems), len(source.solutions), len(reasons), source.findings)
