"""Mathematical equality of the final answer and the gold: exact rationals first, else two deciders that must agree.

Decides numbers, fractions, percents (where the gold is one), tuples, intervals, sets, expressions and `letter = value`.
Decimals are exact; there is no tolerance. What cannot be read is no answer, never a wrong guess at its meaning.
"""

import re

from data import gold
from data.domains.chain_sum import parse
from data.domains.file import parse as parse_row
from data.records import Outcome, Problem, Verdict
from verifiers._extract import extract, normalise
from verifiers._grammar import Node, Unreadable
from verifiers._grammar import parse as read
from verifiers._rational import Exact, exact

VERSION = 1
_ASSIGNED = re.compile(r"^\s*[a-zA-Z](?:\s*\([a-zA-Z]\))?\s*=\s*(?=[^=])")
_OPEN, _CLOSE = "([{", ")]}"


def verify(problem: Problem, completion: str) -> Verdict:
    """`correct` only with a proof; `unverified` when the deciders cannot agree."""
    known = gold.load(problem.gold)
    if not isinstance(known, gold.Answer):
        return Verdict("unverified", "the problem has tests, not an answer", "", "symbolic", VERSION)
    found = extract(completion)
    if not found.answer:
        return Verdict("no_answer", found.reason, "", "symbolic", VERSION)
    outcome, reason = compare(known.value, found.answer)
    return Verdict(outcome, f"{found.reason}: {reason}", found.answer, "symbolic", VERSION)


def compare(known: str, answer: str) -> tuple[Outcome, str]:
    """The outcome for a bare answer, and why."""
    known, answer = normalise(known).strip().strip("$"), answer.strip().strip("$")
    if "=" not in known:
        answer = _ASSIGNED.sub("", answer)
    first, second = exact(known), exact(answer)
    if first and second:
        return ("correct", "equal exactly") if _same(first, second) else ("incorrect", "another exact value")
    try:
        wanted, got = _parts(known), _parts(answer)
    except Unreadable as e:
        return "no_answer", f"cannot be read: {e}"
    if wanted[0] != got[0] or len(wanted[1]) != len(got[1]):
        return "incorrect", "another kind of answer"
    return _decided(wanted[0] == "{}", wanted[1], got[1])


def _same(first: Exact, second: Exact) -> bool:
    if first.percent != second.percent and first.percent:
        return second.kind == first.kind and second.values in (first.values, (first.values[0] / 100,))
    return (first.kind, first.values, first.percent) == (second.kind, second.values, second.percent)


def _parts(text: str) -> tuple[str, list[Node]]:
    """Brackets of a tuple, interval or set (else ''), and the trees between its commas."""
    text = text.strip().replace("\\left", "").replace("\\right", "").replace("\\{", "{").replace("\\}", "}")
    pieces = _split(text[1:-1]) if text and text[0] in _OPEN and text[-1] in _CLOSE else []
    if len(pieces) > 1 or (pieces and text[0] == "{"):
        return text[0] + text[-1], [read(p) for p in pieces]
    return "", [read(p) for p in text.split("=")]


def _split(text: str) -> list[str]:
    pieces, depth = [""], 0
    for c in text:
        depth += (c in _OPEN) - (c in _CLOSE)
        if depth < 0:
            return []
        if c == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += c
    return pieces


def _decided(unordered: bool, wanted: list[Node], got: list[Node]) -> tuple[Outcome, str]:
    from verifiers._deciders import Undecidable, equal

    try:
        left = list(got)
        for node in wanted:
            answers = [equal(node, other) for other in (left if unordered else left[:1])]
            if True not in answers:
                unsure = None in answers
                return ("unverified", "the deciders do not agree") if unsure else ("incorrect", "another value")
            left.pop(answers.index(True))
    except Undecidable as e:
        return "unverified", str(e)
    return "correct", "proved equal by two deciders"


def _examples() -> list[tuple[Problem, str, Outcome]]:
    chain = parse("3+5-2=?")
    root = parse_row('{"prompt": "Simplify the square root of 8.", "answer": "2\\\\sqrt{2}", "verifier": "symbolic"}')
    assert chain is not None and root is not None
    return [
        (chain, "8-2\n#### 6", "correct"),
        (chain, "8-2\n#### 12/2", "correct"),
        (chain, "8-2\n#### 7", "incorrect"),
        (chain, "8-2\n6", "no_answer"),
        (chain, '#### __import__("os").system("id")', "no_answer"),
        (root, "\\boxed{\\sqrt{8}}", "correct"),
        (root, "\\boxed{\\frac{4}{\\sqrt 2}}", "correct"),
        (root, "\\boxed{2\\sqrt{3}}", "incorrect"),
    ]


EXAMPLES = _examples()
