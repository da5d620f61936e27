"""math-verify as a second opinion, in a child process that the parent kills; it is never a judge.

As a program: reads one JSON row `{gold, pred}` per line and answers `{same, ms}`. Its own time limit is a SIGALRM, so
it runs in the child's main thread, and the parent enforces LIMIT_S on top.
"""

import importlib.util
import json
import select
import subprocess
import sys
import time
from typing import IO

LIMIT_S = 10.0  # per row
START_S = 60.0


def available() -> bool:
    """Whether the library is installed."""
    return importlib.util.find_spec("math_verify") is not None


class MathVerify:
    """One child, replaced when a row outlives its limit."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def same(self, gold: str, pred: str) -> tuple[bool | None, float]:
        """Its verdict and the milliseconds; None when it raised, died or took longer than LIMIT_S."""
        child = self._child or self._start()
        began = time.perf_counter()
        assert child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(json.dumps({"gold": gold, "pred": pred}).encode() + b"\n")
            child.stdin.flush()
            answer = json.loads(_line(child.stdout, LIMIT_S))
            return answer["same"], answer["ms"]
        except (OSError, EOFError, TimeoutError):
            self.close()
            return None, 1000 * (time.perf_counter() - began)

    def _start(self) -> "subprocess.Popen[bytes]":
        self._child = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._child.stdout is not None
        _line(self._child.stdout, START_S)
        return self._child

    def close(self) -> None:
        """Kill the child."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


def _line(stream: IO[bytes], limit_s: float) -> bytes:
    """The next line. Raises TimeoutError, EOFError."""
    if not select.select([stream], [], [], limit_s)[0]:
        raise TimeoutError
    if not (line := stream.readline()):
        raise EOFError
    return line


def serve() -> None:
    """Answer rows until the input ends."""
    import logging

    from math_verify import parse, verify

    logging.disable(logging.CRITICAL)
    parse("$1$")
    print("ready", flush=True)
    for line in sys.stdin:
        row = json.loads(line)
        began = time.perf_counter()
        try:
            same: bool | None = verify(parse(row["gold"]), parse(row["pred"]))
        except Exception:  # whatever it raises is a fault of its own, not a verdict
            same = None
        print(json.dumps({"same": same, "ms": 1000 * (time.perf_counter() - began)}), flush=True)


if __name__ == "__main__":
    serve()
