"""Judge of answers that are words: equal text but for NFKC, spaces, letter case and the marks around it. No maths."""

from data import gold
from data.records import Outcome, Problem, Verdict
from verifiers._extract import extract, normalise, undressed

VERSION = 3


def verify(problem: Problem, completion: str) -> Verdict:
    """`correct` when the marked answer reads like the gold; `no_answer` when none is marked."""
    try:
        wanted = gold.load(problem.gold)
    except ValueError as e:
        return _verdict("unverified", str(e))
    if not isinstance(wanted, gold.Answer):
        return _verdict("unverified", "the gold is no answer but tests")
    found = extract(completion, wanted.bare)
    if not found.answer:
        return _verdict("no_answer", found.reason)
    if _canonical(found.answer) == _canonical(wanted.value):
        return _verdict("correct", "same text", found.answer)
    return _verdict("incorrect", "another text", found.answer)


def _canonical(text: str) -> str:
    return " ".join(undressed(normalise(text)).casefold().split())


def _verdict(outcome: Outcome, reason: str, answer: str = "") -> Verdict:
    return Verdict(outcome, reason, answer, "exact", VERSION)


def _example(value: str) -> Problem:
    return Problem("example", "example", 1, "?", gold.dump(gold.Answer(value)), "exact", "example", "train")


EXAMPLES: list[tuple[Problem, str, Outcome]] = [
    (_example("Paris"), "It is the capital.\n#### Paris", "correct"),
    (_example("Paris"), r"So \boxed{ PARIS }.", "correct"),
    (_example("new york"), "Final answer is New  York.", "correct"),
    (_example("Paris"), "#### London", "incorrect"),
    (_example("Paris"), "Paris", "no_answer"),
    (_example("Paris"), "<think>#### Paris", "no_answer"),
]
