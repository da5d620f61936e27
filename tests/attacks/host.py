"""Runs the suite in a copy of the project, as this user or as nobody, and tells what the attacks did to the host.

The bait: the answers lie in a readable file, in the judge's environment, and are told by listeners on TCP, UDP, a path
and an abstract name, so that an attack that reaches one of them is accepted. The watch: the copy and the bait are the
same afterwards, nobody called at a listener, no mark (`pwned`) lies in the places that all may write to, no System V
object, no listening socket and no process is left, and the judge has not grown.
"""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.attacks import FOLDER, programs
from tests.attacks.judge import Seen
from tests.attacks.problems import answers

ROOT = FOLDER.parents[1]
NOBODY = 65534
HANG_S = 10.0  # no verdict takes longer, however busy the machine is
MEMORY = 400  # MiB that judging may take, whatever programs send
MARK, KEY = "pwned", 0x50774E  # in the names of what attacks leave; the key of System V objects
_PLACES = ("/", "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/root", "/etc")
_START = "import sys; sys.path.insert(0, {!r}); from tests.attacks.judge import main; main()"
_LISTS = ("tcp", "tcp6", "udp", "udp6", "unix", "packet", "netlink")


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the programs, and what they did to the host (empty: nothing)."""

    seen: list[Seen]
    side_effects: list[str]
    isolation: list[str]
    seconds: float


def interpreter(as_nobody: bool) -> str:
    """A Python for the judge: this one, or one that nobody may run; "" when there is none."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        command = [python, "-I", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            user = NOBODY if as_nobody else None
            if subprocess.run(command, user=user, cwd="/", capture_output=True, timeout=30).returncode == 0:
                return python
    return ""


def run(as_nobody: bool = False, quick: bool = False, every: int = 1) -> Report:
    """Judge the suite, or every n-th program of it. Raises RuntimeError when the judge did not come to its end."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="attacks-") as name, contextlib.ExitStack() as stack:
        folder = Path(name).resolve()
        project, scratch = folder / "project", folder / "scratch"
        _copy(project)
        scratch.mkdir()
        (scratch / "answers.json").write_text(answers())
        callers: list[str] = []
        port = stack.enter_context(_listening(scratch / "answers.sock", callers))
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o777 if path.is_dir() else 0o666)  # only the sandbox stands between an attack and these
        python = interpreter(as_nobody)
        if not python:
            raise RuntimeError("no Python 3.11 or later that another user may run")
        compiled = [python, "-I", "-m", "compileall", "-q", str(project)]
        subprocess.run(compiled, check=True, capture_output=True, timeout=60)  # or the sandbox's server would
        before, marks = _state(folder), _marks()
        targets = {"SCRATCH": str(scratch), "PROJECT": str(project), "PORT": str(port), "SITE": _site()}
        lines = _judge(python, project, targets, as_nobody, [str(every), *["--quick"] * quick])
        last = json.loads(lines[-1])
        effects = [f"called at a listener: {caller}" for caller in callers]
        effects += [f"changed: {path}" for path in sorted(before ^ _state(folder))]
        effects += [f"left: {mark}" for mark in sorted(_marks() - marks)]
        effects += [f"the judge took {last['memory']} MiB"] if last["memory"] > MEMORY else []
        effects += [
            f"left in the judge's process: {number} {what}" for what, number in last["left"].items() if number > 0
        ]
    seen = [Seen(**json.loads(line)) for line in lines[:-1]]
    return Report(seen, effects, last["isolation"], time.monotonic() - begun)


def wrong(report: Report, every: int = 1) -> list[str]:
    """What must not be: accepted attacks, refused right programs, wrong verdicts after them, programs never judged."""
    suite = {p.label: p for p in programs()}
    meant = {p.label for p in programs()[::every]}
    found = [f"never judged: {label}" for label in meant - {s.label for s in report.seen}]
    for s in report.seen:
        program = suite[s.label]
        if (s.outcome == "correct") is not program.benign:
            found.append(f"{s.label}: {s.outcome} ({s.reason})")
        elif s.outcome == "unverified" and not program.limit and program.kind != "bombs":
            found.append(f"{s.label}: not told from a fault ({s.reason})")
        if s.seconds > HANG_S:
            found.append(f"{s.label}: a verdict after {s.seconds:.0f} s")
        if not s.reason.isprintable():
            found.append(f"{s.label}: its reason would disturb a log: {s.reason!r}")
        if s.next_outcome != "correct":
            found.append(f"{s.label}: the next verdict is {s.next_outcome}")
    return found


def _judge(python: str, project: Path, targets: dict[str, str], as_nobody: bool, options: list[str]) -> list[str]:
    """The lines of the judge's process."""
    command = [python, "-I", "-B", "-c", _START.format(str(project)), json.dumps(targets), *options]
    env = {"PATH": "/usr/bin:/bin", "ANSWERS": answers()}
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_nobody else {}
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=900, **user)  # type: ignore[call-overload]
    lines: list[str] = done.stdout.splitlines()
    if done.returncode or not lines or "isolation" not in lines[-1]:
        raise RuntimeError(f"the judge ended after {len(lines)} programs, code {done.returncode}: {done.stderr[-500:]}")
    return lines


def _copy(project: Path) -> None:
    """What the judge needs, from the standard library upwards."""
    for source in ("data", "verifiers", "tests/attacks"):
        shutil.copytree(
            ROOT / source, project / source, ignore=shutil.ignore_patterns("__pycache__", "seed_policy", "*.tmp*")
        )
    (project / "tests/__init__.py").write_text('"""Only the suite."""\n')


def _site() -> str:
    return next((p for p in sys.path if p.endswith("site-packages")), "")


@contextlib.contextmanager
def _listening(path: Path, callers: list[str]) -> Iterator[int]:
    """Listeners that tell the answers to whoever calls, and note that somebody did. Yields their port."""
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, contextlib.ExitStack() as s:
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))
        local, abstract = (s.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        local.bind(str(path))
        abstract.bind(f"\0flywheel-answers-{port}")
        ended = threading.Event()

        def serve(name: str, listener: socket.socket) -> None:
            listener.settimeout(0.2)
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    if listener is udp:
                        listener.recv(1)
                    else:
                        with listener.accept()[0] as caller:
                            caller.sendall(answers().encode())
                    callers.append(name)

        for name, listener in {"tcp": tcp, "udp": udp, "path": local, "abstract": abstract}.items():
            if listener is not udp:
                listener.listen()
            threading.Thread(target=serve, args=(name, listener), daemon=True).start()
        try:
            yield port
        finally:
            ended.set()
            time.sleep(0.3)


def _state(folder: Path) -> set[str]:
    """Names, modes, owners and contents of all that is in a folder."""
    found = set()
    for path in [folder, *folder.rglob("*")]:
        about = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""
        found.add(f"{path} {about.st_mode:o} {about.st_uid}:{about.st_gid} {content}")
    return found


def _marks() -> set[str]:
    """Traces with our mark in places that every process of this machine shares."""
    found = set()
    for place in (*_PLACES, os.path.expanduser("~"), str(ROOT), str(ROOT / "verifiers"), _site()):
        with contextlib.suppress(OSError):
            found |= {f"{place}/{name}" for name in os.listdir(place) if MARK in name or name == "sitecustomize.py"}
    for kind in ("shm", "msg", "sem"):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
            found |= {f"System V {kind}" for line in lines if line.split()[0] == str(KEY)}
    for kind in _LISTS:
        with contextlib.suppress(OSError):
            found |= {line for line in Path(f"/proc/net/{kind}").read_text().splitlines() if MARK in line}
    with contextlib.suppress(OSError):
        found |= {f"key {line}" for line in Path("/proc/keys").read_text().splitlines() if MARK in line}
    if MARK in socket.gethostname():
        found.add("the host's name")
    return found
