"""Promise: no program passes but by computing the answers, none harms the host, and none spoils the next verdict."""

import subprocess
import time

import pytest

from data.domains import programs
from data.records import Verdict
from verifiers import _talk, unit_tests

PROBLEM = programs.parse("f(x): add 3, double\nf(2)=10\nf(5)=16")
RIGHT = "def f(x):\n return 2 * (x + 3)"

ATTACKS = {
    "sys.exit": "import sys\nsys.exit(0)",
    "sys.exit in f": "import sys\ndef f(x):\n sys.exit(0)",
    "os._exit": "import os\ndef f(x):\n os._exit(0)",
    "always equal": "class E:\n def __eq__(s, o): return True\ndef f(x): return E()",
    "int subclass": "class I(int):\n def __eq__(s, o): return True\n __hash__ = None\ndef f(x): return I(2 * (x + 3))",
    "str class lies": "class L:\n @property\n def __class__(s): return int\n def __index__(s): return 1\n"
    "def f(x): return L()",
    "bool": "def f(x): return True",
    "float": "def f(x): return 2.0 * (x + 3)",
    "patched json": "import json\njson.dumps = lambda *a, **k: 'true'\ndef f(x): return 0",
    "patched builtins": "import builtins\nbuiltins.type = lambda *a: int\nbuiltins.hex = builtins.len = lambda x: 1\n"
    "def f(x): return 'a'",
    "frames": "import sys\ndef f(x):\n r = []\n g = sys._getframe()\n while g:\n"
    "  r += [v for v in g.f_locals.values()]\n"
    "  g = g.f_back\n return next(v.expected for v in r if hasattr(v, 'expected'))",
    "gc": "import gc\ndef f(x):\n for o in gc.get_objects():\n"
    "  if type(o) is dict and 'expected' in o: return o['expected']",
    "all descriptors": "import os\ndef f(x):\n for d in range(3, 300):\n  try: os.write(d, b'\\x04\\0\\0\\0true' * 9)\n"
    "  except OSError: pass\n return 0",
    "early answers": "import os, json\nfor d in range(3, 64):\n"
    " try: r = json.dumps(['0' * 16, 'value', '16']).encode()\n"
    " except Exception: raise\n try: os.write(d, len(r).to_bytes(4, 'little') + r)\n except OSError: pass\n"
    "def f(x): return 0",
    "nonce stolen, two answers": "import sys, os, json\ndef f(x):\n g = sys._getframe(1)\n n = g.f_locals['nonce']\n"
    " d = g.f_locals['descriptor']\n r = json.dumps([n, 'value', '16']).encode()\n"
    " os.write(d, (len(r).to_bytes(4, 'little') + r) * 2)\n return 16",
    "huge frame": "import sys, os\ndef f(x):\n"
    " os.write(sys._getframe(1).f_locals['descriptor'], b'\\xff' * 8)\n return 0",
    "deep json": "import sys, os\ndef f(x):\n b = b'[' * 500000\n d = sys._getframe(1).f_locals['descriptor']\n"
    " b = len(b).to_bytes(4, 'little') + b\n while b: b = b[os.write(d, b):]\n return 0",
    "fork": "import os\ndef f(x):\n while 1: os.fork()",
    "fork by system call": "import ctypes\n"
    "def f(x): return [ctypes.CDLL(None).syscall(n) for n in (57, 58, 435)] and 0",
    "threads": "import threading, time\ndef f(x):\n while 1: threading.Thread(target=time.sleep, args=(99,)).start()",
    "subprocess": "import subprocess\ndef f(x): return subprocess.run(['/bin/echo', '16']).returncode",
    "memory": "def f(x):\n a = []\n while 1: a.append(bytearray(1 << 26))",
    "huge list": "def f(x): return list(range(10 ** 6))",
    "huge int": "def f(x): return 1 << 10 ** 7",
    "huge output": "def f(x):\n print('a' * 10 ** 7)\n return 'a' * 10 ** 7",
    "recursion": "def f(x): return f(x)",
    "C recursion": "import sys\nsys.setrecursionlimit(10 ** 9)\nclass A:\n"
    " def __getattr__(s, n): return getattr(s, n)\n"
    "def f(x): return A().a",
    "deep value": "def f(x):\n a = []\n for _ in range(10 ** 5): a = [a]\n return a",
    "deep source": "def f(x): return " + "(" * 5000 + ")" * 5000,
    "cyclic": "def f(x):\n a = []\n a.append(a)\n return a",
    "colliding": "def f(x): return {i * (2 ** 61 - 1) for i in range(5000)}",
    "kill parent": "import os, signal\ndef f(x):\n os.kill(os.getppid(), signal.SIGKILL)\n return 0",
    "kill group": "import os\ndef f(x):\n os.kill(0, 9)",
    "kill all": "import os\ndef f(x):\n os.kill(-1, 9)",
    "kill self": "import os\ndef f(x):\n os.kill(os.getpid(), 9)",
    "close all": "import os\ndef f(x):\n os.closerange(0, 300)\n return 16",
    "segfault": "import ctypes\ndef f(x): return ctypes.string_at(0)",
    "raise name": "class E(BaseException): pass\nE.__name__ = '\\ud800\\x1b[2J' * 99\ndef f(x): raise E",
    "metaclass": "class M(type):\n __name__ = property(lambda s: 1 / 0)\n"
    "class E(Exception, metaclass=M): pass\ndef f(x): raise E",
    "no return": "def f(x): pass",
    "network": "import socket\ndef f(x): return socket.create_connection(('127.0.0.1', 22)) and 16",
    "read gold": "def f(x): return open('/etc/passwd').read()",
    "delete": "import shutil\ndef f(x):\n shutil.rmtree('/', ignore_errors=True)\n return 0",
    "atexit": "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): raise SystemExit(0)",
}
SLOW = {
    "loop": ("def f(x):\n while 1: pass", "incorrect"),
    "caught limit": (
        "import signal\nsignal.signal(signal.SIGXCPU, lambda *a: None)\ndef f(x):\n while 1: pass",
        "incorrect",
    ),
    "sleep": ("import time\ndef f(x): time.sleep(99)", "incorrect"),
    "stop": ("import os, signal\ndef f(x): os.kill(os.getpid(), signal.SIGSTOP)", "incorrect"),
    "drops": (
        "import sys, os, time\ndef f(x):\n d = sys._getframe(1).f_locals['descriptor']\n"
        " os.write(d, b'\\0\\0\\x0f\\0')\n"
        " while 1:\n  os.write(d, b' ')\n  time.sleep(.0005)",
        "incorrect",
    ),
    "steals the call": (
        "import sys, os\ndef f(x): return os.read(sys._getframe(1).f_locals['descriptor'], 9)",
        "incorrect",
    ),
}
BENIGN = {
    "plain": RIGHT,
    "prints": "def f(x):\n print('héllo' * 1000)\n return 2 * (x + 3)",
    "recursive": "def f(x):\n return 6 if x == 0 else f(x - 1) + 2 if x > 0 else f(x + 1) - 2",
    "imports": "import math, re, itertools, numbers, typing, csv, uuid\nfrom collections import Counter\n"
    "def f(x): return 2 * (x + 3)",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass P:\n v: int\ndef f(x): return P(2 * (x + 3)).v",
    "thread": "import threading\ndef f(x):\n r = []\n"
    " t = threading.Thread(target=lambda: r.append(2 * (x + 3)))\n t.start()\n"
    " t.join()\n return r[0]",
    "asyncio": "import asyncio\nasync def g(x): return 2 * (x + 3)\ndef f(x): return asyncio.run(g(x))",
    "state": "seen = {}\ndef f(x): return seen.setdefault(x, 2 * (x + 3))",
    "deep recursion": "import sys\nsys.setrecursionlimit(10 ** 5)\ndef g(n): return n and 1 + g(n - 1)\n"
    "def f(x): return g(20000) - 20000 + 2 * (x + 3)",
    "fenced": "Sure.\n```python\ndef f(x): return 0\n```\nBetter:\n```python\n" + RIGHT + "\n```\nDone.",
}


@pytest.fixture(autouse=True, scope="module")
def short_limits():
    box = unit_tests.sandbox()
    box.cpu_s, box.wall_s = 1, 20.0


def judge(code: str) -> Verdict:
    return unit_tests.verify(PROBLEM, code if "```" in code else f"```python\n{code}\n```")


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_incorrect_and_the_next_verdict_right(name):
    verdict = judge(ATTACKS[name])
    assert verdict.outcome == "incorrect", verdict
    assert verdict.reason.isprintable()
    assert judge(RIGHT).outcome == "correct"


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_program_ends_at_its_limit(name, monkeypatch):
    code, outcome = SLOW[name]
    monkeypatch.setattr(_talk, "IDLE_S", 0.5)
    begun = time.monotonic()
    assert judge(code).outcome == outcome
    assert time.monotonic() - begun < 15
    monkeypatch.undo()
    assert judge(RIGHT).outcome == "correct"


@pytest.mark.parametrize("name", BENIGN)
def test_an_honest_program_is_correct(name):
    verdict = judge(BENIGN[name])
    assert verdict.outcome == "correct", verdict
    assert "namespaces,seccomp" in verdict.isolation and "no-network" in verdict.isolation


def test_examples():
    for problem, completion, outcome in unit_tests.EXAMPLES:
        assert unit_tests.verify(problem, completion).outcome == outcome, completion


def test_no_process_and_no_file_is_left(tmp_path):
    box = unit_tests.sandbox()
    code = f"import os\ndef f(x):\n try: open({str(tmp_path / 'a')!r}, 'w')\n except OSError: pass\n os._exit(0)"
    assert judge(code).outcome == "incorrect"
    assert list(tmp_path.iterdir()) == []
    inside = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(box._server.pid)], capture_output=True, text=True
    ).stdout.split()
    assert len(inside) == 1  # the fork server
    assert (
        subprocess.run(["ps", "-o", "pid=", "--ppid", inside[0]], capture_output=True, text=True).stdout.split() == []
    )


def test_no_state_passes_from_one_program_to_the_next():
    judge("import builtins, math\nbuiltins.leak = 1\nmath.leak = 1\ndef f(x): return 0")
    verdict = judge(
        "import builtins, math\nassert not hasattr(builtins, 'leak') and not hasattr(math, 'leak')\n" + RIGHT
    )
    assert verdict.outcome == "correct"
