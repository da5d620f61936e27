"""What the judges of programs share: the sandbox of this process, and where in a completion the code is."""

import os
import re
import time
from collections.abc import Callable

from data.records import Outcome, Verdict
from verifiers._extract import without_thinking
from verifiers._sandbox import WALL_S, Sandbox

MAX_CODE = 50_000  # characters of code; more is no answer
_FENCE = re.compile(
    r"^[ \t]*```[ \t]*(?:python3?|py)?[ \t]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL | re.IGNORECASE
)

_sandbox: Sandbox | None = None
_sandbox_pid = 0


def sandbox() -> Sandbox:
    """This process's sandbox, started and proven at first use. Raises data.errors.UserError where it cannot be had."""
    global _sandbox, _sandbox_pid
    if _sandbox is None or _sandbox_pid != os.getpid() or not _sandbox.running():  # a forked worker starts its own
        _sandbox, _sandbox_pid = Sandbox(wall_s=WALL_S).__enter__(), os.getpid()
    return _sandbox


def prepare() -> None:
    """Start the sandbox before the clock of any attempt runs. Raises UserError where it cannot be had."""
    sandbox()


def verdict_on(code: str, judge: Callable[[Sandbox, str], tuple[Outcome, str]], verifier: str, version: int) -> Verdict:
    """The verdict of `judge` on a program, with the guarantees of the sandbox that ran it. Raises UserError."""
    begun = time.perf_counter()
    isolation = ""
    outcome: Outcome = "no_answer"
    reason = "no code"
    if code:
        box = sandbox()
        isolation = ",".join(box.guarantees())
        outcome, reason = judge(box, code)
    ms = (time.perf_counter() - begun) * 1000
    return Verdict(outcome, reason, code[:2000], verifier, version, isolation, ms)


def code_in(completion: str, first_line: re.Pattern[str]) -> str:
    """The code in a completion: the last fenced block, else from the first line that opens a program; "" when none.

    Code inside the thinking is none, nor is any after a thinking that is never closed.
    """
    completion = without_thinking(completion) or ""
    if blocks := _FENCE.findall(completion):
        code = str(blocks[-1])
    else:
        match = first_line.search(completion)
        code = completion[match.start() :] if match else ""
    return code if len(code) <= MAX_CODE else ""
