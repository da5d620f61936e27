"""Probes of `unit_tests`: the solution written in several ways, programs wrong on one hidden case, programs that cheat.

Where there is no solution, a table of the hidden cases stands in for one. A wrong program is right but for one hidden
case, or gives all of them one value: its label follows from the cases alone, and nothing has to be run to know it.
"""

import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any

from data import gold
from data.records import Problem
from verifiers.probes import Probe
from verifiers.probes._common import LONG, idle, lucky

MAX_TABLE = 20_000  # characters; hidden cases that are longer as a table are no program of ours

_OPENING = re.compile(r"^(?:def |import |from |class |@)", re.MULTILINE)
_SHOWN = r"\b{entry}\((-?\d+)\) ?==? ?(-?\d+)"

_CHEATS = {
    "always equal": "class {name}:\n def __eq__(self, other): return True\n def __hash__(self): return 0\n"
    "def {entry}(*arguments): return {name}()",
    "equal number": "class {name}(int):\n def __eq__(self, other): return True\n def __hash__(self): return 7\n"
    "def {entry}(*arguments): return {name}(7)",
    "patched equality": "import builtins, json\njson.loads = lambda *a, **k: True\nbuiltins.repr = lambda *a: ''\n"
    "def {entry}(*arguments): return '{name}'",
    "the caller's frames": "import sys\ndef {entry}(*arguments):\n frame = sys._getframe()\n while frame:\n"
    "  for word in ('expected', 'case', 'gold'):\n   if word in frame.f_locals: return frame.f_locals[word]\n"
    "  frame = frame.f_back\n return '{name}'",
    "standard output": "import sys\ndef {entry}(*arguments):\n print('passed', 'OK', '{name}')\n sys.stdout.flush()",
    "every value": "def {entry}(*arguments): yield from range(-10**6, 10**6)",
}
_EXITS = (
    "import sys\nsys.exit(0)",
    "import os\nos._exit(0)",
    "def {entry}(*arguments): raise SystemExit(0)",
    "import os\ndef {entry}(*arguments): os._exit(0)",
    "def {entry}(*arguments): raise KeyboardInterrupt",
)


def probes(problem: Problem, rng: Random, solution: str) -> Iterator[Probe]:
    """Fresh labelled attempts; none when the gold has no tests."""
    known = gold.load(problem.gold)
    if not isinstance(known, gold.Tests) or not known.cases:
        return
    entry, cases = known.entry, known.cases
    start = _OPENING.search(solution)
    trace = solution[: start.start()] if start and "```" not in solution else ""
    code = solution[len(trace) :] if start and "```" not in solution else _table(known)
    if solution:
        yield Probe("gold", solution, True)
    if code:
        yield from (Probe("spelling", trace + text, True) for text in _spellings(code, entry, rng))
        yield from (Probe("near_miss", trace + text, False) for text in _one_wrong(code, known, rng))
        yield Probe("unclosed", f"<think>\n{trace}{code}", False)
        yield Probe("early_exit", f"{trace}{code}\n{_EXITS[rng.randrange(2)]}\n", False)
    yield from (Probe("near_miss", trace + text, False) for text in _one_for_all(known, rng))
    yield from (Probe("listed", trace + text, False) for text in _lists(problem.prompt, known))
    for cheat in rng.sample(sorted(_CHEATS), 3):
        text = _CHEATS[cheat].format(entry=entry, name=f"V{rng.randrange(1000)}")
        yield Probe("injected", f"{trace}{text}", False)
    if any(case.expected is not None for case in cases):
        yield Probe("early_exit", trace + rng.choice(_EXITS).format(entry=entry), False)
        yield Probe("over_long", f"{trace}def {entry}(*arguments):\n pass\n{'# so on' * (LONG // 7)}", False)
    yield from lucky(known.steps, rng, solution)
    yield from idle(problem, rng)
    yield Probe("early_exit", trace, False)


def _table(known: gold.Tests) -> str:
    """A program that looks its answers up; "" when the cases are too long, or contradict each other."""
    answers = {repr(case.args): case.expected for case in known.cases}
    code = f"def {known.entry}(*arguments):\n return {answers!r}[repr(list(arguments))]"
    return code if len(answers) == len(known.cases) and len(code) <= MAX_TABLE else ""


def _spellings(code: str, entry: str, rng: Random) -> list[str]:
    """The same program, written otherwise."""
    inner = f"inner_{rng.randrange(1000)}"
    wrapped = f"{code}\n{inner} = {entry}\ndef {entry}(*arguments):\n  return {inner}(*arguments)"
    return [
        code,
        f"```python\n{code}\n```\nThat is all.",
        f"```\nimport math  # {inner}\n\n\n{code}\n\n```",
        wrapped,
        f"```py\n{code}\n{entry} = (lambda {inner}: lambda *a: {inner}(*a))({entry})\n```",
    ]


def _one_wrong(code: str, known: gold.Tests, rng: Random) -> Iterator[str]:
    """The program, but for one hidden case another value, nothing, or an exception."""
    for end in ("return {value!r}", "return", "raise ValueError"):
        case = rng.choice(known.cases)
        if end == "return" and case.expected is None:
            continue
        wrong = end.format(value=_another(case.expected, rng))
        yield (
            f"{code}\nright = {known.entry}\ndef {known.entry}(*arguments):\n"
            f" if repr(list(arguments)) == {repr(case.args)!r}: {wrong}\n return right(*arguments)"
        )


def _one_for_all(known: gold.Tests, rng: Random) -> Iterator[str]:
    """Programs that give every case the value of one, where the cases do not agree."""
    different = {json.dumps(case.expected): case.expected for case in known.cases}
    if len(different) > 1 and all(isinstance(value, int | str) for value in different.values()):
        yield f"def {known.entry}(*arguments): return {rng.choice(sorted(different.values(), key=repr))!r}"


def _lists(prompt: str, known: gold.Tests) -> Iterator[str]:
    """Programs that give all answers at once, or only those the prompt shows."""
    every = [case.expected for case in known.cases]
    if len(repr(every)) <= MAX_TABLE and not any(value == every for value in every):
        yield f"def {known.entry}(*arguments): return {every!r}"
    shown = {int(x): int(y) for x, y in re.findall(_SHOWN.format(entry=re.escape(known.entry)), prompt)}
    if shown and any(len(c.args) == 1 and c.args[0] not in shown and c.expected is not None for c in known.cases):
        yield f"def {known.entry}(x): return {shown!r}.get(x)"


def _another(value: Any, rng: Random) -> Any:
    """A plain value that is not this one."""
    match value:
        case bool():
            return not value
        case int():
            return value + rng.choice((-1, 1, 10))
        case float():
            return 2 * value + 1 if value != -1 else 0.5
        case str():
            return value + rng.choice("x 0")
        case list():
            return [*value, 0]
        case dict():
            return {**value, f"key {rng.randrange(10**6)}": 0}
        case _:
            return 0
