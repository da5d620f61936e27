"""Judges a Python function by hidden tests, in the sandbox. The tests stay here; arguments go in, values come out."""

import os
import re
import time

from data.domains import programs
from data.gold import Tests, load
from data.records import Outcome, Problem, Verdict
from verifiers._extract import without_thinking
from verifiers._plain import NotPlain, same
from verifiers._sandbox import Ran, Sandbox

VERSION = 2
WALL_S = 4.0  # of all cases of a program; less than what the pool allows a whole verdict
MAX_CODE = 50_000  # characters of code; more is no answer
_FENCE = re.compile(
    r"^[ \t]*```[ \t]*(?:python3?|py)?[ \t]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_FIRST_LINE = re.compile(r"^(?:def |async def |import |from |class |@)", re.MULTILINE)

_sandbox: Sandbox | None = None
_sandbox_pid = 0


def sandbox() -> Sandbox:
    """This process's sandbox, started and proven at first use. Raises data.errors.UserError where it cannot be had."""
    global _sandbox, _sandbox_pid
    if _sandbox is None or _sandbox_pid != os.getpid():  # a forked worker starts its own
        _sandbox, _sandbox_pid = Sandbox(wall_s=WALL_S).__enter__(), os.getpid()
    return _sandbox


def prepare() -> None:
    """Start the sandbox before the clock of any attempt runs. Raises UserError where it cannot be had."""
    sandbox()


def extract(completion: str) -> str:
    """The code in a completion: the last fenced block, else from the first line that opens a program; "" when none.

    Code inside the thinking is none, nor is any after a thinking that is never closed.
    """
    completion = without_thinking(completion) or ""
    if blocks := _FENCE.findall(completion):
        code = str(blocks[-1])
    else:
        match = _FIRST_LINE.search(completion)
        code = completion[match.start() :] if match else ""
    return code if len(code) <= MAX_CODE else ""


def verify(problem: Problem, completion: str) -> Verdict:
    """correct: every hidden case returns its expected value; unverified: wall time or a fault of ours ended it.

    The one exception it lets through is UserError: no sandbox here, so no program can be judged.
    """
    begun = time.perf_counter()
    code = extract(completion)
    isolation = ""
    outcome: Outcome
    if not code:
        outcome, reason = "no_answer", "no code"
    else:
        box = sandbox()
        isolation = ",".join(box.guarantees())
        outcome, reason = _judge(box, problem, code)
    ms = (time.perf_counter() - begun) * 1000
    return Verdict(outcome, reason, code[:2000], "unit_tests", VERSION, isolation, ms)


def _judge(box: Sandbox, problem: Problem, code: str) -> tuple[Outcome, str]:
    try:
        gold = load(problem.gold)
    except ValueError as e:
        return "unverified", f"the problem's gold cannot be read: {e}"
    if not isinstance(gold, Tests) or not gold.cases:
        return "unverified", "the problem has no tests"
    try:
        ran = box.run(code, gold.entry, [case.args for case in gold.cases])
        for number, (reply, case) in enumerate(zip(ran.replies, gold.cases, strict=False), 1):
            if reply.error:
                return "incorrect", f"case {number}: {reply.error}"
            if not same(reply.value, case.expected):
                return "incorrect", f"case {number}: wrong value"
    except NotPlain as e:
        return "unverified", f"the problem's tests are not plain values: {e}"
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
        case "died" | "misbehaved":
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
