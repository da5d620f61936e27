"""A real run beside a real Prefect server: what its UI is given, and that a server that dies is no harm."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.servers import Server

pytestmark = pytest.mark.operations


class Asked(Server):
    """A server of its own whose API is asked without Prefect's client."""

    def get(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return None
        return text if path == "/metrics" else json.loads(text)

    def artifacts(self) -> dict[str, dict[str, Any]]:
        return {a["key"]: a for a in self.get("/artifacts/filter", {"limit": 200}) or []}


def until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds; fails when it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    running = Asked(tmp_path_factory.mktemp("server"), port)
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture(scope="module")
def run(server: Asked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the recipe `smoke`."""
    home = tmp_path_factory.mktemp("home")
    env = os.environ | {"FLYWHEEL_HOME": str(home), "PREFECT_API_URL": server.url}
    argv = [sys.executable, "-m", "flows.cli", "run", "smoke", "--name", "seen"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Error logging to API" not in done.stderr
    return home / "seen"


def test_a_run_is_seen_in_the_ui(server: Asked, run: Path) -> None:
    found = server.artifacts()
    started = [f for f in server.get("/flow_runs/filter", {}) if f["parent_task_run_id"] is None]
    assert {a["flow_run_id"] for a in found.values()} == {started[0]["id"]}
    for number in (1, 2):
        for name in ("audit", "propose", "generate", "verify", "curate", "distill"):
            bar = found[f"seen-round-{number}-{name}"]
            assert (bar["type"], float(bar["data"])) == ("progress", 100)
            assert bar["description"].startswith(f"{name}, round {number}: ") and " took " in bar["description"]
        assert found[f"seen-round-{number}"]["type"] == "table"
        assert {"domain", "level", "pass@1 before"} <= set(json.loads(found[f"seen-round-{number}"]["data"])[0])
        assert found[f"seen-round-{number}-quality"]["data"].startswith(f"# Quality gate of round {number}: passed")
    for name in ("accuracy", "frontier", "pass-at-k"):
        assert found[f"seen-{name}"]["data"].startswith("data:image/png;base64,iVBOR")
    assert "points of pass@1" in found["seen-summary"]["data"]


def test_its_log_is_in_the_ui_and_in_its_folder(server: Asked, run: Path) -> None:
    started = next(f for f in server.get("/flow_runs/filter", {}) if f["parent_task_run_id"] is None)["id"]
    logged = server.get("/logs/filter", {"limit": 200, "sort": "TIMESTAMP_ASC"})
    messages = {n["message"] for n in logged if n["flow_run_id"] == started}
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert {n["stage"] for n in lines if n.get("round") == 2} >= {"audit", "generate", "verify", "curate", "distill"}
    assert {n["message"] for n in lines if "round" in n} <= messages
    assert [n for n in logged if "Finished in state Completed()" in n["message"]]  # Prefect's own, of every task


def test_prometheus_reads_the_server(server: Asked) -> None:
    assert "# TYPE prefect_" in server.get("/metrics")


def test_a_server_that_dies_and_comes_back_is_caught_up_with(
    server: Asked, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server.url)
    from prefect import flow
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows import live
    from flows.live import Shown

    monkeypatch.setattr(live, "EVERY_S", 0.3)
    state = {"percent": 10.0}

    def bar() -> float:
        return float(server.artifacts()["dies"]["data"])

    def ids() -> list[UUID]:
        found = server.get("/artifacts/filter", {"artifacts": {"key": {"any_": ["dies"]}}})
        return [a["id"] for a in found]

    @flow(name="dies")
    def dies() -> None:
        with live.board() as board:
            assert board is not None
            board.show("dies", lambda: Shown("progress", f"at {state['percent']}", state["percent"]), again=True)
            until(lambda: "dies" in server.artifacts(), 60)
            server.kill()
            began = time.monotonic()
            state["percent"] = 50.0
            board.show("dies-table", lambda: Shown("table", "while it was away", "[]"))
            assert time.monotonic() - began < 0.1  # nobody waits
            time.sleep(1.5)
            server.start()
            until(lambda: bar() == 50, 60)
            state["percent"] = 100.0

    with temporary_settings({PREFECT_API_URL: server.url}):
        dies()
    assert bar() == 100 and len(ids()) == 1
    assert server.artifacts()["dies-table"]["description"] == "while it was away"


def test_a_subflow_begins_when_the_server_is_back(server: Asked) -> None:
    """As a round does: Prefect asks once, with a client that was never connected, and the run would have crashed."""
    from prefect import flow
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.server import await_answer

    @flow(name="inner")
    def inner() -> str:
        return "begun"

    @flow(name="outer")
    def outer() -> str:
        server.kill()
        back = threading.Timer(3, server.start)
        back.start()
        await_answer()
        begun = inner()
        back.join()
        return begun

    with temporary_settings({PREFECT_API_URL: server.url}):
        assert outer() == "begun"
