"""A Prefect server for one command, where no other is: without a UI, and it ends with its command, however that ends.

Prefect would start one itself, which outlives a killed command. Not here: the server that `flywheel up` keeps alive.
"""

import atexit
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress

from data.errors import UserError
from flows import processes

WAIT_S = 120.0  # on a busy machine
STOP_S = 5.0
_ENVIRONMENT = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
_started: "list[subprocess.Popen[bytes]]" = []  # at most one


def start() -> None:
    """Start it, unless PREFECT_API_URL names a server, and set PREFECT_API_URL; before anything imports prefect."""
    if "PREFECT_API_URL" in os.environ:
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "flows._prefect_server", "uvicorn", "--factory"]
    argv += ["prefect.server.api.server:create_app", "--lifespan", "on", "--log-level", "error"]
    argv += ["--host", "127.0.0.1", "--port", str(port)]
    env = os.environ | _ENVIRONMENT
    server = subprocess.Popen(argv, env=env, start_new_session=True, preexec_fn=processes.die_with_parent)
    _started.append(server)
    atexit.register(_stop, server)
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"


def ours() -> bool:
    """Whether the server of this process is such a one."""
    return bool(_started)


def ready() -> None:
    """Wait until it answers, if it was started. Raises UserError when it does not."""
    until = time.monotonic() + WAIT_S
    for server in _started:
        while not _answers(os.environ["PREFECT_API_URL"]):
            if server.poll() is not None or time.monotonic() > until:
                raise UserError("the Prefect server of this command did not start: `flywheel doctor` may tell why")
            time.sleep(0.05)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()


def _answers(url: str) -> bool:
    with suppress(OSError):
        return bool(urllib.request.urlopen(f"{url}/health", timeout=STOP_S).status == 200)
    return False
