"""`flywheel up`: keeps a Prefect server and a runner alive, tells where they are, and ends them cleanly.

A crash is normal: whichever of them is killed is started again, and what it was doing goes on; killed itself, both end
with it, and the next `flywheel up` goes on. Not here: what they do (`flows/server.py`, `flows/runner.py`).
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from data import locks
from data.errors import UserError
from data.manifest import unwritable, write_atomic
from data.store import home
from flows import processes, server
from flows.child import Child
from flows.environment import ADDRESS, UP_LOCK, served_at
from flows.served import SERVED, Options, Served
from flows.terminal import say

STOP_S = 3.0  # for a server to end by itself
WAIT_S = 180.0  # for everything to be served
LOG_BYTES = 10 * 2**20  # a longer log is put aside at the next start
POLL_S = 0.2


class Stopped(Exception):
    """A person asked for the end."""


class Supervisor:
    """The server, when it is ours, and the runner."""

    def __init__(self, found: server.Server, folder: Path, options: Options) -> None:
        self.found, self.folder, self.options = found, folder, options
        self.ending = threading.Event()
        os.environ |= server.environment(found.url, folder) if found.ours else {"PREFECT_API_URL": found.url}
        os.environ["FLYWHEEL_HOME"] = str(home().resolve())
        self.server = Child(
            "Prefect server", server.command(), dict(os.environ), folder / "server.log",
            answers=lambda: server.asked(found.url) is not None,
        )  # fmt: skip
        working = {
            processes.MARK: str(home().resolve()),
            "PREFECT_RUNNER_POLL_FREQUENCY": "2",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_LOGGING_LEVEL": "INFO",
        }
        self.runner = Child(
            "runner", [sys.executable, "-m", "flows.runner"], os.environ | working, folder / "runner.log",
            json.dumps(asdict(replace(options, ours=found.ours))).encode(),
        )  # fmt: skip

    def begin(self) -> Served:
        """Start both; returns when everything is served. Raises UserError when that does not come about."""
        if self.found.ours:
            say(f"Starting a Prefect server at {self.found.ui} ...")
            self.server.start()
        self._serve()
        return self._served()

    def watch(self) -> None:
        """Start again what dies, and a server that hangs, until Stopped."""
        from flows import recovery  # noqa: F401 - while nothing waits for it; `end` has little time

        while True:
            self._pause(POLL_S)
            if self.found.ours and self.server.hangs():
                say("The Prefect server answers no more and is killed")
                self.server.stop(STOP_S)
            if self.found.ours and self.server.dead() is not None:
                self._pause(self.server.bury())
                say("The Prefect server ended and is started again")
                self.server.start()
            if self.runner.dead() is not None:
                self._pause(self.runner.bury())
                say("The runner ended and is started again; what it ran goes on")
                self._serve()

    def end(self) -> None:
        """Stop the flow runs, in a state from which they go on, then the runner and the server."""
        played = processes.end(home().resolve())
        if self.runner.process:
            self.runner.process.wait()
        if played and (server.asked(self.found.url) or not server.local(self.found.url)):
            _let_go_on(played)
        self.server.stop(STOP_S)

    def _serve(self) -> None:
        """Start a runner where nothing is left of an earlier one."""
        processes.end(home().resolve())
        (self.folder / SERVED).unlink(missing_ok=True)
        self.runner.start()

    def _served(self) -> Served:
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            self._pause(POLL_S)
            if self.found.ours and self.server.dead() is not None:
                raise UserError(f"the Prefect server did not start: {_last_line(self.server.log)}")
            with suppress(FileNotFoundError):
                served = Served(**json.loads((self.folder / SERVED).read_bytes()))
                if served.error:
                    raise UserError(served.error)
                return served
            if self.runner.dead() is not None:
                raise UserError(f"the runner did not start: {_last_line(self.runner.log)}")
        raise UserError(f"nothing was served within {WAIT_S:.0f} s: see {self.runner.log} and {self.server.log}")

    def _pause(self, seconds: float) -> None:
        if self.ending.wait(seconds):
            raise Stopped


def up(port: int | None, options: Options) -> int:
    """Serve until Ctrl-C or SIGTERM; 0. Raises UserError, in one sentence, when it cannot be."""
    folder = home() / "prefect"
    with _only_one(folder):
        (folder / ADDRESS).unlink(missing_ok=True)  # of one that was killed
        server.check(home())
        found = server.find(port)
        for log in folder.glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))
        supervisor = Supervisor(found, folder, options)
        heard = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
            heard.append(signal.SIGHUP)
        for number in heard:
            signal.signal(number, lambda *_: supervisor.ending.set())
        try:
            _show(found, supervisor.begin(), folder, options)
            write_atomic(folder / ADDRESS, found.url.encode())
            supervisor.watch()
        except Stopped:
            say("Stopping; what runs goes on at the next `flywheel up` ...")
        finally:
            (folder / ADDRESS).unlink(missing_ok=True)
            supervisor.end()
    say("Stopped")
    return 0


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Nobody else serves this home. Raises UserError when somebody does."""
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            free = stack.enter_context(locks.alone(folder / UP_LOCK))
        except OSError as e:
            raise unwritable(folder, e) from e
        if not free:
            url = served_at(folder)
            where = f", at {url.removesuffix('/api')}" if url else "; it is just starting or stopping"
            raise UserError(f"another `flywheel up` serves {home()} already{where}")
        yield


def _let_go_on(played: set[str]) -> None:
    """Tell the server that these flow runs are to go on, so that nothing seems to run while nothing does."""
    from prefect.client.orchestration import get_client

    from flows import recovery

    try:
        with get_client(sync_client=True) as client:
            recovery.stopped(client, played)
    except Exception as e:  # whatever it is, it must not keep the processes alive
        say(f"The server was not told that the runs stopped ({e}); the next start sets them right")


def _show(found: server.Server, served: Served, folder: Path, options: Options) -> None:
    say(f"Flywheel is up at {found.ui}")
    say(f"  start:   {', '.join(served.names)}, at {found.ui}/deployments")
    say(f"  nightly: {'on' if served.nightly else 'off'}; the switch is at {served.schedule}")
    say(f"  logs:    {folder}/server.log, {folder}/runner.log")
    say("Ctrl-C stops it; what runs goes on at the next start")


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{lines[-1] if lines else 'it said nothing'} ({log})"
