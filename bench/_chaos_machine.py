"""`flywheel up` on a port and a home of its own, what it has started, and SIGKILL for any part of it.

Meanwhile this process adopts every orphan below it (PR_SET_CHILD_SUBREAPER), so that nothing which `flywheel up` ever
started is out of sight. Not here: when something is killed (`chaos.py`), and what must be true after it
(`_chaos_checks.py`).
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

PR_SET_CHILD_SUBREAPER = 36
ENGINE, VERIFIER, TRAINING = "tasks.engines._worker", "verifiers._worker", "tasks.objectives._run"
START_S = 300.0  # of a busy machine
STOP_S = 30.0
FLOW_RUN = "PREFECT__FLOW_RUN_ID"
GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


class Machine:
    """One `flywheel up`. A context manager; leaving it ends all that it has started."""

    def __init__(self, home: Path, port: int) -> None:
        _adopt_orphans(True)
        self.home, self.port = home, port
        self.api = f"http://127.0.0.1:{port}/api"
        self._up: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs, and wait until it serves. Raises RuntimeError when it does not in START_S."""
        if self._up is None or self._up.poll() is not None:
            env = os.environ | {"FLYWHEEL_HOME": str(self.home), "PREFECT_API_URL": self.api}
            command = [sys.executable, "-m", "flows.cli", "up"]
            with (self.home / "up.log").open("ab") as log:
                self._up = subprocess.Popen(command, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._up.poll() is None:
            with suppress(httpx.HTTPError):
                self.ask("get", "/deployments/name/flywheel/flywheel")
                return
            time.sleep(0.2)
        raise RuntimeError(f"`flywheel up` does not serve: see {self.home / 'up.log'}")

    def ask(self, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """An answer of the server. Raises httpx.HTTPError."""
        answer = httpx.request(verb, self.api + path, timeout=10, **({"json": body} if body is not None else {}))
        answer.raise_for_status()
        return answer.json()

    def trigger(self, run: str, recipe: str, changes: dict[str, Any]) -> str:
        """Start a run of one round as its form does; the id of its flow run. A busy server is asked again."""
        parameters = {"recipe": recipe, "run": run, "rounds": 1, "changes": changes}
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}, "idempotency_key": run}
        until = time.monotonic() + START_S
        while True:
            try:
                deployment = self.ask("get", "/deployments/name/flywheel/flywheel")["id"]
                return str(self.ask("post", f"/deployments/{deployment}/create_flow_run", body)["id"])
            except httpx.HTTPError:
                if time.monotonic() > until:
                    raise
                time.sleep(1)

    def state(self, flow_run: str) -> dict[str, Any]:
        """Its state; an empty one while no server answers."""
        with suppress(httpx.HTTPError):
            return dict(self.ask("get", f"/flow_runs/{flow_run}")["state"])
        return {"type": "", "name": "no server", "message": ""}

    def below(self) -> list[psutil.Process]:
        """Every living process that it has started, also those whose parent is gone."""
        _bury(self._up)
        return [p for p in psutil.Process().children(recursive=True) if _alive(p)]

    def flow(self, flow_run: str) -> psutil.Process | None:
        """The process of a flow run: the topmost that was told its id."""
        found = [p for p in self.below() if _told(p) == flow_run]
        return next((p for p in found if (parent := _parent(p)) is None or _told(parent) != flow_run), None)

    def task(self, flow_run: str, what: str) -> list[psutil.Process]:
        """The processes of a flow run whose command names `what`, the oldest first."""
        flow = self.flow(flow_run)
        with suppress(*GONE):
            return [p for p in (flow.children(recursive=True) if flow else []) if what in _command(p)]
        return []

    def runner(self, flow_run: str) -> psutil.Process | None:
        """The process that started the flow run."""
        flow = self.flow(flow_run)
        return _parent(flow) if flow else None

    def server(self) -> psutil.Process | None:
        """The process that listens on the port."""
        for process in self.below():
            with suppress(*GONE):
                if any(c.status == psutil.CONN_LISTEN and c.laddr.port == self.port for c in process.net_connections()):
                    return process
        return None

    def left_over(self) -> list[str]:
        """Commands of the processes that belong to a flow run, or to nobody."""
        mine = {p.pid for p in psutil.Process(self._up.pid).children(recursive=True)} if self._up else set()
        keep = {self._up.pid if self._up else 0} | mine
        return [_command(p)[:120] for p in self.below() if p.pid not in keep or _told(p)]

    def kill_everything(self) -> None:
        """As a power cut does: all at once, and whatever was being started meanwhile."""
        while living := self.below():
            for process in sorted(living, key=lambda p: p.pid != (self._up.pid if self._up else 0)):
                kill(process)
        if self._up:
            self._up.wait()

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._up and self._up.poll() is None:
            self._up.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._up.wait(STOP_S)
        self.kill_everything()
        _adopt_orphans(False)


def _adopt_orphans(yes: bool) -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(yes))


def kill(process: psutil.Process) -> str:
    """SIGKILL; the command of what was killed, empty when it was gone."""
    with suppress(*GONE):
        command = " ".join(process.cmdline())
        process.kill()
        return command
    return ""


def _bury(apart: subprocess.Popen[bytes] | None) -> None:
    """Wait for the adopted orphans that have ended; `apart` has somebody else who does."""
    if apart:
        apart.poll()
    for child in psutil.Process().children():
        with suppress(ChildProcessError):
            if apart is None or child.pid != apart.pid:
                os.waitpid(child.pid, os.WNOHANG)


def _alive(process: psutil.Process) -> bool:
    with suppress(*GONE):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _told(process: psutil.Process) -> str:
    """The flow run that a process, or one above it, was started for."""
    with suppress(*GONE):
        return str(process.environ().get(FLOW_RUN, ""))
    return ""


def _parent(process: psutil.Process) -> psutil.Process | None:
    with suppress(*GONE):
        return process.parent()
    return None


def _command(process: psutil.Process) -> str:
    with suppress(*GONE):
        return " ".join(process.cmdline())
    return ""
