"""Linear equations in x: `2x+3+2x-5=14, x=?`, solved by always treating the second term. Level = terms after the first.

A term in x is merged into the first, a constant moves to the right; every line is an equation with the same solution,
so each step can be checked. Solutions are whole numbers 1..15.
"""

import re
from collections.abc import Iterator
from random import Random

from data.domains._fresh import build, distinct
from data.gold import Answer, StepRule
from data.records import Problem

VERIFIER = "symbolic"
BANDS = {"easy": (1, 2), "middle": (3, 5), "hard": (6, 8)}
HIGHEST = 60  # right sides stay in 0..HIGHEST
LARGEST = 4  # coefficients of x stay in 1..LARGEST
SOLUTION = 15  # largest x
INSTRUCTION = (
    "Solve the equation for x step by step. Write one equation per line: merge the second term into the first if it is "
    "a term in x, else move it to the right-hand side. End with a line `#### <the value of x>`."
)
EXAMPLES = ["3x+4=19, x=?", "2x+3+2x-5=14, x=?", "x-1-1+x=0, x=?"]

_PROMPT = re.compile(r"([1-9]?x(?:[+-](?:[1-9]?x|[1-9])){1,12})=(\d{1,2}), x=\?")
_TERM = re.compile(r"([+-]?)(\d*)(x?)")


def _terms(left: str) -> list[tuple[int, bool]]:
    """Signed coefficient, and whether it is one of x."""
    found = [m.groups() for m in _TERM.finditer(left) if m[0]]
    return [(int(f"{sign}{digits or 1}"), bool(x)) for sign, digits, x in found]


def _write(terms: list[tuple[int, bool]], right: int) -> str:
    """The equation as text: no leading plus, no coefficient 1."""
    words = [f"{c:+d}" if not x else f"{c:+d}x".replace("+1x", "+x").replace("-1x", "-x") for c, x in terms]
    return "".join(words).removeprefix("+") + f"={right}"


def _reduce(terms: list[tuple[int, bool]], right: int) -> Iterator[tuple[list[tuple[int, bool]], int]]:
    """The states after each step, the last one being `ax=b`."""
    while len(terms) > 1:
        (first, _), (second, in_x), *rest = terms
        terms, right = ([(first + second, True), *rest], right) if in_x else ([(first, True), *rest], right - second)
        yield terms, right


def parse(text: str, source: str = "text") -> Problem | None:
    """The problem in `text`; None unless all of it parses and every state of its solution is within bounds."""
    match = _PROMPT.fullmatch(text)
    if not match:
        return None
    terms, right = _terms(match[1]), int(match[2])
    states = list(_reduce(terms, right))
    if not all(1 <= t[0][0] <= LARGEST and 0 <= r <= HIGHEST for t, r in [(terms, right), *states]):
        return None
    (((factor, _),), total) = states[-1]
    if total % factor or not 1 <= total // factor <= SOLUTION:
        return None
    gold = Answer(str(total // factor), StepRule("same_solution", f"{match[1]}={right}"))
    return build("equations", len(terms) - 1, text, gold, VERIFIER, source)


def problems(split: str, seed: int, level: int) -> Iterator[Problem]:
    """Fresh problems of one level, endless."""

    def draw(rng: Random) -> str:
        x, factor, constant = rng.randint(1, SOLUTION), rng.randint(1, LARGEST), 0
        terms = [(factor, True)]
        for _ in range(level):
            if rng.random() < 0.4:
                step = rng.choice([s for s in range(-3, 4) if s and 1 <= factor + s <= LARGEST])
                factor += step
                terms.append((step, True))
            else:
                step = rng.choice([s for s in range(-9, 10) if s])
                constant += step
                terms.append((step, False))
        return f"{_write(terms, factor * x + constant)}, x=?"

    yield from distinct(draw, lambda text: parse(text, f"generator:{seed}"), split, seed, level)


def solve(problem: Problem) -> str:
    """The worked solution: the equation after each step, then x."""
    left, right = problem.prompt.removesuffix(", x=?").split("=")
    states = list(_reduce(_terms(left), int(right)))
    (((factor, _),), total) = states[-1]
    return "\n".join([*(_write(t, r) for t, r in states), f"#### {total // factor}"])
