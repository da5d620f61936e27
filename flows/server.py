"""The Prefect server: where it is, whether it is one that works with this project, how one of our own is started.

Not here: keeping it alive (`flows/up.py`), what it is told (`flows/deployments.py`, `flows/automations.py`).
"""

import json
import os
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from data.errors import UserError
from flows.environment import local_prefect

PORT = 4200  # Prefect's own
LOCAL = ("127.0.0.1", "localhost", "::1")
ROOM = 200 * 2**20  # bytes that must be free for a server's database
BACK_S = 60.0  # that a server which died may take to be there again


@dataclass(frozen=True, slots=True)
class Server:
    """`url` of its API; `ours` when nothing answers there and one is to be started."""

    url: str
    ours: bool

    @property
    def ui(self) -> str:
        """The address for a browser."""
        return self.url.removesuffix("/api")


def local(url: str) -> bool:
    """Whether the address is one of this machine."""
    return urlsplit(url).hostname in LOCAL


def find(port: int | None = None) -> Server:
    """The server at `port`, else at PREFECT_API_URL, else at Prefect's own address.

    Raises UserError when what answers there cannot be used.
    """
    url = os.environ.get("PREFECT_API_URL")
    if port or not url:
        url = f"http://127.0.0.1:{port or os.environ.get('PREFECT_SERVER_API_PORT', PORT)}/api"
    if not local(url):  # the client asks it, with the user's key
        return Server(url, ours=False)
    if _free(url):
        return Server(url, ours=True)
    found, wanted = asked(url), version("prefect")
    if found is None:
        raise UserError(f"{_place(url)} is in use by something that is no Prefect server: choose another with --port")
    if found != wanted:
        raise UserError(
            f"the Prefect server at {url} is version {found}, this project works with {wanted}: stop it, or choose "
            "another place with --port"
        )
    return Server(url, ours=False)


def asked(url: str, seconds: float = 3.0) -> str | None:
    """The version of the Prefect server at this API address; None when none answers."""
    request = urllib.request.Request(f"{url}/admin/version")
    if secret := os.environ.get("PREFECT_API_AUTH_STRING"):
        request.add_header("Authorization", f"Basic {b64encode(secret.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            found = json.load(answer)
    except (OSError, ValueError, urllib.error.HTTPError):
        return None
    return found if isinstance(found, str) else None


def await_answer() -> None:
    """Wait while the server of this process is away, for BACK_S at most: then what needs it says what is wrong."""
    from prefect.client.orchestration import get_client  # slow, and not needed to find a server

    until = time.monotonic() + BACK_S
    with get_client(sync_client=True) as client:
        while client.api_healthcheck() and time.monotonic() < until:
            time.sleep(0.5)


def check(home: Path) -> None:
    """Raises UserError when a server started here could not do its work."""
    if tuple(map(int, version("sqlalchemy").split(".")[:2])) >= (2, 1):
        raise UserError(
            f"with SQLAlchemy {version('sqlalchemy')} no schedule of Prefect ever fires: pip install 'sqlalchemy<2.1'"
        )
    if (free := shutil.disk_usage(home).free) < ROOM:
        raise UserError(f"{free >> 20} MiB are free on the disk of {home}, {ROOM >> 20} are needed: free some")


def command() -> list[str]:
    """Starts a server in the foreground."""
    return [sys.executable, "-m", "flows._prefect_server", "prefect", "server", "start"]


def environment(url: str, folder: Path) -> dict[str, str]:
    """What a server of our own at `url` reads, with its state in `folder` unless the user has put it elsewhere.

    A bare `--port` would leave the UI calling 4200; leases in memory would not survive a restart.
    """
    own = {} if "PREFECT_HOME" in os.environ else local_prefect(folder)
    fixed = {
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(_address(url)[1]),
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }
    chosen = {
        "PREFECT_SERVER_METRICS_ENABLED": "true",  # Prometheus, at /api/metrics
        "PREFECT_SERVER_DATABASE_TIMEOUT": "60",  # a busy machine
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "5",  # between two tries of a queued run
    }
    return chosen | dict(os.environ) | own | fixed


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or PORT


def _place(url: str) -> str:
    return "port {1} of {0}".format(*_address(url))


def _free(url: str) -> bool:
    """Whether nothing listens at this address."""
    try:
        with socket.create_connection(_address(url), timeout=2):
            return False
    except TimeoutError:
        return False
    except OSError:
        return True
