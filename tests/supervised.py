"""One `flywheel up` of a test's own: started, asked for runs, killed in parts, stopped. Not here: what is tested."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling

from flows import processes
from tests.shell import HEARING

PATIENCE_S = 240.0  # of each wait: the machine may be busy
_FLYWHEEL = [sys.executable, "-m", "flows.cli"]


class Up:
    """One `flywheel up` in a home of its own, with the clients of its server."""

    def __init__(self, home: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.home, self.url = home, f"http://127.0.0.1:{self.port}/api"
        self.options = ("--port", str(self.port), *options)
        self.process, self.seconds = self.start()

    def start(self, *options: str) -> tuple["subprocess.Popen[str]", float]:
        """Start it, and wait until it says that it is up; seconds that took."""
        began = time.monotonic()
        process = subprocess.Popen(self._argv(), env=self._env(), stderr=subprocess.PIPE, text=True)
        said = []
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        else:
            pytest.fail(f"flywheel up ended: {said}")
        threading.Thread(target=process.stderr.read, daemon=True).start()  # it never waits for a reader
        return process, time.monotonic() - began

    def again(self) -> None:
        """Start it once more, after it was stopped or killed."""
        self.process, self.seconds = self.start()

    def command(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        """Another command on the same home."""
        return subprocess.run([*_FLYWHEEL, *argv], env=self._env(), capture_output=True, text=True, timeout=PATIENCE_S)

    def prefect(self, *argv: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Prefect's own command line, asked of its server."""
        command = [sys.executable, "-m", "prefect", *argv]
        return subprocess.run(command, env=self._far(), cwd=cwd, capture_output=True, text=True, timeout=2 * PATIENCE_S)

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A worker of the pool `flywheel`, as another machine has one."""
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "flywheel"]
        process = subprocess.Popen(HEARING + command, env=self._far(), cwd=self.home, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)

    def client(self) -> SyncPrefectClient:
        """A client of its server."""
        with temporary_settings({PREFECT_API_URL: self.url}):
            return get_client(sync_client=True)

    def ask(self, flow: str, **parameters: Any) -> UUID:
        """Start a flow as its form does; returns the flow run."""
        with self.client() as client:
            deployment = client.read_deployment_by_name(f"{flow}/{flow}")
            return client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id

    def run(self, flow_run: UUID) -> FlowRun:
        """A flow run as it is."""
        with self.client() as client:
            return client.read_flow_run(flow_run)

    def states(self, flow_run: UUID) -> list[str]:
        """The names of the states it went through."""
        with self.client() as client:
            found = sorted(client.read_flow_run_states(flow_run), key=lambda s: s.timestamp)
        return [state.name or "" for state in found]

    def wait(self, flow_run: UUID, name: str, count: int = 1) -> str:
        """Wait until it is in this state for the `count`th time; returns the message."""
        until(lambda: self._counted(flow_run, name) >= count and self.run(flow_run).state_name == name)
        state = self.run(flow_run).state
        return (state.message if state else None) or ""

    def cancel(self, flow_run: UUID) -> None:
        """As the button in the UI does."""
        with self.client() as client:
            client.set_flow_run_state(flow_run, Cancelling())
        self.wait(flow_run, "Cancelled")

    def kill(self, what: str) -> None:
        """kill -9 of the processes of this home whose command line holds these words."""
        found = [pid for pid in _pids(f"FLYWHEEL_HOME={self.home}") if what in _command_line(pid)]
        assert found, f"no process is {what}"
        for pid in found:
            os.kill(pid, signal.SIGKILL)

    def stop(self) -> tuple[int, float]:
        """SIGTERM; the exit code, and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S), time.monotonic() - began

    def left(self) -> list[str]:
        """Command lines of processes of this home that are still there."""
        return [_command_line(pid) for pid in _pids(f"FLYWHEEL_HOME={self.home}")]

    def _counted(self, flow_run: UUID, name: str) -> int:
        return self.states(flow_run).count(name)

    def _far(self) -> dict[str, str]:
        return self._env() | {"PREFECT_API_URL": self.url, "PREFECT_HOME": str(self.home / "worker")}

    def _argv(self) -> list[str]:
        return [*_FLYWHEEL, "up", *self.options]

    def _env(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
        return own | {"FLYWHEEL_HOME": str(self.home)}


def until(true: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Wait until it is so; a server that is just starting may not answer yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if true():
                return
        except (OSError, RuntimeError):
            pass
        time.sleep(0.3)
    pytest.fail(f"it did not come about in {seconds:.0f} s")


def _pids(entry: str) -> list[int]:
    return list(processes._carrying(entry))


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
