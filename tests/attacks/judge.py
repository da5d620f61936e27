"""Judges the suite in a process of its own, through the real verifier, and says what it saw, a JSON line a program.

    python -c "...; main()" '{"SCRATCH": ..., ...}' 1 [--quick]

The number: every how many-th program is judged.

After each program the control is judged: a right program that looks for what others left. With `--quick` a program that
is there to reach a limit soon does, and the others have time. The last line counts what is left, and says how much
memory judging took at most, in MiB.
"""

import contextlib
import ctypes
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from data import registry
from tests.attacks import Program, programs
from tests.attacks.problems import problem
from verifiers import unit_tests

PR_SET_CHILD_SUBREAPER = 36
QUICK_WALL_S, QUICK_CPU_S = 0.25, 0.1  # of programs that are there to reach a limit
PATIENT_WALL_S = 8.0  # of the others, however busy the machine is
_CONTROL = """import builtins, json, math, os, random, sys, threading
left = [m for m in (builtins, math, os, sys) if hasattr(m, "pwned")] or "pwned" in sys.modules
assert not left and threading.active_count() == 1 and json.loads("[6, 29]") == [2 * 3, 4 + 25] and os.getcwd() == "/"
assert os.fstat(0).st_rdev == os.fstat(2).st_rdev and 0 <= random.random() < 1 and 10 ** 3 + 7 == 1007
def f(x): return 2 * (x + 3)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one program, and of the control after it."""

    label: str
    outcome: str
    reason: str
    seconds: float
    next_outcome: str


def _verdict(name: str, code: str) -> tuple[str, str]:
    asked = problem(name)
    completion = code if "```" in code else f"```python\n{code}```"
    verdict = registry.load("verifiers", asked.verifier).verify(asked, completion)
    return verdict.outcome, verdict.reason


def see(program: Program, quick: bool) -> Seen:
    """Judge one program and the control."""
    box = unit_tests.sandbox()
    wall_s, cpu_s = box.wall_s, box.cpu_s
    if quick:
        box.wall_s, box.cpu_s = (QUICK_WALL_S, QUICK_CPU_S) if program.limit else (PATIENT_WALL_S, cpu_s)
    begun = time.monotonic()
    outcome, reason = _verdict(program.problem, program.code)
    seconds = time.monotonic() - begun
    box.wall_s, box.cpu_s = PATIENT_WALL_S, cpu_s
    after = _verdict("double", _CONTROL)[0]
    box.wall_s = wall_s
    return Seen(program.label, outcome, reason, seconds, after)


def _descendants() -> list[int]:
    """Processes below this one, the orphans that it inherited included."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    below = {os.getpid()}
    for _ in parents:
        more = {pid for pid, parent in parents.items() if parent in below} | below
        if more == below:
            break
        below = more
    return sorted(below - {os.getpid()})


def _descriptors() -> int:
    """Open descriptors of this process and, where we may look, of those below it."""
    count = 0
    for pid in (os.getpid(), *_descendants()):
        with contextlib.suppress(OSError):
            count += len(os.listdir(f"/proc/{pid}/fd"))
    return count


def main() -> None:
    """Judge every n-th program, aimed at the targets in the first argument; n is the second."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    targets = json.loads(sys.argv[1]) | {"JUDGE": str(os.getpid())}
    unit_tests.prepare()
    before, opened = len(_descendants()), _descriptors()
    for program in programs()[:: int(sys.argv[2])]:
        print(json.dumps(asdict(see(program.aimed(targets), "--quick" in sys.argv))), flush=True)
    status = Path("/proc/self/status").read_text()  # not ru_maxrss, which counts what the parent was before the exec
    memory = int(status.partition("VmHWM:")[2].split()[0]) >> 10
    left = {"processes": len(_descendants()) - before, "descriptors": _descriptors() - opened}
    print(json.dumps({"left": left, "memory": memory, "isolation": unit_tests.sandbox().guarantees()}), flush=True)
