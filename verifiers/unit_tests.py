"""Judges a Python function by hidden tests, in the sandbox. The tests stay here; arguments go in, values come out.

What `entry(*args) == expected` means at this boundary:
- All cases are called in order in one process; what the code keeps between calls is its own affair. Every call gets
  arguments of its own, and what it does to them is neither seen nor judged: a function that sorts its list in place and
  returns None has returned None.
- The value returned is copied at once. Equal is by value: whether it is an argument, a part of one, or holds one list
  twice makes no difference, nor does what is done to it later.
- Which values are equal, and which cross at all, is written in `_plain.py`. A generator, an iterator, a coroutine, a
  namedtuple, any object of another class: incorrect, even where it would compare equal.
- An exception crosses by its name, and none is ever an answer: whatever class it is of, the case is incorrect.
- A program over its CPU time, or asleep for a second and a half in all, is incorrect. One that runs out of our wall
  time while it neither slept nor used its CPU time is unverified: the machine may have been busy.
"""

import re
from functools import partial

from data.domains import programs
from data.gold import Tests, load
from data.records import Outcome, Problem, Verdict
from verifiers._plain import NotPlain, encode, same
from verifiers._programs import code_in, prepare, sandbox, verdict_on
from verifiers._sandbox import Sandbox
from verifiers._talk import Ran

__all__ = ["EXAMPLES", "VERSION", "extract", "prepare", "sandbox", "verify"]

VERSION = 3
_FIRST_LINE = re.compile(r"^(?:def |async def |import |from |class |@)", re.MULTILINE)


def extract(completion: str) -> str:
    """The code in a completion; "" when none."""
    return code_in(completion, _FIRST_LINE)


def verify(problem: Problem, completion: str) -> Verdict:
    """correct: every hidden case returns its expected value; unverified: wall time or a fault of ours ended it.

    The one exception it lets through is UserError: no sandbox here, so no program can be judged.
    """
    return verdict_on(extract(completion), partial(_judge, problem), "unit_tests", VERSION)


def _judge(problem: Problem, box: Sandbox, code: str) -> tuple[Outcome, str]:
    try:
        gold = load(problem.gold)
    except ValueError as e:
        return "unverified", f"the problem's gold cannot be read: {e}"
    if not isinstance(gold, Tests) or not gold.cases:
        return "unverified", "the problem has no tests"
    try:
        for case in gold.cases:
            encode(case.expected)
        ran = box.run(
            code,
            gold.entry,
            [case.args for case in gold.cases],
            accept=lambda number, value: same(value, gold.cases[number].expected),
        )
    except NotPlain as e:
        return "unverified", f"the problem's tests are not plain values: {e}"
    for number, (reply, case) in enumerate(zip(ran.replies, gold.cases, strict=False), 1):
        if reply.error:
            return "incorrect", f"case {number}: {reply.error}"
        if not same(reply.value, case.expected):
            return "incorrect", f"case {number}: wrong value"
    return _ending(ran, gold.entry)


def _ending(ran: Ran, entry: str) -> tuple[Outcome, str]:
    """The verdict on a program none of whose answers was wrong."""
    where = f"case {len(ran.replies) + 1}"
    match ran.end:
        case "answered":
            return "correct", f"{len(ran.replies)} cases"
        case "not_loaded":
            return "incorrect", f"no function {entry}" if ran.detail == "KeyError" else f"loading: {ran.detail}"
        case "cpu":
            return "incorrect", f"{where}: too slow, {ran.detail}"
        case "died" | "misbehaved" | "idle":
            return "incorrect", f"{where}: {ran.end}, {ran.detail}"
        case _:  # wall, fault
            return "unverified", f"{ran.end}: {ran.detail}"


def _example(completion: str, outcome: Outcome) -> tuple[Problem, str, Outcome]:
    problem = programs.parse("f(x): add 3, double\nf(2)=10\nf(5)=16")
    assert problem is not None
    return problem, completion, outcome


EXAMPLES: list[tuple[Problem, str, Outcome]] = [
    _example("2>+3=5>*2=10\ndef f(x):\n x+=3\n x*=2\n return x", "correct"),
    _example("Here it is:\n```python\nf = lambda x: 2 * (x + 3)\n```", "correct"),
    _example("2>+3=5>*2=10\ndef f(x):\n x+=2\n x*=2\n return x", "incorrect"),
    _example("def f(x):\n return {2: 10, 5: 16}[x]", "incorrect"),
    _example("def g(x):\n return 2 * x + 6", "incorrect"),
    _example("2>+3=5>*2=10", "no_answer"),
]
