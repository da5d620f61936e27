"""The sandbox on this machine: any interpreter, root or not, private homes, refusals, lost servers, the time."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data import gold
from data.domains import programs
from data.errors import UserError
from data.records import Problem
from tasks import doctor
from verifiers import _canaries, _programs, _sandbox, console, unit_tests
from verifiers._pool import Pool
from verifiers._sandbox import Sandbox
from verifiers._talk import Ran

ROOT = Path(__file__).parents[1]
NOBODY = 65534
IS_ROOT = os.geteuid() == 0
JUDGE = """import sys
sys.path.insert(0, sys.argv[1])
from verifiers import console, unit_tests
for verifier in (unit_tests, console):
    for problem, completion, outcome in verifier.EXAMPLES:
        verdict = verifier.verify(problem, completion)
        assert verdict.outcome == outcome, (completion, verdict)
print(sys.version_info[:2], *unit_tests.sandbox().guarantees())
"""


def interpreters() -> dict[str, str]:
    """Every Python from 3.11 on that can be found here, by version and place."""
    names = [f"python3.{minor}" for minor in range(11, 16)]
    found = [sys.executable, *filter(None, map(shutil.which, ["/usr/bin/python3", *names]))]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found += map(str, sorted(versions.glob("3.1[1-9]*/bin/python3")))
    shown = "import sys; print(sys.version_info >= (3, 11), sys.base_prefix, sys.version.split()[0])"
    answers: dict[str, str] = {}
    for path in found:
        answer = subprocess.run([path, "-c", shown], capture_output=True, text=True).stdout
        if answer.startswith("True"):
            answers.setdefault(" ".join(answer.split()[1:]), path)
    return answers


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """The two packages that judge, where another user can read them."""
    folder = Path(f"/tmp/sandbox-{os.getpid()}")
    for package in ("verifiers", "data", "data/domains"):
        (folder / package).mkdir(parents=True)
        for file in (ROOT / package).glob("*.py"):
            shutil.copy(file, folder / package)
    yield folder
    shutil.rmtree(folder)


def judged_by(python: str, folder: Path, **user: Any) -> str:
    """The guarantees under which `python` judges the examples."""
    done = subprocess.run(
        [python, "-I", "-c", JUDGE, str(folder)], capture_output=True, text=True, cwd="/", env={}, timeout=60, **user
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(") ")[1].strip()


def ordinary(python: str) -> dict[str, Any]:
    """The arguments to run `python` as nobody, for root."""
    probe = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        subprocess.run([python, "-c", ""], check=True, cwd="/", **probe)  # type: ignore[call-overload]
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"an ordinary user may not run {python}")
    return probe


@pytest.mark.parametrize("python", (known := interpreters()).values(), ids=known.keys())
def test_any_interpreter_judges_with_the_same_guarantees(python: str, copy: Path) -> None:
    assert judged_by(python, copy).split() == list(unit_tests.sandbox().guarantees())


@pytest.mark.skipif(not IS_ROOT, reason="already an ordinary user")
@pytest.mark.parametrize("python", known.values(), ids=known.keys())
def test_an_ordinary_user_has_the_same_guarantees(python: str, copy: Path) -> None:
    assert judged_by(python, copy, **ordinary(python)).split() == list(unit_tests.sandbox().guarantees())


@pytest.mark.parametrize("owner", [os.geteuid(), NOBODY] if IS_ROOT else [os.geteuid()])
def test_an_environment_in_a_private_home(owner: int, copy: Path) -> None:
    """An interpreter and a project that nobody but their owner may read."""
    base = os.path.realpath("/usr/bin/python3" if owner == NOBODY else sys.executable)
    user = ordinary(base) if owner == NOBODY else {}
    if base not in map(os.path.realpath, known.values()):
        pytest.skip(f"{base} is too old")
    subprocess.run([base, "-m", "venv", "--without-pip", "--copies", str(copy / "env")], check=True)
    if owner != os.geteuid():
        subprocess.run(["chown", "-R", f"{owner}:{owner}", str(copy)], check=True)
    copy.chmod(0o700)
    assert judged_by(str(copy / "env/bin/python"), copy, **user).split() == list(unit_tests.sandbox().guarantees())


NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
OPEN = """import sys
sys.path.insert(0, sys.argv[1])
from verifiers._sandbox import Sandbox
with Sandbox() as box: print(*box.guarantees(), box.pipe("print(input())", b"x").output)"""


def test_a_system_without_namespaces_refuses_or_is_named(copy: Path) -> None:
    command = ["unshare", "-Ur", "sh", "-c", NO_NAMESPACES, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("there is no way here to forbid namespaces to a child")
    done = subprocess.run([*command, sys.executable, "-c", OPEN, str(copy)], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "the sandbox lacks namespaces" in last and "FLYWHEEL_SANDBOX=reduced" in last
    env = os.environ | {"FLYWHEEL_SANDBOX": "reduced"}
    done = subprocess.run([*command, sys.executable, "-c", OPEN, str(copy)], capture_output=True, text=True, env=env)
    level, *rest = done.stdout.split()
    assert level == "reduced" and "namespaces" not in rest and "own-directory" not in rest and rest[-1] == "b'x\\n'"


def test_the_level_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="FLYWHEEL_SANDBOX=reduced"):
        Sandbox(namespaces=False).__enter__()
    monkeypatch.setenv("FLYWHEEL_SANDBOX", "reduced")
    with Sandbox(namespaces=False) as box:
        assert box.guarantees()[0] == "reduced" and "namespaces" not in box.guarantees()
        assert box.run("def f(x): return x", "f", [[1]]).replies[0].value == 1
        assert box.pipe("open('a', 'w')", b"").end == "died"  # there is no directory of its own
    with Sandbox() as box:  # the setting allows less, it does not ask for less
        assert "namespaces" in box.guarantees()


def test_installed_packages_are_out_of_sight() -> None:
    look = (
        "import os\nresult = [names for path, _, names in os.walk(os.path.dirname(os.__file__)) if '-packages' in path]"
    )
    with Sandbox() as box:
        called, output = ran(look, box)
        assert not any(called.replies[0].value)
        assert output == f"{called.replies[0].value!r}\n".encode()


def test_a_lost_server_is_replaced_and_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    proofs = []
    monkeypatch.setattr(_sandbox, "prove", lambda *a: proofs.append(1) or _canaries.prove(*a))
    with Sandbox() as box:
        for _ in range(3):
            assert box._server
            box._server.kill()
            assert box.run("def f(x): return x", "f", [[1]]).replies[0].value == 1
            assert box.pipe("print(1)", b"").output == b"1\n"
    assert len(proofs) == 4


def test_a_proof_that_fails_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_canaries._REFUSED, "no-thought", "def f(): return 1")
    with pytest.raises(UserError, match="does not hold 'no-thought'"), Sandbox():
        pass


def test_a_sandbox_that_cannot_start_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not a thousand `unverified`; and when it can start again, it judges again."""
    (tmp_path / "sh").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "sh").chmod(0o755)
    box = _programs.sandbox()
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", str(tmp_path / "sh"))
        box.close()
        for verifier in (unit_tests, console):
            problem, completion, _ = verifier.EXAMPLES[0]
            with pytest.raises(UserError, match="did not start"):
                verifier.verify(problem, completion)
            with pytest.raises(UserError, match="did not start"):
                verifier.prepare()
    assert unit_tests.verify(*unit_tests.EXAMPLES[0][:2]).outcome == "correct"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_judge_leaves_nothing_half_said(error: type[BaseException]) -> None:
    def refuse(number: int, value: object) -> bool:
        raise error

    with Sandbox() as box:
        with pytest.raises(error):
            box.run("def f(x): return x", "f", [[1], [2]], accept=refuse)
        assert not box.running()
        assert [r.value for r in box.run("def f(x): return x", "f", [[3]]).replies] == [3]


def test_doctor_shows_what_was_proven() -> None:
    found = {f.name: f for f in doctor.verifiers() if f.name in ("unit_tests", "console")}
    assert {f.state for f in found.values()} == {"ok"}
    assert all(",".join(unit_tests.sandbox().guarantees()) in f.text for f in found.values())


def ran(code: str, box: Sandbox) -> tuple[Ran, bytes]:
    body = "def f():\n" + "".join(f" {line}\n" for line in code.split("\n"))
    return box.run(f"{body} return result", "f", [[]]), box.pipe(f"{code}\nprint(repr(result))", b"").output


def test_the_same_program_gives_the_same_verdict() -> None:
    code = (
        "import random\nresult = [list({'a', 'b', 'c', 'd'}), hash('x'), random.random(), random.sample(range(99), 5)]"
    )
    seen = []
    for _ in range(2):
        with Sandbox() as box:
            for _ in range(2):
                called, output = ran(code, box)
                seen.append((repr(called.replies[0].value), output.decode().strip()))
    assert len({text for pair in seen for text in pair}) == 1


def test_the_clock_is_real_unless_one_is_asked_for() -> None:
    with Sandbox() as box:
        value = ran("import time\nresult = time.time()", box)[0].replies[0].value
        assert abs(value - time.time()) < 60


def test_a_fixed_clock() -> None:
    code = (
        "import datetime as d, time\nfrom datetime import datetime\nbegun = time.monotonic()\ntime.sleep(3600)\n"
        "result = [time.time(), time.time_ns(), time.perf_counter(), time.monotonic() - begun, time.gmtime().tm_year, "
        "str(datetime.now(d.UTC)), str(d.date.today()), str(datetime(2000, 1, 1)), isinstance(datetime.now(), d.date)]"
    )
    with Sandbox(clock=1e9) as box:
        first, again = ran(code, box), ran(code, box)
        value = first[0].replies[0].value
        assert value == again[0].replies[0].value and first[1] == again[1] == f"{value!r}\n".encode()
        assert value[0] == pytest.approx(1e9 + 3600, abs=1) and value[3] == pytest.approx(3600, abs=1)
        assert value[4] == 2001 and value[5].startswith("2001-09-09 02:46:40")
        assert value[6:] == ["2001-09-09", "2000-01-01 00:00:00", True]
        spin = "import time\nend = time.time() + 9\nwhile time.time() < end: pass\nresult = 1"
        assert ran(spin, box)[0].replies[0].value == 1
        assert box.run("def f():\n while 1: pass", "f", [[]], cpu_s=0.2).end == "cpu"  # limits go by real time


def test_through_the_pool() -> None:
    domain = [(p, programs.solve(p)) for p, _ in zip(programs.problems("train", 3, 4), range(30), strict=False)]
    shell = Problem("s", "d", 1, "?", gold.dump(gold.Console([gold.Exchange("2", "4")])), "console", "test", "train")
    items = [*domain, *[(shell, f"```python\nprint(int(input()) * {n})\n```") for n in (2, 3)] * 10]
    with Pool(2) as pool:
        outcomes = [j.verdict.outcome for j in pool.judge((str(i), p, text) for i, (p, text) in enumerate(items))]
    assert outcomes == ["correct"] * len(domain) + ["correct", "incorrect"] * 10
