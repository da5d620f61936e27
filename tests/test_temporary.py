"""Promise: the Prefect server of a plain command answers, and ends with its command, also when that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.shell import HEARING

pytestmark = [pytest.mark.operations, pytest.mark.timeout(300)]
COMMAND = """
from flows import environment, temporary
environment.prepare()
temporary.start()
temporary.ready()
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    print(temporary._started[0].pid, client.api_healthcheck(), flush=True)
input()
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_its_command(tmp_path: Path, end: signal.Signals) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    env["FLYWHEEL_HOME"] = str(tmp_path)
    pipe = subprocess.PIPE
    argv = [*HEARING, sys.executable, "-c", COMMAND]
    command = subprocess.Popen(argv, env=env, stdin=pipe, stdout=pipe, text=True)
    assert command.stdout is not None
    pid, fault = command.stdout.readline().split()
    assert fault == "None" and Path(f"/proc/{pid}").exists()
    command.send_signal(end)
    command.wait(30)
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()
