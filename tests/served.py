"""A served deployment for tests: its runner, its flow runs, and whether anything of a flow run is left on this machine.

Without what `flywheel up` adds (automations, recovery), so that a test sees what one thing alone does.
"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from prefect import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling, Scheduled

from data import locks

SERVE = """
from flows import environment
environment.prepare()
from prefect import serve
from prefect.types.entrypoint import EntrypointType
from flows.entries import flywheel
made = flywheel.to_deployment(
    "tested", tags=["flywheel"], concurrency_limit=1, entrypoint_type=EntrypointType.MODULE_PATH
)
serve(made, pause_on_shutdown=False)
"""
FLOW_RUN = "PREFECT__FLOW_RUN_ID"


class Served:
    """The deployment `flywheel/tested` on a server, with a home of its own; this process asks that server, too.

    A context manager.
    """

    def __init__(self, home: Path, server: str) -> None:
        self.home, self._server = home, server
        self._runner: subprocess.Popen[bytes] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> "Served":
        self._stack.enter_context(temporary_settings({PREFECT_API_URL: self._server}))
        self.serve()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.kill_runner()
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def serve(self) -> None:
        """Start the runner, and wait for nothing: its runs do."""
        env = os.environ | {"FLYWHEEL_HOME": str(self.home), "PREFECT_API_URL": self._server}
        env |= {"PREFECT_RUNNER_POLL_FREQUENCY": "2"}
        with (self.home / "runner.log").open("ab") as log:
            command = [sys.executable, "-c", SERVE]
            self._runner = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=Path(__file__).parents[1])

    def kill_runner(self) -> None:
        """kill -9."""
        if self._runner is not None:
            self._runner.kill()
            self._runner.wait()

    def start(self, **parameters: Any) -> UUID:
        """Start a run, as its form does."""
        until = time.monotonic() + 90
        with get_client(sync_client=True) as client:
            while True:
                with suppress(ObjectNotFound):  # not deployed yet
                    deployment = client.read_deployment_by_name("flywheel/tested")
                    break
                assert time.monotonic() < until, (self.home / "runner.log").read_text()[-2000:]
                time.sleep(0.5)
            return client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id

    def state(self, flow_run: UUID) -> State[Any]:
        with get_client(sync_client=True) as client:
            found = client.read_flow_run(flow_run).state
        assert found is not None
        return found

    def until(self, flow_run: UUID, *names: str, seconds: float = 600) -> State[Any]:
        """Wait for a state of one of these names; fails at any other end."""
        ends = time.monotonic() + seconds
        while (state := self.state(flow_run)).name not in names:
            log = (self.home / "runner.log").read_text()[-3000:]
            assert not state.is_final() and time.monotonic() < ends, (names, state.name, state.message, log)
            time.sleep(0.2)
        return state

    def cancel(self, flow_run: UUID) -> float:
        """As the button does; seconds until it is Cancelled."""
        began = time.monotonic()
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(flow_run, Cancelling())
        self.until(flow_run, "Cancelled", seconds=60)
        return time.monotonic() - began

    def retry(self, flow_run: UUID) -> None:
        """As the button does."""
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(flow_run, Scheduled(name="AwaitingRetry", message="Retry from the UI"))

    def flow(self, flow_run: UUID) -> psutil.Process:
        """The process of a flow run."""
        found = [p for p in psutil.process_iter() if _told(p) == str(flow_run)]
        return next(p for p in found if (parent := p.parent()) is None or _told(parent) != str(flow_run))

    def processes(self) -> list[psutil.Process]:
        """What runs in this home beside the runner: flows, engines, workers, trainings."""
        runner = self._runner.pid if self._runner else 0
        mine = [
            p for p in psutil.process_iter() if p.pid != runner and _environ(p).get("FLYWHEEL_HOME") == str(self.home)
        ]
        return [p for p in mine if p.status() != psutil.STATUS_ZOMBIE]

    def assert_nothing_left(self, run: str, below: list[psutil.Process], seconds: float = 60) -> float:
        """Every process is gone, those that were `below` the flow too, and the run's lock is free; seconds it took."""
        began = time.monotonic()
        lock = self.home / run / "flywheel.lock"
        while left := [p for p in {*below, *self.processes()} if p.is_running() and _alive(p)] or locks.busy(lock):
            assert time.monotonic() < began + seconds, left
            time.sleep(0.05)
        return time.monotonic() - began


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _told(process: psutil.Process) -> str:
    return _environ(process).get(FLOW_RUN, "")


def _environ(process: psutil.Process) -> dict[str, str]:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return process.environ()
    return {}
