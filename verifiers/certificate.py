"""Judges propositional entailment by its certificate: a derivation, or an assignment that refutes it. Searches nothing.

The certificate is all that follows the completion's one line `#### proof` or `#### counterexample`, to the end:

    #### proof                  #### counterexample
    4. b|c 1,2                  ~b ~a c
    5. b 3,4

Rules and source: `_resolution.py`. Clauses: `data/clauses.py`. It parses whole or is wrong; a bare yes or no is no
answer, so that there is nothing to guess. What precedes the marker is not looked at.
"""

import re
import unicodedata
from dataclasses import dataclass

from data import gold
from data.clauses import Clause, clause, tautology, write
from data.domains import entailment
from data.records import Outcome, Problem, StepVerdict, Verdict
from verifiers._extract import without_thinking
from verifiers._resolution import Checked, counterexample, derivation

VERSION = 1
MAX_TEXT = 200_000  # characters of a completion; more is no answer
MAX_CERTIFICATE = 20_000  # characters
MAX_LINES = 200  # of a derivation
MAX_PREMISES = 500  # of a gold

_MARKER = re.compile(r"^[ \t]*####[ \t]*(proof|counterexample)[ \t\r]*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Certificate:
    """Its kind (`proof`, `counterexample`) and its lines that are not blank."""

    kind: str
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join([self.kind, *self.lines])


@dataclass(frozen=True, slots=True)
class _Question:
    """Do the premises entail the conclusion?"""

    premises: list[Clause]
    conclusion: Clause


def verify(problem: Problem, completion: str) -> Verdict:
    """`correct`: the certificate proves its side of the question; else the reason names its first wrong line."""
    found = _extract(completion)
    if isinstance(found, str):
        return Verdict("no_answer", found, "", "certificate", VERSION)
    try:
        question = _question(problem)
    except ValueError as e:
        return Verdict("unverified", str(e), found.text[:2000], "certificate", VERSION)
    outcome, reason = _judge(question, found)
    return Verdict(outcome, reason, found.text[:2000], "certificate", VERSION)


def check_steps(problem: Problem, text: str) -> list[StepVerdict]:
    """One verdict per line of the certificate, kind `proof`; `unverified` where it rests on a line that is wrong."""
    found = _extract(text)
    if isinstance(found, str):
        return []
    try:
        question = _question(problem)
    except ValueError:
        return []
    checked = _check(question, found)
    return [StepVerdict(index, line.outcome, "proof", line.reason) for index, line in enumerate(checked)]


def _extract(completion: str) -> _Certificate | str:
    """The certificate of a completion, or why there is none."""
    said = without_thinking(completion)
    if said is None:
        return "the thinking is never closed"
    if len(said) > MAX_TEXT:
        return f"longer than {MAX_TEXT} characters"
    markers = list(_MARKER.finditer(said))
    if len(markers) != 1:
        return "several certificates" if markers else "no line `#### proof` or `#### counterexample`"
    if len(said) - markers[0].end() > MAX_CERTIFICATE:
        return f"a certificate of more than {MAX_CERTIFICATE} characters"
    lines = [line.strip() for line in _plain(said[markers[0].end() :]).split("\n") if line.strip()]
    if len(lines) > MAX_LINES:
        return f"a certificate of more than {MAX_LINES} lines"
    return _Certificate(markers[0][1].lower(), lines)


def _question(problem: Problem) -> _Question:
    """The question in the gold. Raises ValueError that says what is wrong with it."""
    known = gold.load(problem.gold)
    if not isinstance(known, gold.Entailment):
        raise ValueError("the gold is no entailment")
    if not isinstance(known.premises, list) or not 1 <= len(known.premises) <= MAX_PREMISES:
        raise ValueError(f"the gold's premises are not a list of 1 to {MAX_PREMISES}")
    if not all(isinstance(text, str) for text in (*known.premises, known.conclusion)):
        raise ValueError("the gold's clauses are not all texts")
    try:
        *premises, conclusion = [clause(_plain(text)) for text in (*known.premises, known.conclusion)]
    except ValueError as e:
        raise ValueError(f"the gold is not in clauses: {e}") from e
    if tautology(conclusion):
        raise ValueError("the gold's conclusion is a tautology, which needs no premises and has no derivation")
    return _Question(premises, conclusion)


def _plain(text: str) -> str:
    """NFKC: `ｂ｜ｃ` is `b|c`."""
    return unicodedata.normalize("NFKC", text)


def _judge(question: _Question, found: _Certificate) -> tuple[Outcome, str]:
    checked = _check(question, found)
    if not checked:
        return "incorrect", f"the {found.kind} is empty"
    for line, text in zip(checked, found.lines, strict=True):
        if line.outcome != "correct":
            return "incorrect", f"line {text[:40]!r}: {line.reason}"
    if found.kind == "proof" and checked[-1].clause != question.conclusion:
        return "incorrect", f"the last line is not the conclusion {write(question.conclusion)[:40]}"
    return "correct", f"a {found.kind}, {len(checked)} lines"


def _check(question: _Question, found: _Certificate) -> list[Checked]:
    """Each line checked; a counterexample has one, and further ones are wrong."""
    if found.kind == "proof":
        return derivation(question.premises, found.lines)
    faults = [counterexample(question.premises, question.conclusion, line) for line in found.lines[:1]]
    faults += ["a line too many"] * len(found.lines[1:])
    return [Checked("incorrect" if fault else "correct", fault) for fault in faults]


def _examples() -> list[tuple[Problem, str, Outcome]]:
    entailed, refuted = (entailment.parse(text) for text in entailment.EXAMPLES[:2])
    assert entailed is not None and refuted is not None
    return [
        (entailed, "#### proof\n4. b|c 1,2\n5. b 3,4", "correct"),
        (entailed, "Either a or c holds.\n\n#### Proof\n4. c ∨ b 2, 1\n5. b 4, 3\n", "correct"),
        (entailed, "#### proof\n4. b 1,2", "incorrect"),
        (entailed, "#### proof\n4. b|c 1,2", "incorrect"),
        (entailed, "#### proof\n4. b 4,4", "incorrect"),
        (entailed, "#### proof", "incorrect"),
        (entailed, "#### counterexample\n~b ~a c", "incorrect"),
        (entailed, "#### yes", "no_answer"),
        (entailed, "<think>#### proof\n4. b|c 1,2\n5. b 3,4", "no_answer"),
        (refuted, "#### counterexample\n~b ~a c", "correct"),
        (refuted, "#### counterexample\nb ~a c", "incorrect"),
        (refuted, "#### proof\n4. b|c 1,2\n5. b 3,4", "incorrect"),
    ]


EXAMPLES = _examples()
