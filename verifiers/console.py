"""Judges a whole program by hidden tests of what it reads and writes, in the sandbox. The expected text stays here.

What a test is at this boundary:
- Each starts from a fresh process and an empty directory of its own, 16 MiB and 1,000 files at most, which vanishes
  with the process (at the level `reduced` it may write no file). No argument, no environment, `__name__` is
  "__main__"; the standard library is there. Standard input is all of the test's text, as from a file.
- It must end by itself with exit code 0, also by `sys.exit(0)` or `os._exit(0)`. What it had written by then counts;
  what stands on standard error does not.
- Its output is compared in full, every line, both ways, as UTF-8. Blanks (space, tab) at the end of a line and empty
  lines at the end of the text are ignored; nothing else is, neither a carriage return nor 1.0 for 1.
- All tests together share the limits of CPU and wall time; memory, output (8 MiB), files, threads are each process's.
  Over the CPU time, or asleep for a second and a half in a test, is incorrect. Out of our wall time without either is
  unverified: the machine may have been busy.
"""

import re
from functools import partial

from data.gold import Console, Exchange, dump, load
from data.records import Outcome, Problem, Verdict
from verifiers._programs import code_in, prepare, verdict_on
from verifiers._sandbox import Sandbox
from verifiers._talk import Ran

__all__ = ["EXAMPLES", "VERSION", "prepare", "verify"]

VERSION = 1
_FIRST_LINE = re.compile(
    r"^(?:def |async def |import |from |class |@|(?:for|while|with|try|if)\b.*:[ \t]*$|"  # a statement,
    r"[^\W\d][\w.]*\(.*\)[ \t]*$|[^\W\d]\w*(?:[ \t]*,[ \t]*\*?[^\W\d]\w*)*[ \t]*=[^=])",  # a call, an assignment
    re.MULTILINE,
)


def verify(problem: Problem, completion: str) -> Verdict:
    """correct: every test's output is the expected one; unverified: wall time or a fault of ours ended it.

    The one exception it lets through is UserError: no sandbox here, so no program can be judged.
    """
    return verdict_on(code_in(completion, _FIRST_LINE), partial(_judge, problem), "console", VERSION)


def _judge(problem: Problem, box: Sandbox, code: str) -> tuple[Outcome, str]:
    try:
        gold = load(problem.gold)
        texts = [e.stdin.encode() for e in gold.exchanges] if isinstance(gold, Console) else []
    except (ValueError, AttributeError) as e:
        return "unverified", f"the problem's gold cannot be read: {e}"
    if not isinstance(gold, Console) or not any(lines(e.stdout) for e in gold.exchanges):
        return "unverified", "the problem has no tests that ask for output"
    cpu_s, wall_s = box.cpu_s, box.wall_s
    for number, (exchange, text) in enumerate(zip(gold.exchanges, texts, strict=True), 1):
        if wall_s <= 0:
            return "unverified", f"wall: over {box.wall_s:g} s"
        ran = box.pipe(code, text, max(cpu_s, 0.01), wall_s)
        cpu_s, wall_s = cpu_s - ran.cpu, wall_s - ran.seconds
        if ran.end in ("wall", "fault"):
            return "unverified", f"{ran.end}: {ran.detail}"
        if ran.end != "answered":
            return "incorrect", f"test {number}: {ran.end}, {ran.detail}"
        if wrong := difference(ran, exchange):
            return "incorrect", f"test {number}: {wrong}"
    return "correct", f"{len(gold.exchanges)} tests"


def lines(text: str) -> list[str]:
    """The lines of a text as they are compared."""
    text = text.rstrip(" \t\n")
    return [line.rstrip(" \t") for line in text.split("\n")] if text else []


def difference(ran: Ran, exchange: Exchange) -> str:
    """Where the output is not the expected one; "" when it is."""
    try:
        output = ran.output.rstrip(b" \t\n").decode()
    except UnicodeDecodeError:
        return "its output is not UTF-8"
    wanted = lines(exchange.stdout)
    found = output.count("\n") + 1 if output else 0
    if found != len(wanted):  # millions, perhaps
        return f"{found} lines for {len(wanted)}"
    wrong = (number for number, (a, b) in enumerate(zip(lines(output), wanted, strict=True), 1) if a != b)
    return f"line {first} is wrong" if (first := next(wrong, 0)) else ""


def _example(completion: str, outcome: Outcome) -> tuple[Problem, str, Outcome]:
    gold = Console([Exchange("3\n1 2 3\n", "6\n"), Exchange("1\n-5\n", "-5\n"), Exchange("0\n\n", "0\n")])
    prompt = "Read n, then n numbers; print their sum."
    return Problem("example", "example", 1, prompt, dump(gold), "console", "example", "train"), completion, outcome


EXAMPLES: list[tuple[Problem, str, Outcome]] = [
    _example("```python\ninput()\nprint(sum(map(int, input().split())))\n```", "correct"),
    _example("So:\nimport sys\nprint(sum(map(int, sys.stdin.read().split()[1:])), flush=True)\nsys.exit(0)", "correct"),
    _example("```python\nprint(6)\n```", "incorrect"),
    _example("```python\ninput()\nprint('sum:', sum(map(int, input().split())))\n```", "incorrect"),
    _example("```python\ninput()\nprint(sum(map(int, input().split())))\nexit(1)\n```", "incorrect"),
    _example("The sum of 1 2 3 is 6.", "no_answer"),
]
