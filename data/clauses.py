"""Clauses, the notation that the domain `entailment` and the verifier `certificate` share. Not here: what follows.

A letter is `a`..`z`, where need be with one or two digits (`p12`). A literal is a letter or its negation `~a`. A clause
is literals joined by `|`, true when one of them is, whatever their order; `0` is the empty clause, which is never true.
Every formula of propositional logic is equivalent to a set of clauses (its conjunctive normal form).
"""

import re

Clause = frozenset[str]

MAX_LITERALS = 40  # of one clause
_LITERAL = re.compile(r"(~?) ?([a-z][0-9]{0,2})")
_TEXTBOOK = str.maketrans("¬∨", "~|")


def literal(text: str) -> str:
    """The literal in `text`, without spaces. Raises ValueError when it is none."""
    match = _LITERAL.fullmatch(text.translate(_TEXTBOOK).strip(" "))
    if not match:
        raise ValueError(f"{text[:20]!r} is not a letter or its negation")
    return match[1] + match[2]


def clause(text: str) -> Clause:
    """The clause in `text`; a literal written twice counts once. Raises ValueError when it is none."""
    if text.strip(" ") == "0":
        return frozenset()
    literals = text.translate(_TEXTBOOK).split("|", MAX_LITERALS)
    if len(literals) > MAX_LITERALS:
        raise ValueError(f"a clause of more than {MAX_LITERALS} literals")
    return frozenset(literal(word) for word in literals)


def negated(literal: str) -> str:
    """The opposite literal."""
    return literal[1:] if literal[0] == "~" else "~" + literal


def tautology(clause: Clause) -> bool:
    """Whether a letter and its negation make the clause true everywhere."""
    return any(negated(literal) in clause for literal in clause)


def write(clause: Clause) -> str:
    """The clause as text, its letters in order."""
    return "|".join(sorted(clause, key=lambda literal: (literal.lstrip("~"), literal))) or "0"
