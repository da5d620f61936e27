"""Text equality of the final answer, after Unicode, case and white space are evened out. No mathematics."""

from data import gold
from data.domains.file import parse
from data.records import Outcome, Problem, Verdict
from verifiers._extract import extract, normalise

VERSION = 1


def verify(problem: Problem, completion: str) -> Verdict:
    """`correct` when the final answer reads like the gold."""
    known = gold.load(problem.gold)
    if not isinstance(known, gold.Answer):
        return Verdict("unverified", "the problem has tests, not an answer", "", "exact", VERSION)
    found = extract(completion)
    if not found.answer:
        return Verdict("no_answer", found.reason, "", "exact", VERSION)
    same = _plain(found.answer) == _plain(known.value)
    outcome: Outcome = "correct" if same else "incorrect"
    reason = f"{found.reason}, {'equal' if same else 'not equal'} as text"
    return Verdict(outcome, reason, found.answer, "exact", VERSION)


def _plain(text: str) -> str:
    return " ".join(normalise(text).casefold().split()).strip(" .$")


def _examples() -> list[tuple[Problem, str, Outcome]]:
    problem = parse('{"prompt": "Capital of France?", "answer": "Paris"}')
    assert problem is not None
    return [
        (problem, "It is Paris.\n#### Paris", "correct"),
        (problem, "\\boxed{ paris }", "correct"),
        (problem, "#### Lyon", "incorrect"),
        (problem, "Paris", "no_answer"),
    ]


EXAMPLES = _examples()
