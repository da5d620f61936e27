"""Checks certificates of propositional entailment: derivations by resolution and falsifying assignments.

A derivation numbers its lines on from the premises. A line is `<number>. <clause> <line>,<line>`, a resolvent of two
earlier lines, or `<number>. <clause> <line>`, an earlier line weakened: the same literals and perhaps more. The
resolvent of A and B on a literal l in A whose negation is in B has the literals of A but l and of B but ~l.
Both rules are sound; together they derive every clause that follows and is no tautology (R. C. T. Lee, 1967). Textbook:
C.-L. Chang and R. C.-T. Lee, Symbolic Logic and Mechanical Theorem Proving (1973), chapter 5. Nothing is searched here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from data.clauses import Clause, clause, literal, negated, write
from data.records import Outcome

_LINE = re.compile(r"([0-9]{1,4}) ?\. ?(\S[^,]*) ([0-9]{1,4})(?: ?, ?([0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class Checked:
    """One line: its outcome, why (empty when correct), and its clause if correct.

    `unverified`: the line rests on one that is not correct, so that it was not looked at.
    """

    outcome: Outcome
    reason: str
    clause: Clause | None = None


def derivation(premises: Sequence[Clause], lines: Sequence[str]) -> list[Checked]:
    """Each line checked; the first that is not correct is always incorrect. Cost: linear in the text."""
    known = [Checked("correct", "", premise) for premise in premises]
    for line in lines:
        known.append(_line(known, line))
    return known[len(premises) :]


def _line(known: Sequence[Checked], text: str) -> Checked:
    """The line after the `known` ones."""
    match = _LINE.fullmatch(" ".join(text.split()))
    if not match:
        return _wrong(f"{text.strip()[:40]!r} is not of the form `<number>. <clause> <line>,<line>`")
    if int(match[1]) != len(known) + 1:
        return _wrong(f"its number must be {len(known) + 1}, not {match[1]}")
    parents = [int(number) for number in match.groups()[2:] if number]
    for number in parents:
        if not 1 <= number <= len(known):
            return _wrong(f"there is no line {number} before it")
    try:
        stated = clause(match[2])
    except ValueError as e:
        return _wrong(str(e))
    used = [(number, held) for number in parents if (held := known[number - 1].clause) is not None]
    if len(used) < len(parents):
        return Checked("unverified", "it rests on a line that is not correct")
    if len(used) == 1:
        ((number, only),) = used
        return Checked("correct", "", stated) if only <= stated else _wrong(f"it lacks literals of line {number}")
    (first, left), (second, right) = used
    if any(stated == left - {x} | right - {negated(x)} for x in left if negated(x) in right):
        return Checked("correct", "", stated)
    return _wrong(f"{write(stated)[:40]} is no resolvent of lines {first} and {second}")


def _wrong(reason: str) -> Checked:
    return Checked("incorrect", reason)


def counterexample(premises: Sequence[Clause], conclusion: Clause, text: str) -> str:
    """What is wrong with an assignment, the literals it makes true parted by spaces; empty when it is right.

    Letters may be left out where the others suffice: each premise needs a literal made true, the conclusion has all of
    its literals made false.
    """
    try:
        literals = [literal(word) for word in text.split()]
    except ValueError as e:
        return str(e)
    letters = [x.removeprefix("~") for x in literals]
    if twice := next((x for x in letters if letters.count(x) > 1), ""):
        return f"{twice} is given twice"
    stated = {x.removeprefix("~") for formula in (*premises, conclusion) for x in formula}
    if strange := next((x for x in letters if x not in stated), ""):
        return f"{strange} is not a letter of the problem"
    for number, premise in enumerate(premises, 1):
        if premise.isdisjoint(literals):
            return f"premise {number} is not made true"
    kept = next((x for x in sorted(conclusion) if negated(x) not in literals), "")
    return f"the conclusion is not made false: {kept}" if kept else ""
