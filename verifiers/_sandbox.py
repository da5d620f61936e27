"""The judge's side of the sandbox: sends code and calls to a jailed process, takes plain values back.

A candidate program can only claim values: the expected ones never leave this process, each call carries a fresh nonce,
and whatever else arrives on the socket is misbehaviour. What holds is proven by programs that try (`_CANARIES`).
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from data.errors import UserError
from verifiers._plain import encode
from verifiers._talk import End, Ended, Reply, ask, silent, take

_ROOT = str(Path(__file__).resolve().parent.parent)
_START = "import sys; sys.path.insert(0, sys.argv[1]); from verifiers._jail import serve; serve({}, {}, {})"
_SIGXCPU, _SIGKILL = -24, -9
_LAYERS = ("namespaces", "seccomp")
_CANARIES = {
    "no-network": "import socket\ndef f():\n socket.socket()",
    "no-write": """import os
def f():
 for path in {places!r}:
  try: open(path + '/canary', 'w')
  except OSError: continue
  return
 raise OSError""",
    "no-kill": "import os\ndef f():\n os.kill({parent}, 0)",
    "no-fork": "import os\ndef f():\n os.fork()",
    "no-exec": "import os\ndef f():\n os.execv('/bin/true', ['true'])",
    "private-files": """import os
def f():
 for path in {files!r}:
  if os.access(path, os.R_OK):
   try: open(path).close()
   except OSError: continue
   return
 raise OSError""",
    "memory-limit": "def f():\n bytearray(600 << 20)",
}


_REFUSALS = ("PermissionError", "OSError", "MemoryError")  # any other error means that a canary never got to try


@dataclass(frozen=True, slots=True)
class Ran:
    """What a candidate did. `replies` are those of the first calls; `end` says why there are no more.

    answered: all calls, or up to the first error; not_loaded: its code raised, or `entry` is no function;
    misbehaved: it broke the protocol; died: it ended its process; cpu, wall: it hit that limit; fault: ours.
    """

    end: End
    detail: str = ""
    replies: list[Reply] = field(default_factory=list)
    seconds: float = 0.0


class Sandbox:
    """One fork server and the programs it runs, one at a time. `cpu_s`, `wall_s` bound all calls of one."""

    def __init__(self, cpu_s: int = 2, wall_s: float = 10.0, namespaces: bool = True) -> None:
        self.cpu_s, self.wall_s, self._namespaces = cpu_s, wall_s, namespaces
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._guarantees: tuple[str, ...] = ()
        self._owner = os.getpid()
        self._reduced = os.environ.get("FLYWHEEL_SANDBOX") == "reduced"

    def __enter__(self) -> "Sandbox":
        """Start and prove. Raises UserError when a required guarantee does not hold."""
        try:
            layers = self._start()
            self._guarantees = (*(["reduced"] if "namespaces" not in layers else []), *layers, *self._prove())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def guarantees(self) -> tuple[str, ...]:
        """The layers in force and the canaries that held; `reduced` first where there are no namespaces."""
        return self._guarantees

    def close(self) -> None:
        """End the server and all inside. In a forked copy of the owner only the copy's handles are closed."""
        if self._control:
            self._control.close()
        if self._server and self._owner == os.getpid():
            self._server.kill()
            self._server.wait()
        self._server = self._control = None

    def _start(self) -> list[str]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        start = _START.format(theirs.fileno(), os.getpid(), self._namespaces)
        self._owner = os.getpid()
        command = [sys.executable, "-I", "-S", "-c", start, _ROOT]
        quiet = subprocess.DEVNULL
        try:
            self._server = subprocess.Popen(
                command,
                stdin=quiet,
                stdout=quiet,
                stderr=quiet,
                pass_fds=[theirs.fileno()],
                env={},
                start_new_session=True,
            )
            self._control = ours
            theirs.close()
            ours.settimeout(30)
            hello = json.loads(ours.recv(4096) or b'{"layers": [], "why": "its server did not start"}')
        except OSError as e:
            raise UserError(f"Programs cannot be judged: the sandbox did not start ({e}).") from e
        missing = [name for name in _LAYERS if name not in hello["layers"]]
        if missing and not (self._reduced and missing == ["namespaces"] and "landlock" in hello["layers"]):
            raise UserError(
                f"Programs cannot be judged safely here: the sandbox lacks {' and '.join(missing)} ({hello['why']}); "
                "allow unprivileged user namespaces, or set FLYWHEEL_SANDBOX=reduced to do with seccomp and Landlock."
            )
        return list(hello["layers"])

    def _prove(self) -> list[str]:
        """Run the canaries: each must fail in the jail."""
        facts = {
            "parent": os.getpid(),
            "places": ["/", "/tmp", "/var/tmp", "/dev/shm", os.getcwd(), os.path.expanduser("~")],
            "files": ["/etc/passwd", __file__, f"/proc/{os.getpid()}/status", "/proc/self/maps"],
        }
        for name, code in _CANARIES.items():
            ran = self.run(code.format(**facts), "f", [[]])
            if ran.end != "answered" or ran.replies[0].error not in _REFUSALS:
                raise UserError(
                    f"Programs cannot be judged safely here: the sandbox does not hold '{name}' ({ran.end})."
                )
        sane = self.run("import math\ndef f(x):\n return math.isqrt(x)", "f", [[9]])
        if sane.end != "answered" or sane.replies[0].value != 3:
            raise UserError(f"Programs cannot be judged here: a plain program fails in the sandbox ({sane.end}).")
        spin = self.run("def f():\n while 1: pass", "f", [[]], cpu_s=1)
        if spin.end not in ("cpu", "wall"):
            raise UserError(f"Programs cannot be judged safely here: the sandbox has no time limit ({spin.end}).")
        return [*_CANARIES, "time-limit"]

    def run(self, code: str, entry: str, calls: Sequence[list[Any]], cpu_s: int | None = None) -> Ran:
        """Run `code` in a process of its own and call `entry` with each of `calls` (plain values) in turn."""
        begun = time.monotonic()
        encoded = [encode(arguments) for arguments in calls]
        with self._lock:
            ran = self._run(code, entry, encoded, cpu_s or self.cpu_s)
            if ran.end == "fault":  # say by a server that was killed meanwhile: once more with a fresh one
                self.close()
                try:
                    self._start()
                except UserError as e:
                    self.close()
                    return Ran("fault", str(e))
                ran = self._run(code, entry, encoded, cpu_s or self.cpu_s)
        return Ran(ran.end, ran.detail, ran.replies, time.monotonic() - begun)

    def _run(self, code: str, entry: str, calls: list[str], cpu_s: int) -> Ran:
        if self._control is None or self._owner != os.getpid():
            return Ran("fault", "the sandbox is not running in this process")
        replies: list[Reply] = []
        ours, theirs = socket.socketpair()
        with ours:
            try:
                with theirs:
                    self._control.settimeout(5)
                    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [theirs.fileno()]))]
                    self._control.sendmsg([str(cpu_s).encode()], rights)
                ended = self._converse(ours, code, entry, calls, replies)
                self._control.sendall(b"K")
                status = json.loads(self._control.recv(4096) or b"{}")
            except (OSError, ValueError) as e:
                return Ran("fault", f"the sandbox's server is gone ({type(e).__name__})")
        if not status:
            return Ran("fault", "the sandbox's server is gone")
        end, detail = ended.end, ended.detail
        if end == "died":
            code_, cpu = int(status["code"]), float(status["cpu"])
            if code_ == _SIGXCPU or (code_ == _SIGKILL and cpu >= cpu_s):
                end, detail = "cpu", f"over {cpu_s} s of CPU time"
            else:
                detail = f"exit {code_}" if code_ >= 0 else f"signal {-code_}"
        return Ran(end, detail, replies)

    def _converse(self, channel: socket.socket, code: str, entry: str, calls: list[str], replies: list[Reply]) -> Ended:
        """Ask and listen until all calls are answered or something ends it; `replies` grows."""
        deadline = time.monotonic() + self.wall_s
        jailed = False
        try:
            take(channel, deadline, "shut")
            jailed = True
            loaded = ask(channel, deadline, [code, entry])
            if loaded.error or loaded.value is not True:
                return Ended("not_loaded", loaded.error or f"{entry} is not callable")
            for arguments in calls:
                replies.append(ask(channel, deadline, [arguments]))
                if replies[-1].error:
                    break
            silent(channel)
        except Ended as e:
            return e if jailed else Ended("fault", "the jail did not shut")
        except TimeoutError:
            return Ended("wall", f"over {self.wall_s:g} s")
        except OSError:
            return Ended("died")
        return Ended("answered")
