"""How long Prefect's server makes a client wait at worst, ours beside Prefect's own (`flows/_prefect_server.py`).

    python bench/server.py [--seconds 150] [--clients 3] [--json]

Each has a new database on a disk and the same load: processes that play a flow with tasks, logs and an artifact, again
and again. Meanwhile its health is asked four times a second. Prefect's own stands still for a minute now and then, when
its event loop collects the cursor of a statement that failed: how often, is chance, so give it some minutes.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from flows.server import command

OWN = [sys.executable, "-m", "prefect", "server", "start"]
SERVERS = {"prefect": OWN, "ours": command()}
LOAD = """
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact

@task
def step(i):
    return i

@flow
def play():
    for i in range(10):
        step(i)
        get_run_logger().info("step %s", i)
    create_markdown_artifact("seen", "load")

while True:
    play()
"""
ASK_S = 0.25
STILL_S = 5.0  # an answer that took longer is a stall
LONGEST_S = 120.0


def measure(name: str, seconds: float, clients: int) -> dict[str, Any]:
    """Seconds that answers took, of one server under load."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = str(place.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{port}/api"
        env = os.environ | {"PREFECT_HOME": folder, "PREFECT_API_URL": url, "PREFECT_LOGGING_LEVEL": "WARNING"}
        asked = [*SERVERS[name], "--host", "127.0.0.1", "--port", port]
        started: list[subprocess.Popen[bytes]] = []
        try:
            with (Path(folder) / "log.txt").open("wb") as log:
                for argv in (asked, *[[sys.executable, "-c", LOAD]] * clients):
                    started.append(subprocess.Popen(argv, env=env, stdout=log, stderr=log, cwd=folder))
                    _await(url)
            took = list(_answers(url, seconds))
        finally:
            for process in reversed(started):
                process.kill()
                process.wait()
    still = [t for t in took if t > STILL_S]
    return {"answers": len(took), "median": round(median(took), 4), "worst": round(max(took), 2), "stalls": len(still)}


def _await(url: str) -> None:
    for _ in range(600):
        with suppress(URLError, OSError), urlopen(f"{url}/health", timeout=LONGEST_S):
            return
        time.sleep(0.2)
    raise RuntimeError(f"no server answers at {url}")


def _answers(url: str, seconds: float) -> Iterator[float]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(ASK_S)
        began = time.monotonic()
        with urlopen(f"{url}/health", timeout=LONGEST_S):
            yield time.monotonic() - began


def main() -> None:
    """Measure both, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {name: measure(name, options.seconds, options.clients) for name in SERVERS}
    if options.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        print(
            f"{name}: {one['answers']} answers, median {1000 * one['median']:.0f} ms, worst {one['worst']} s, "
            f"{one['stalls']} of more than {STILL_S:.0f} s"
        )
    ratio = found["prefect"]["worst"] / found["ours"]["worst"]
    print(f"worst answer of Prefect's own beside ours: {ratio:.1f} times")


if __name__ == "__main__":
    main()
