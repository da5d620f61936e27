"""A Prefect server for tests that kill it and start it again. Not a test."""

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from flows.server import command


class Server:
    """A Prefect server that can be killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"http://127.0.0.1:{port}/api"
        self.start()

    def start(self) -> None:
        lease_files = "prefect.server.concurrency.lease_storage.filesystem"
        env = os.environ | {"PREFECT_HOME": str(self.folder), "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": lease_files}
        argv = [*command(), "--host", "127.0.0.1", "--port", str(self.port)]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(argv, env=env, stdout=log, stderr=log)
        for _ in range(600):
            with suppress(OSError), urlopen(f"{self.url}/health", timeout=2):
                return
            time.sleep(0.2)
        pytest.fail((self.folder / "log.txt").read_text()[-2000:])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
