"""The judge's side of the sandbox: sends code with calls, or with input, to a jailed process; takes plain data back.

A program can only claim values and output: the expected ones never leave this process, each call carries a fresh nonce,
and whatever else arrives on the socket is misbehaviour. What holds is proven by programs that try (`_canaries.py`), at
each start of the fork server. Every program starts in a process of its own, forked from one that has run none, with the
same hash seed and random seed; the clock is the real one unless a fixed one is asked for. Not fixed: the kernel's
randomness (`os.urandom`, addresses) and the order in which threads run.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from data.errors import UserError
from verifiers._canaries import Unproven, prove
from verifiers._plain import encode
from verifiers._server import ENDED, KILL
from verifiers._talk import Accept, Ended, Patience, Ran, Reply, converse, greet, tell
from verifiers._watch import asleep

WALL_S = 4.0  # of all tests of a program; less than what the pool allows a whole verdict
_ROOT = str(Path(__file__).resolve().parent.parent)
_START = "import sys; sys.path.insert(0, sys.argv[1]); from verifiers._server import serve; serve({}, {}, {}, {})"
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
_NEEDED = ("LD_LIBRARY_PATH", "PYTHONHOME")  # without them some interpreters do not start
_LAYERS = ("namespaces", "seccomp")
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE

Talk = Callable[[socket.socket, Patience, list[Reply]], None]


class Sandbox:
    """One fork server and the programs it runs, one at a time. `cpu_s`, `wall_s` bound all that one program does;
    `clock`, seconds since 1970, is when every program believes to start.
    """

    def __init__(
        self, cpu_s: float = 2.0, wall_s: float = 10.0, namespaces: bool = True, clock: float | None = None
    ) -> None:
        self.cpu_s, self.wall_s, self._namespaces, self._clock = cpu_s, wall_s, namespaces, clock
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._guarantees: tuple[str, ...] = ()
        self._owner = os.getpid()
        self._reduced = os.environ.get("FLYWHEEL_SANDBOX") == "reduced"

    def __enter__(self) -> "Sandbox":
        """Start and prove. Raises UserError when a required guarantee does not hold."""
        with self._lock:
            self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def guarantees(self) -> tuple[str, ...]:
        """The layers in force and the canaries that held; `reduced` first where there are no namespaces."""
        return self._guarantees

    def running(self) -> bool:
        """Whether it was started in this process and not closed since."""
        return self._control is not None and self._owner == os.getpid()

    def close(self) -> None:
        """End the server and all inside. In a forked copy of the owner only the copy's handles are closed."""
        if self._control:
            self._control.close()
        if self._server and self._owner == os.getpid():
            self._server.kill()
            self._server.wait()
        self._server = self._control = None

    def run(
        self,
        code: str,
        entry: str,
        calls: Sequence[list[Any]],
        cpu_s: float | None = None,
        accept: Accept = lambda number, value: True,
    ) -> Ran:
        """Load `code` in a process of its own and call `entry` with each of `calls` (plain values) in turn, up to the
        first error or value that is not accepted.

        Raises NotPlain for the calls, UserError when the server was lost and cannot be had again.
        """
        return self._twice(partial(self._call, code, entry, calls, cpu_s, accept))

    def pipe(self, code: str, text: bytes, cpu_s: float | None = None, wall_s: float | None = None) -> Ran:
        """Run `code` as a main program in a process and an empty directory of its own, with `text` to read.

        Raises UserError when the server was lost and cannot be had again.
        """
        return self._twice(partial(self._pipe, code, text, cpu_s, wall_s))

    def _twice(self, attempt: Callable[[], Ran]) -> Ran:
        """A fault may be that of a server killed meanwhile: then once more, with a fresh and proven one."""
        with self._lock:
            ran = attempt()
            if ran.end == "fault" and self._owner == os.getpid():
                self.close()
                self._open()
                ran = attempt()
        return ran

    def _open(self, tries: int = 3) -> None:
        """Start and prove, again when that was disturbed. Raises UserError."""
        try:
            layers = self._start()
            proven = prove(self._call, self._pipe, "namespaces" in layers)
            self._guarantees = (*(["reduced"] if "namespaces" not in layers else []), *layers, *proven)
        except Unproven as e:
            self.close()
            if tries == 1:
                raise UserError(f"Programs cannot be judged: the sandbox could not be proven ({e}).") from e
            self._open(tries - 1)
        except BaseException:
            self.close()
            raise

    def _start(self) -> list[str]:
        """Start the server; its layers. Raises UserError when it lacks one, Unproven when it dies."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        start = _START.format(theirs.fileno(), os.getpid(), self._namespaces, self._clock)
        command = [sys.executable, "-s", "-S", "-P", "-c", start, _ROOT]
        env = _ENVIRONMENT | {name: os.environ[name] for name in _NEEDED if name in os.environ}
        quiet = subprocess.DEVNULL
        self._owner, self._control = os.getpid(), ours
        try:
            with theirs:
                self._server = subprocess.Popen(
                    command,
                    stdin=quiet,
                    stdout=quiet,
                    stderr=quiet,
                    pass_fds=[theirs.fileno()],
                    env=env,
                    start_new_session=True,
                )
            ours.settimeout(30)
            first = ours.recv(4096)
        except OSError as e:
            raise UserError(f"Programs cannot be judged: the sandbox did not start ({e}).") from e
        if not first:
            raise Unproven(f"its server did not start; does `{sys.executable} -s -S -P -c 'import ctypes'` work?")
        hello = json.loads(first)
        missing = [name for name in _LAYERS if name not in hello["layers"]]
        if missing and not (self._reduced and missing == ["namespaces"] and "landlock" in hello["layers"]):
            raise UserError(
                f"Programs cannot be judged safely here: the sandbox lacks {' and '.join(missing)} ({hello['why']}); "
                "allow unprivileged user namespaces, or set FLYWHEEL_SANDBOX=reduced to do with seccomp and Landlock."
            )
        return list(hello["layers"])

    def _call(
        self,
        code: str,
        entry: str,
        calls: Sequence[list[Any]],
        cpu_s: float | None = None,
        accept: Accept = lambda number, value: True,
    ) -> Ran:
        encoded = [encode(arguments) for arguments in calls]

        def talk(channel: socket.socket, patience: Patience, replies: list[Reply]) -> None:
            converse(channel, patience, code, entry, encoded, replies, accept)

        return self._attempt(cpu_s, None, [], talk)

    def _pipe(self, code: str, text: bytes, cpu_s: float | None = None, wall_s: float | None = None) -> Ran:
        def talk(channel: socket.socket, patience: Patience, replies: list[Reply]) -> None:
            greet(channel, patience)
            tell(channel, patience, [code])
            if self._control:
                patience.wait(self._control)  # the server's report that it has ended

        flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        with open(os.memfd_create("in", flags), "wb") as given, open(os.memfd_create("out"), "rb") as written:
            given.write(text)
            given.seek(0)
            fcntl.fcntl(given, fcntl.F_ADD_SEALS, _SEALS)
            ran = self._attempt(cpu_s, wall_s, [given.fileno(), written.fileno()], talk)
            output = os.pread(written.fileno(), os.fstat(written.fileno()).st_size, 0)
        return Ran(ran.end, ran.detail, output=output, seconds=ran.seconds, cpu=ran.cpu)

    def _attempt(self, cpu_s: float | None, wall_s: float | None, streams: list[int], talk: Talk) -> Ran:
        """One program in one process. Raises nothing for what it does, nor for a lost server."""
        if self._control is None or self._server is None or self._owner != os.getpid():
            return Ran("fault", "the sandbox is not running in this process")
        begun, cpu_s = time.monotonic(), cpu_s or self.cpu_s
        replies: list[Reply] = []
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [theirs.fileno(), *streams]))]
                if not self._say(str(cpu_s).encode(), rights):
                    return Ran("fault", "the sandbox's server is gone")
            patience = Patience(wall_s or self.wall_s, partial(asleep, self._server.pid))
            ended = self._hear(talk, ours, patience, replies)
            try:
                self._say(ENDED if ended.end == "died" else KILL)
                status = json.loads(self._control.recv(4096))
            except (OSError, ValueError) as e:
                return Ran("fault", f"the sandbox's server is gone ({type(e).__name__})")
        code, cpu = int(status["code"]), float(status["cpu"])
        end, detail = ended.end, ended.detail
        if end == "died" or (end == "answered" and streams and code != 0):
            end, detail = "died", f"exit {code}" if code >= 0 else f"signal {-code}"
            if cpu >= cpu_s:
                end, detail = "cpu", f"over {cpu_s:g} s of CPU time"
            elif status["ended"] and code == -signal.SIGKILL:  # it cannot do that to itself
                end, detail = "fault", "killed from outside"
        return Ran(end, detail, replies, b"", time.monotonic() - begun, cpu)

    def _say(self, word: bytes, rights: Sequence[tuple[int, int, Any]] = ()) -> bool:
        """A message to the server; False when it is gone."""
        try:
            if self._control is not None:
                self._control.settimeout(5)
                self._control.sendmsg([word], rights)
        except OSError:
            return False
        return self._control is not None

    def _hear(self, talk: Talk, channel: socket.socket, patience: Patience, replies: list[Reply]) -> Ended:
        """How the conversation ended."""
        try:
            talk(channel, patience, replies)
        except Ended as e:
            return e
        except OSError:
            return Ended("died")
        except BaseException:  # of our own, an interrupt perhaps: the server would wait for a word
            self.close()
            raise
        return Ended("answered")
