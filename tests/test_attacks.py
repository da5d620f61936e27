"""Promise: no attack is accepted and no right program refused, as this user and as nobody; none leaves a mark.

The suite is `tests/attacks/*.md`; here every fourth program is tried, as nobody every 16th, and those that end at a
limit meet shorter ones (`make proofs` runs all as both, with the full limits).
"""

import os
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.attacks import host, programs
from tests.attacks.problems import PROBLEMS, PROGRAMS, answers, problem
from verifiers._plain import same
from verifiers._sandbox import Sandbox

pytestmark = pytest.mark.timeout(600)  # half a minute's work, on a machine that may be busy
SUITE = programs()
EVERY = {"this user": 4, "nobody": 16}
USERS = list(EVERY)
_BROKEN = ("SyntaxError", "NameError", "IndentationError", "UnboundLocalError", "ImportError")
_MEANT = {"exits: SyntaxError", "exits: null byte in the source", "bombs: deep source"}


@pytest.fixture(scope="module")
def reports():
    """Both runs of the suite, side by side."""
    alone = os.geteuid() != 0 or not host.interpreter(as_nobody=True)
    with ThreadPoolExecutor(2) as pool:
        yield {user: pool.submit(host.run, user == "nobody", True, EVERY[user]) for user in USERS[: 1 if alone else 2]}


@pytest.fixture(scope="module")
def box():
    """One sandbox for the tests below, so that each also finds what the others left."""
    with Sandbox() as shared:
        yield shared


def report(reports: dict[str, Future[host.Report]], user: str) -> host.Report:
    if user not in reports:
        pytest.skip("only root can become nobody, and only where nobody may run a Python")
    return reports[user].result()


def test_the_suite_is_wide():
    attacks = Counter(p.kind for p in SUITE if not p.benign)
    assert sum(attacks.values()) >= 80 and len(attacks) >= 10 and min(attacks.values()) >= 10
    assert sum(p.benign for p in SUITE) >= 30
    assert len({p.label for p in SUITE}) == len(SUITE)
    assert {p.problem for p in SUITE} == PROBLEMS.keys() | PROGRAMS.keys()


@pytest.mark.parametrize("name", [*PROBLEMS, *PROGRAMS])
def test_a_right_program_is_in_the_suite_for_each_problem(name):
    assert any(p.benign and p.problem == name for p in SUITE)
    assert problem(name).gold


@pytest.mark.parametrize("user", USERS)
def test_no_attack_is_accepted_and_no_right_program_refused(reports, user):
    assert host.wrong(report(reports, user), EVERY[user]) == []


@pytest.mark.parametrize("user", USERS)
def test_nothing_is_left_on_the_host(reports, user):
    assert report(reports, user).side_effects == []


@pytest.mark.parametrize("user", USERS)
def test_all_ran_behind_every_wall(reports, user):
    assert {"namespaces", "seccomp", "no-network"} <= set(report(reports, user).isolation)


def test_an_attack_fails_because_it_is_refused_not_because_it_is_broken(reports):
    broken = {s.label: s.reason for s in report(reports, USERS[0]).seen if any(b in s.reason for b in _BROKEN)}
    assert broken.keys() <= _MEANT, broken


@pytest.mark.parametrize("label", [
    "introspection: answers in a file", "introspection: answers in a file opened by its directory",
    "introspection: answers in the environment", "introspection: answers in the environment that C sees",
    "introspection: environment of the judge", "network: TCP to the host", "network: TCP by asyncio",
    "network: unix socket by path", "network: abstract unix socket",
])  # fmt: skip
def test_outside_of_the_sandbox_the_bait_is_taken(label, tmp_path):
    """These attacks have teeth: without walls they would be judged correct."""
    (tmp_path / "answers.json").write_text(answers())
    callers: list[str] = []
    with host._listening(tmp_path / "answers.sock", callers) as port:
        targets = {"SCRATCH": str(tmp_path), "PORT": str(port), "JUDGE": str(os.getpid())}
        code = next(p for p in SUITE if p.label == label).aimed(targets).code + "\nprint(f(4))"
        done = subprocess.run([sys.executable, "-c", code], env={"ANSWERS": answers()}, capture_output=True, timeout=60)
    assert int(done.stdout) == PROBLEMS["double"].reference(4), done.stderr
    assert bool(callers) is label.startswith("network")


@pytest.mark.parametrize("name", ["pwned-file", "sitecustomize.py"])
def test_a_mark_is_seen(tmp_path, monkeypatch, name):
    monkeypatch.setattr(host, "_PLACES", (str(tmp_path),))
    before = host._marks()
    (tmp_path / name).write_text("")
    assert host._marks() - before == {f"{tmp_path}/{name}"}


@pytest.mark.parametrize("bait", ["answers.json", "answers.sock"])
def test_the_watch_sees_what_it_should(tmp_path, bait):
    (tmp_path / "answers.json").write_text("{}")
    (tmp_path / "answers.sock").write_text("")
    before = host._state(tmp_path)
    (tmp_path / bait).chmod(0o600)
    assert before ^ host._state(tmp_path)
    (tmp_path / bait).unlink()
    assert before - host._state(tmp_path)


@pytest.mark.parametrize("bomb", [
    "import threading, time\ndef f(x):\n try:\n  while 1: threading.Thread(target=time.sleep, args=(9,)).start()\n"
    " except RuntimeError: time.sleep(9)",
    "def f(x):\n kept = []\n try:\n  while 1: kept.append(b'x' * (1 << 20))\n except MemoryError:\n  while 1: pass",
    "import os\ndef f(x):\n try:\n  while 1: os.pipe()\n except OSError:\n  while 1: os.getppid()",
], ids=["threads", "memory", "descriptors"])  # fmt: skip
def test_a_neighbour_does_not_feel_a_bomb(bomb):
    with Sandbox(cpu_s=0.5, wall_s=1.0) as left, Sandbox(wall_s=20.0) as right:
        other = threading.Thread(target=left.run, args=(bomb, "f", [[0]]))
        other.start()
        threads = "import threading\ndef f(n):\n found = []\n all = [threading.Thread(target=found.append, args=(i,))"
        threads += " for i in range(n)]\n [t.start() for t in all]\n [t.join() for t in all]\n return sorted(found)"
        ran = [right.run(threads, "f", [[8]]) for _ in range(10)]
        other.join()
    assert [r.replies[0].value for r in ran] == [list(range(8))] * 10


_RANDOM_CALLS = """import ctypes, os, random
random.seed({seed})
libc, memory = ctypes.CDLL(None), ctypes.create_string_buffer(1 << 16)
def word():
    near = ctypes.addressof(memory) + random.randrange(60000)
    return random.choice([0, 1, 2, 3, 4, 9, -1, os.getpid(), 1 << 32, near, near, random.randrange(4096),
                          random.getrandbits(64) - (1 << 63)])
for _ in range({seed} * 10):
    libc.syscall(*(ctypes.c_long(n) for n in [random.randrange(470), *(word() for _ in range(6))]))
def f(x): return 0
"""


@pytest.mark.parametrize("seed", range(1, 13))
def test_random_system_calls_leave_nothing_behind(box, monkeypatch, seed):
    server, code = box._server, _RANDOM_CALLS.format(seed=seed)
    with monkeypatch.context() as limits:
        limits.setattr(box, "wall_s", 0.5)
        box.run(code, "f", [[0]], 0.5)
        box.pipe(code, b"x" * 100, 0.5)
    assert box.run("import os\ndef f(): return os.getcwd(), [*os.environ]", "f", [[]]).replies[0].value == ("/", [])
    assert box.pipe("import os\nprint(input(), os.listdir())", b"7\n").output == b"7 []\n"
    assert box._server is server


@pytest.mark.parametrize("code, expected", [
    ("def f(): return (1, [2, (3,)])", (1, [2, (3,)])),
    ("def f(): return {1: 'a', (2, 3): {4}}", {(2, 3): {4}, 1: "a"}),
    ("def f(): return {frozenset({1}), 'x', 2.5}", {2.5, "x", frozenset({1})}),
    ("def f(): return b'\\x00\\xff', 1j - 2, None, 10 ** 400", (b"\x00\xff", 1j - 2, None, 10**400)),
    ("def f(): return '\\ud800', float('nan'), -0.0, True", ("\ud800", float("nan"), 0.0, True)),
])  # fmt: skip
def test_a_value_of_every_plain_type_is_recognised(box, code, expected):
    assert same(box.run(code, "f", [[]]).replies[0].value, expected)
