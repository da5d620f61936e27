"""A short specification with two shown examples -> a Python function, judged by running it on hidden tests.

`f(x): add 3, double` with `f(2)=10`, `f(5)=16` asks for `def f(x): ...`. A trace first follows the first shown example
(`2>+3=5>*2=10`, whose parts are checked as steps) and then writes the code. Level = number of operations. Reference
and tests are computed here from the specification; nothing model-written runs here.
"""

import re
from collections.abc import Callable, Iterator
from random import Random

from data.domains._fresh import build, distinct
from data.gold import Case, StepRule, Tests
from data.ids import derived_seed
from data.records import Problem

VERIFIER = "unit_tests"
BANDS = {"easy": (1, 2), "middle": (3, 5), "hard": (6, 8)}
HIGHEST = 30  # values of the first shown example stay in 0..HIGHEST
HIDDEN = 12  # hidden tests per problem
INSTRUCTION = (
    "First follow the first example in one line, `>` before each operation and `=` before its value: `2>+3=5>*2=10`. "
    "The signs are + - % * ^2 /2 (halve, rounded down) and min. "
    "Then write the Python function f(x), one statement per operation, returning x."
)
EXAMPLES = ["f(x): add 3, double\nf(2)=10\nf(5)=16", "f(x): halve, cap 7\nf(9)=4\nf(0)=0"]

_OPERATIONS: dict[str, tuple[str, str, Callable[[int, int], int]]] = {
    "add": ("+{}", " x+={}", lambda x, a: x + a),
    "sub": ("-{}", " x-={}", lambda x, a: x - a),
    "mod": ("%{}", " x%={}", lambda x, a: x % a),
    "cap": ("min{}", " x=min(x,{})", lambda x, a: min(x, a)),
    "double": ("*2", " x*=2", lambda x, a: x * 2),
    "triple": ("*3", " x*=3", lambda x, a: x * 3),
    "halve": ("/2", " x//=2", lambda x, a: x // 2),
    "square": ("^2", " x*=x", lambda x, a: x * x),
}
_ARGUMENTS = {"add": (1, 9), "sub": (1, 9), "mod": (2, 9), "cap": (3, 9)}
_PROMPT = re.compile(r"f\(x\): ([a-z0-9 ,]{3,200})\nf\((\d)\)=(-?\d{1,6})\nf\((\d)\)=(-?\d{1,6})")
_WORD = re.compile(r"(add|sub|mod|cap) ([1-9]\d?)|(double|triple|halve|square)")

Program = list[tuple[str, int]]


def _specification(text: str) -> Program | None:
    """The operations in `text`, or None when a word is unknown or an argument out of range."""
    program: Program = []
    for word in text.split(", "):
        match = _WORD.fullmatch(word)
        if not match:
            return None
        name, argument = match[1] or match[3], int(match[2] or 0)
        low, high = _ARGUMENTS.get(name, (0, 0))
        if not low <= argument <= high:
            return None
        program.append((name, argument))
    return program


def _values(program: Program, x: int) -> list[int]:
    """x and its value after each operation."""
    values = [x]
    for name, argument in program:
        values.append(_OPERATIONS[name][2](values[-1], argument))
    return values


def _trace(program: Program, values: list[int]) -> str:
    """The example followed: each operation with its value."""
    parts = [f"{_OPERATIONS[name][0].format(a)}={v}" for (name, a), v in zip(program, values[1:], strict=True)]
    return ">".join([str(values[0]), *parts])


def _write(program: Program) -> str:
    return "f(x): " + ", ".join(f"{name} {a}" if name in _ARGUMENTS else name for name, a in program)


def parse(text: str, source: str = "text") -> Problem | None:
    """The problem in `text`; None unless it parses whole, its examples are right, the first within bounds, and it is no
    constant, which a stub would satisfy."""
    match = _PROMPT.fullmatch(text)
    program = _specification(match[1]) if match else None
    if not match or not program or len(program) > 12 or match[2] == match[4]:
        return None
    first, second = int(match[2]), int(match[4])
    trace = _values(program, first)
    if trace[-1] != int(match[3]) or _values(program, second)[-1] != int(match[5]):
        return None
    if not all(0 <= v <= HIGHEST for v in trace) or sum(name == "square" for name, _ in program) > 2:
        return None
    specification = text.split("\n")[0]
    cases = [Case([x], _values(program, x)[-1]) for x in _inputs(program, (first, second), specification)]
    if len({case.expected for case in cases}) < 2:
        return None
    gold = Tests("f", cases, StepRule("trace", _trace(program, trace)))
    return build("programs", len(program), text, gold, VERIFIER, source, key=specification)


def _inputs(program: Program, shown: tuple[int, int], specification: str) -> list[int]:
    """Hidden inputs: first those that tell the program from itself without an operation and from a constant."""
    rng = Random(derived_seed("hidden tests", specification))
    pool = [x for x in [*rng.sample(range(-20, 60), 80), *rng.sample(range(60, 1000), 20)] if x not in shown]
    wanted = {x: _values(program, x)[-1] for x in pool}
    chosen: list[int] = []
    for left_out in range(len(program)):
        rival = program[:left_out] + program[left_out + 1 :]
        if all(_values(rival, x)[-1] == wanted[x] for x in chosen):
            chosen += [x for x in pool if _values(rival, x)[-1] != wanted[x]][:1]
    if len({wanted[x] for x in chosen}) < 2:
        chosen += [x for x in pool if wanted[x] != wanted[(chosen or pool)[0]]][:1]
    return [*chosen, *(x for x in pool if x not in chosen)][: max(HIDDEN, len(chosen))]


def problems(split: str, seed: int, level: int) -> Iterator[Problem]:
    """Fresh problems of one level; level 1 has a few hundred in all, the others are endless."""

    def draw(rng: Random) -> str:
        first, second = rng.sample(range(10), 2)
        program: Program = []
        value = first
        while len(program) < level:
            name = rng.choice(list(_OPERATIONS))
            argument = rng.randint(*_ARGUMENTS.get(name, (0, 0)))
            after = _OPERATIONS[name][2](value, argument)
            if 0 <= after <= HIGHEST:
                value = after
                program.append((name, argument))
        shown = [f"f({x})={_values(program, x)[-1]}" for x in (first, second)]
        return "\n".join([_write(program), *shown])

    yield from distinct(draw, lambda text: parse(text, f"generator:{seed}"), split, seed, level)


def solve(problem: Problem) -> str:
    """The worked solution: the first shown example traced, then the function."""
    match = _PROMPT.fullmatch(problem.prompt)
    program = _specification(match[1]) if match else None
    if not match or not program:
        raise ValueError(f"not a problem of this domain: {problem.prompt!r}")
    trace = _trace(program, _values(program, int(match[2])))
    body = [_OPERATIONS[name][1].format(a) for name, a in program]
    return "\n".join([trace, "def f(x):", *body, " return x"])
