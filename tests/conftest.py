"""What every test has: one thread, no network, no telemetry, and artefacts in a temporary home, never in the user's.

The variables are set before anything of ours or of the libraries is imported, and child processes inherit them.
"""

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

_HOME = tempfile.mkdtemp(prefix="flywheel-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
for _name in ("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_HOME"):  # the user's own server is none of ours
    os.environ.pop(_name, None)
os.environ |= {
    "OMP_NUM_THREADS": "1",
    "FLYWHEEL_HOME": _HOME,
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
}

from flows import environment  # noqa: E402 (it must see the variables above)
from flows.server import command  # noqa: E402

environment.prepare()

settings.register_profile("flywheel", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("flywheel")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty FLYWHEEL_HOME of the test's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("FLYWHEEL_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def small_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of two small runs by the real tasks, published: `other`, one round, `night`, two. Only for reading.

    The workers of a session share it.
    """
    from tests.test_tour import write_run

    base = tmp_path_factory.getbasetemp()
    found = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "small-runs"
    with FileLock(found.with_suffix(".lock")):
        if not (found / "whole").exists():
            write_run(found, "other", 3, 1)
            write_run(found, "night", 7, 2)
            (found / "whole").touch()
    return found


@pytest.fixture(scope="session")
def extra_cases() -> Path:
    """The folder of further labelled cases, where there is one (EXTRA_CASES)."""
    folder = os.environ.get("EXTRA_CASES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no EXTRA_CASES")
    return Path(folder).absolute()


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prefect server for the runs of the whole session, instead of one started by each run."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    folder = tmp_path_factory.mktemp("prefect")
    log = (folder / "log.txt").open("wb")
    env = os.environ | {"PREFECT_HOME": str(folder), "PREFECT_SERVER_API_PORT": str(port)}
    argv = [*command(), "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(argv, env=env, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/api"
    try:
        until = time.monotonic() + 180  # on a busy machine
        while server.poll() is None and time.monotonic() < until:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5):
                break
            time.sleep(0.2)
        os.environ["PREFECT_API_URL"] = url
        yield url
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        server.terminate()
        server.wait(20)
        log.close()
