"""`flywheel up`: a real server, a real runner, real kills. What is stopped or killed goes on, and nothing stays behind.

The first tests are of small parts and need neither. The others share one `flywheel up` and run in their order.
"""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, GlobalConcurrencyLimitCreate
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.states import AwaitingRetry, Crashed, Failed, Pending, Running

from data.errors import UserError
from flows import child, processes, recovery, server
from flows.child import Child
from flows.cli import main
from flows.environment import served_at
from flows.flow_runs import age
from flows.runner import SWEEP_S
from tests.supervised import Up, until


def test_what_holds_the_port_must_be_a_prefect_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} of 127.0.0.1 is in use by something that is no Prefect"):
            server.find(port)
    assert server.find(port) == server.Server(f"http://127.0.0.1:{port}/api", ours=True)


def test_a_server_of_another_version_is_refused() -> None:
    with _answering(b'"2.20.0"') as port, pytest.raises(UserError, match=r"is version 2\.20\.0, this project works"):
        server.find(port)


def test_a_server_elsewhere_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "https://api.prefect.cloud/api/accounts/1/workspaces/2")
    assert not server.find().ours


def test_a_recipe_that_is_not_there_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--nightly", "nope"]) == 2
    assert capsys.readouterr().err.startswith("flywheel: no recipe 'nope' for the nightly schedule: known are demo, ")
    assert not (home / "prefect" / "server.log").exists()


def test_processes_are_known_by_the_home_that_they_carry(home: Path) -> None:
    flow_run = uuid4()
    env = os.environ | {processes.MARK: str(home), processes.FLOW_RUN: str(flow_run)}
    below = "import subprocess; subprocess.run(['sleep', '60'])"
    started = subprocess.Popen([sys.executable, "-c", below], env=env)
    try:
        until(lambda: len(processes.of_home(home)) == 2, 10)
        assert processes.of_flow_run(flow_run) == processes.of_home(home)
        assert processes.of_home(home / "other") == []
        assert processes.end(home) == {str(flow_run)}
        assert started.wait(5) == -signal.SIGKILL
        assert processes.of_home(home) == []
    finally:
        started.kill()


def test_a_child_that_answers_no_more_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "ASK_S", 0.0)
    monkeypatch.setattr(child, "HUNG_S", 0.2)
    works = [True, True, False, False, True, False, False]
    found = Child("sleeper", ["sleep", "60"], dict(os.environ), tmp_path / "log", answers=lambda: works.pop(0))
    found.start()
    try:
        said = []
        while works:
            time.sleep(0.11)
            said.append(found.hangs())
        assert said == [False, False, False, True, False, False, True]
    finally:
        found.stop(5)
    assert found.dead() == -signal.SIGTERM


def test_crashes_count_from_the_last_time_that_a_person_let_it_go_on() -> None:
    given_up = Crashed(message=recovery.GIVEN_UP.format(2))
    once = [Pending(), Running(), Crashed(), AwaitingRetry(), Running(), Crashed()]
    history = [*once, given_up, AwaitingRetry(), Running(), Crashed()]
    for number, state in enumerate(history):
        state.timestamp = datetime.now(UTC) + timedelta(seconds=number)
    assert [recovery.crashes(history[:n][::-1]) for n in range(11)] == [0, 0, 0, 1, 1, 1, 2, 0, 0, 0, 1]


def test_what_only_lost_its_server_counts_as_a_crash_and_what_only_fell_silent_does_not() -> None:
    lost = Failed(message="Flow run encountered an exception: ConnectError: All connection attempts failed")
    wrong = Failed(message="Flow run encountered an exception: ValueError: no")
    history = [Running(), lost, AwaitingRetry(), Crashed(message="No heartbeat"), AwaitingRetry(), Running(), wrong]
    for number, state in enumerate(history):
        state.timestamp = datetime.now(UTC) + timedelta(seconds=number)
    assert [recovery.crashes(history[:n]) for n in (1, 2, 4, 7)] == [0, 1, 1, 1]


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A webhook on this machine: its address, and what it was told."""
    heard: list[dict[str, str]] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as hook:
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{hook.server_port}/hook", heard
        hook.shutdown()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, told: tuple[str, list[dict[str, str]]]) -> Iterator[Up]:
    """One `flywheel up` for the tests below."""
    started = Up(tmp_path_factory.mktemp("up"), "--notify", told[0], "--nightly", "smoke")
    yield started
    if started.process.poll() is None:
        started.process.kill()
    processes.end(started.home)


@pytest.mark.operations
def test_the_ui_is_there_soon_and_everything_is_served(up: Up) -> None:
    assert up.seconds < 120, "20 s is the promise for a machine that is idle"
    with urllib.request.urlopen(f"http://127.0.0.1:{up.port}/deployments", timeout=30) as page:
        assert b"<html" in page.read().lower()
    with up.client() as client:
        served = {d.name: d for d in client.read_deployments() if d.name != "pool"}
        assert set(served) == {"flywheel", "round", "bootstrap", "evaluate", "reverify", "curate-only"}
        assert all(d.entrypoint.startswith("flows.entries.") and d.description for d in served.values())
        form = served["flywheel"].parameter_openapi_schema or {}
        assert form["properties"]["run_seed"]["title"] == "Run seed"
        (nightly,) = client.read_deployment_schedules(served["flywheel"].id)
        assert (nightly.slug, nightly.active, nightly.schedule.cron) == ("nightly", False, "0 2 * * *")
        assert nightly.parameters == {"recipe": "smoke", "run": "nightly"}
        limits = {limit.name: limit.limit for limit in client.read_global_concurrency_limits()}
        assert limits["gpu"] == 1
        assert {a.name for a in client.read_automations()} >= {"flywheel-zombies", "flywheel-messages"}
    with urllib.request.urlopen(f"{up.url}/metrics", timeout=30) as metrics:
        assert b"python_info" in metrics.read()


@pytest.mark.operations
def test_a_slot_that_no_lease_holds_is_freed(up: Up) -> None:
    with up.client() as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name="two", limit=2))
        client.increment_concurrency_slots_with_lease(["two"], 1, "concurrency", 300)
        client.increment_concurrency_slots(["two"], 1, "concurrency")  # as a server does that is killed just then
        assert client.read_global_concurrency_limit_by_name("two").active_slots == 2
        until(lambda: client.read_global_concurrency_limit_by_name("two").active_slots == 1)
        time.sleep(2 * SWEEP_S)
        assert client.read_global_concurrency_limit_by_name("two").active_slots == 1


@pytest.mark.operations
def test_a_second_one_is_told_where_the_first_is(up: Up) -> None:
    second = up.command("up", "--port", "1")
    assert second.returncode == 2
    assert f"serves {up.home} already, at http://127.0.0.1:{up.port}" in second.stderr
    assert served_at(up.home / "prefect") == up.url


@pytest.mark.operations
def test_the_webhook_hears_how_a_run_ended(up: Up, told: tuple[str, list[dict[str, str]]]) -> None:
    asked = up.ask("curate-only", run="no-such-run")
    assert "no-such-run" in up.wait(asked, "Failed")
    until(lambda: any(message["run"] == up.run(asked).name for message in told[1]))
    (message,) = (m for m in told[1] if m["run"] == up.run(asked).name)
    assert (message["state"], message["flow"]) == ("Failed", "curate-only")
    assert "no-such-run" in message["message"]
    assert str(asked) in message["url"]


@pytest.mark.operations
def test_a_work_pool_of_another_machine_plays_the_same_flows(up: Up, root: Path) -> None:
    for argv in (["work-pool", "create", "flywheel", "--type", "process"], ["deploy", "--all"]):
        done = up.prefect("--no-prompt", *argv, cwd=root)
        assert done.returncode == 0, done.stderr + done.stdout
    with up.client() as client:
        pooled = [d for d in client.read_deployments() if d.name == "pool"]
        assert len(pooled) == 6
        (curate,) = [d for d in pooled if d.entrypoint == "flows.entries:curate_only"]
        asked = client.create_flow_run_from_deployment(curate.id, parameters={"run": "no-such-run"}).id
    worked = up.prefect("worker", "start", "--pool", "flywheel", "--run-once", cwd=up.home)
    assert worked.returncode == 0, worked.stderr
    assert "no-such-run" in up.wait(asked, "Failed")


@pytest.mark.operations
def test_a_schedule_gets_its_runs_and_an_overlapping_one_is_cancelled_with_a_reason(up: Up) -> None:
    with up.client() as client:
        deployment = client.read_deployment_by_name("flywheel/flywheel").id
        often = DeploymentScheduleCreate(
            schedule=IntervalSchedule(interval=timedelta(seconds=5)),
            parameters={"recipe": "smoke", "run": "often", "rounds": 50},
        )
        (made,) = client.create_deployment_schedules(deployment, [often])
        try:
            until(lambda: "Running" in _names(client) and "Scheduled" in _names(client))
            until(lambda: "Cancelled" in _names(client))
        finally:
            client.delete_deployment_schedule(deployment, made.id)
        runs = client.read_flow_runs()
        cancelled = next(r for r in runs if r.state_name == "Cancelled")
        assert cancelled.state and cancelled.state.message == "Deployment concurrency limit reached."
        going = [r for r in runs if r.state_name == "Running" and r.deployment_id == deployment]
    assert len(going) == 1
    up.cancel(going[0].id)


@pytest.mark.operations
def test_an_answered_run_waits_for_the_one_that_took_its_place(up: Up) -> None:
    asked = up.ask("flywheel", recipe="smoke", run="asked", rounds=1, promotion="a person")
    up.wait(asked, "Suspended")
    other = up.ask("flywheel", recipe="smoke", run="other", rounds=50)
    up.wait(other, "Running")
    with up.client() as client:
        client.resume_flow_run(asked, run_input={"decision": "promote", "reason": "looks sound"})
    late = up.ask("flywheel", recipe="smoke", run="late", rounds=1)
    up.wait(asked, "Cancelled")
    up.wait(late, "Cancelled")
    time.sleep(2 * SWEEP_S)
    assert up.run(asked).state_name == "Cancelled", "its place is taken"
    up.cancel(other)
    assert "1 of 1 rounds promoted" in up.wait(asked, "Completed")
    assert up.run(late).state_name == "Cancelled", "what had not begun stays so"


@pytest.mark.operations
def test_a_killed_flow_goes_on_until_it_has_crashed_three_times(up: Up) -> None:
    asked = up.ask("flywheel", recipe="smoke")
    for time_ in (1, 2, 3):
        up.wait(asked, "Running", time_)
        up.kill("prefect.engine")
    until(lambda: "is not tried again" in up.wait(asked, "Crashed", time_))
    assert len(list((up.home).glob("smoke-*/settings.json"))) == 1, "each try is of the same run"


@pytest.mark.operations
def test_what_a_killed_runner_ran_goes_on(up: Up) -> None:
    asked = up.ask("flywheel", recipe="smoke", run="runner-killed", rounds=50)
    up.wait(asked, "Running")
    up.kill("flows.runner")
    up.wait(asked, "Running", 2)
    assert "AwaitingRetry" in up.states(asked)
    up.kill("prefect server start")  # the runner and its runs outlive the server
    until(lambda: server.asked(up.url) is not None)
    assert up.run(asked).state_name == "Running"
    assert up.states(asked).count("Running") == 2


@pytest.mark.operations
def test_it_stops_cleanly_and_what_ran_goes_on_at_the_next_start(up: Up) -> None:
    going, before = _going(up)
    with up.client() as client:
        deployment = client.read_deployment_by_name("flywheel/flywheel").id
        (nightly,) = client.read_deployment_schedules(deployment)
        client.update_deployment_schedule(deployment, nightly.id, active=True)
    code, seconds = up.stop()
    assert (code, up.left()) == (0, [])
    assert seconds < 60, "10 s is the promise for a machine that is idle"
    with socket.create_server(("127.0.0.1", up.port)):
        assert served_at(up.home / "prefect") is None
    up.again()
    up.wait(going, "Running", before + 1)
    assert "`flywheel up` was stopped" in _messages(up, going)
    with up.client() as client:
        (nightly,) = client.read_deployment_schedules(deployment)
        assert nightly.active, "what a person has switched on stays on"
        client.update_deployment_schedule(deployment, nightly.id, active=False)


@pytest.mark.operations
def test_after_a_kill_of_everything_the_run_goes_on(up: Up) -> None:
    going, before = _going(up)
    up.process.kill()
    up.process.wait()
    until(lambda: not up.left(), 20)  # all below it end with it
    up.again()
    up.wait(going, "Running", before + 1)
    up.kill("prefect server start")  # after which Prefect's runner may hear of no cancellation
    until(lambda: server.asked(up.url) is not None)
    time.sleep(10)
    until(lambda: up.run(going).state_name == "Running")  # again, where it was just in need of the server
    up.cancel(going)
    until(lambda: not processes.of_flow_run(going), 20)


@pytest.mark.operations
def test_a_run_of_another_machine_that_falls_silent_goes_on(up: Up) -> None:
    with up.client() as client:
        deployment = client.read_deployment_by_name("flywheel/pool").id
        asked = client.create_flow_run_from_deployment(
            deployment, parameters={"recipe": "smoke", "run": "far", "rounds": 50}
        ).id
    with up.worker():
        up.wait(asked, "Running")
        up.kill("worker start")  # first, so that nobody sees the end of the flow's process
        up.kill("prefect.engine")
    until(lambda: "No heartbeat" in _messages(up, asked))
    up.wait(asked, "AwaitingRetry")
    with up.worker():
        up.wait(asked, "Running", 2)
        up.cancel(asked)


def _going(up: Up) -> tuple[UUID, int]:
    """The run that an earlier test has left at work, perhaps late to say it lost its server; how often it began."""
    with up.client() as client:
        (run,) = [r for r in client.read_flow_runs() if r.name == "runner-killed" and r.deployment_id]
    until(lambda: (now := up.run(run.id)).state_name == "Running" and age(now) > 30)
    return run.id, up.states(run.id).count("Running")


def _names(client: SyncPrefectClient) -> list[str | None]:
    return [run.state_name for run in client.read_flow_runs() if run.deployment_id]


def _messages(up: Up, flow_run: UUID) -> str:
    with up.client() as client:
        return " ".join(state.message or "" for state in client.read_flow_run_states(flow_run))


@contextmanager
def _answering(body: bytes) -> Iterator[int]:
    """Something on a port of this machine that answers every request with this body."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found.server_port
        found.shutdown()
