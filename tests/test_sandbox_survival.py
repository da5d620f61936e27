"""Whatever a program leaves behind, the next verdict is as right and as fast as the first; no limit can be passed."""

import contextlib
import os
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from verifiers._sandbox import Sandbox
from verifiers._talk import Ran
from verifiers._watch import asleep

RIGHT = "import os\nassert os.listdir('.') == []\nprint(int(input()) + 1)"

NASTY = {
    "many files": "for i in range(10000): open(str(i), 'w').close()",
    "large files": "for i in range(99): open(str(i), 'wb').write(bytes(1 << 20))",
    "deep folders": "import os\nfor i in range(1000):\n os.mkdir('d')\n os.chdir('d')",
    "odd names": "import os\nfor n in (b'\\n', b'\\xff', b' ', b'-rf', b'*', b'a' * 255, b'\\xe2'): os.mkdir(n)\n"
    "os.mkdir('x')\nos.chdir('x')\nos.rmdir('../x')",
    "a file without a name": "import os\nf = os.open('a', os.O_RDWR | os.O_CREAT)\nos.unlink('a')\nos.write(f, b'x')",
    "no rights": "import os\nos.mkdir('a', 0)\nos.umask(0o777)\nos.mkdir('b')",
    "mapped file": "import mmap\nf = open('a', 'w+b')\nf.truncate(1 << 20)\nm = mmap.mmap(f.fileno(), 0)\nm[0] = 1",
    "threads": "import threading, time\nfor _ in range(40): threading.Thread(target=time.sleep, args=(99,)).start()",
    "daemon threads": "import threading\ndef spin():\n while 1: pass\n"
    "for _ in range(9): threading.Thread(target=spin, daemon=True).start()",
    "forks": "import os\nfor _ in range(999):\n try: os.fork()\n except OSError: pass",
    "sessions": "import os\ntry: os.setsid()\nexcept OSError: pass\ntry: os.setpgid(0, 0)\nexcept OSError: pass",
    "closes everything": "import os\nos.closerange(0, 999)",
    "copies descriptors": "import os\nfor i in range(3, 60): os.dup2(1, i)",
    "pipes": "import os\nkeep = [os.pipe() for _ in range(25)]\nos.write(keep[0][1], bytes(65536))",
    "no descriptors left": "keep = []\nwhile True: keep.append(open(0, closefd=True))",
    "much output": "while True: print('x' * 100000)",
    "output with holes": "import os\nos.lseek(1, 7 << 20, 0)\nos.write(1, b'x')",
    "output cut": "import os\nprint('x' * 9999, flush=True)\nos.ftruncate(1, 0)",
    "memory": "a = []\nwhile True: a.append(bytearray(1 << 25))",
    "memory as objects": "a = []\nwhile True: a.append([0] * 999)",
    "stops itself": "import os\nfor s in (19, 20, 21, 22): os.kill(os.getpid(), s)",
    "ignores signals": "import signal\nfor s in range(1, 65):\n try: signal.signal(s, signal.SIG_IGN)\n"
    " except (OSError, ValueError): pass\nwhile True: pass",
    "aborts": "import os\nos.abort()",
    "segmentation fault": "import ctypes\nctypes.string_at(0)",
    "lowers its limits": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))",
    "alarms": "import signal\nsignal.setitimer(signal.ITIMER_REAL, .001, .001)\nwhile True: pass",
    "deep recursion": "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()",
    "patches everything": "import builtins, json, os, sys, time, socket\nbuiltins.print = builtins.open = None\n"
    "json.loads = json.dumps = os.write = os.read = os.fork = time.time = None\nsys.modules.clear()",
}  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(cpu_s=0.3, wall_s=20.0) as box:
        yield box


def right(box: Sandbox) -> float:
    """The seconds of a right program."""
    ran = box.pipe(RIGHT, b"41\n")
    assert (ran.end, ran.output) == ("answered", b"42\n"), ran
    assert [r.value for r in box.run("def f(x): return x + 1", "f", [[1], [2]]).replies] == [2, 3]
    return ran.seconds


@pytest.mark.parametrize("name", NASTY)
def test_the_next_verdict_is_right(box: Sandbox, name: str) -> None:
    server = box._server
    assert box.pipe(NASTY[name], b"").end in ("answered", "died", "cpu", "idle")
    right(box)
    function = "def f():\n" + "".join(f" {line}\n" for line in NASTY[name].split("\n"))
    assert box.run(function, "f", [[]]).end in ("answered", "died", "cpu", "idle", "misbehaved")
    right(box)
    assert box._server is server  # not one that had to be started again


def test_the_next_verdict_is_as_fast(box: Sandbox) -> None:
    first = statistics.median(right(box) for _ in range(15))
    for name in ("many files", "large files", "deep folders", "pipes", "memory", "much output"):
        box.pipe(NASTY[name], b"")
    after = statistics.median(right(box) for _ in range(15))
    assert after < 3 * first + 0.02, f"{1000 * first:.1f} ms before, {1000 * after:.1f} ms after"


def test_nothing_grows(box: Sandbox) -> None:
    """Descriptors here and there, and processes, are as many after two hundred programs as before."""

    def counted() -> tuple[int, list[int], list[int]]:
        assert box._server
        inner = int(Path(f"/proc/{box._server.pid}/task/{box._server.pid}/children").read_text())
        inside = [int(pid) for pid in Path(f"/proc/{inner}/task/{inner}/children").read_text().split()]
        seen = [len(os.listdir(f"/proc/{pid}/fd")) for pid in (box._server.pid, inner)] if os.geteuid() == 0 else []
        return len(os.listdir("/proc/self/fd")), seen, inside

    right(box)
    before = counted()
    for i in range(100):
        box.pipe("import os\nos._exit(0)" if i % 2 else "open('a', 'w')", b"x")
        box.run("import os\ndef f(): os._exit(0)", "f", [[]])
    assert counted() == before


LIMITS = {  # name: (a whole program, what it prints where the limit holds)
    "memory": ("try: bytearray(600 << 20)\nexcept MemoryError: print('held')", "held"),
    "a file": ("try: open('a', 'wb').write(bytes(9 << 20))\nexcept OSError as e: print(e.errno)", "27"),
    "the directory": (
        "try:\n for i in range(99): open(str(i), 'wb').write(bytes(1 << 20))\nexcept OSError as e: print(e.errno)",
        "28",
    ),
    "files": ("import os\ntry:\n for i in range(9999): os.mkdir(str(i))\nexcept OSError as e: print(e.errno)", "28"),
    "descriptors": ("import os\ntry: a = [os.dup(0) for _ in range(99)]\nexcept OSError as e: print(e.errno)", "24"),
    "threads": (
        "import threading\nend = threading.Event()\nn = 0\ntry:\n for n in range(999):\n"
        "  threading.Thread(target=end.wait).start()\nexcept RuntimeError: print(40 < n < 70)\nend.set()",
        "True",
    ),
    "processes": ("import os\ntry: os.fork()\nexcept OSError as e: print(e.errno)", "1"),
    "output": ("import os\ntry:\n while True: os.write(1, b' ' * (1 << 20))\nexcept OSError: os.write(1, b'')", ""),
    "raising a limit": (
        "import resource as r\nfor w in (r.RLIMIT_AS, r.RLIMIT_NPROC, r.RLIMIT_FSIZE, r.RLIMIT_CPU, r.RLIMIT_NOFILE):\n"
        " try: r.setrlimit(w, (1 << 40, 1 << 40))\n except (ValueError, OSError): print('held')",
        "held\n" * 5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_holds(box: Sandbox, name: str) -> None:
    code, shown = LIMITS[name]
    ran = box.pipe(code, b"")
    assert ran.end == "answered" and ran.output.strip().decode() == shown.strip(), ran
    assert len(ran.output) <= 8 << 20


@pytest.mark.parametrize("threads", [1, 4])
def test_cpu_time_is_that_of_all_threads(box: Sandbox, threads: int) -> None:
    spin = "def f():\n import hashlib, threading\n" \
        " def spin():\n  while 1: hashlib.pbkdf2_hmac('sha256', b'', b'', 9999)\n" \
        f" for _ in range({threads}): threading.Thread(target=spin).start()\n while 1: pass"  # fmt: skip
    ran = box.run(spin, "f", [[]])
    assert ran.end == "cpu" and 0.3 <= ran.cpu < 1.5


def blow(box: Sandbox, times: int, how: signal.Signals) -> threading.Thread:
    """Signals from outside to the program that runs, a moment after it has started."""

    def strike() -> None:
        for _ in range(times):
            while not (pid := inside(box)):
                time.sleep(0.02)
            time.sleep(0.1)
            os.kill(pid[0], how)
            while pid == inside(box) and how == signal.SIGKILL:
                time.sleep(0.02)

    thread = threading.Thread(target=strike)
    thread.start()
    return thread


def inside(box: Sandbox) -> list[int]:
    """The processes of programs in the sandbox that have shut their jail, by the pids of out here."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        server = box._server.pid  # type: ignore[union-attr]
        inner = int(Path(f"/proc/{server}/task/{server}/children").read_text())
        children = Path(f"/proc/{inner}/task/{inner}/children").read_text().split()
        return [int(pid) for pid in children if "Seccomp:\t2" in Path(f"/proc/{pid}/status").read_text()]
    return []


@pytest.mark.parametrize("whole", [False, True])
def test_what_kills_a_program_from_outside_is_no_verdict_on_it(box: Sandbox, whole: bool) -> None:
    def run() -> Ran:
        if whole:
            return box.pipe("import time\ntime.sleep(.5)\nprint(1)", b"")
        return box.run("import time\ndef f():\n time.sleep(.5)\n return 1", "f", [[]])

    thread = blow(box, 1, signal.SIGKILL)
    once = run()
    thread.join()
    assert once.end == "answered" and (once.output == b"1\n" if whole else once.replies[0].value == 1)


def test_what_stops_a_program_from_outside_is_no_verdict_on_it(monkeypatch: pytest.MonkeyPatch, box: Sandbox) -> None:
    monkeypatch.setattr(box, "wall_s", 2.0)
    thread = blow(box, 1, signal.SIGSTOP)
    assert box.run("import time\ndef f(): time.sleep(.5)", "f", [[]]).end == "wall"
    thread.join()


def test_sleep_is_told_from_work(box: Sandbox) -> None:
    assert not asleep(1 << 30)  # no such process
    assert box.run("import time\ndef f(): time.sleep(99)", "f", [[]]).end == "idle"
    assert box.run("import time\ndef f(): time.sleep(.5)", "f", [[], []]).end == "answered"
    with Sandbox(cpu_s=5.0, wall_s=0.4) as short:
        assert short.run("def f():\n while 1: pass", "f", [[]]).end == "wall"
        assert short.pipe("while 1: pass", b"").end == "wall"
