"""`flywheel doctor` finds each fault, names it, changes nothing unless told to, mends it, and finds it no more."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.records import Model
from data.store import At, Store
from flows import _turns, cli, show
from flows.alone import on_run
from tasks import _device_checks, doctor
from tasks._findings import Finding, mended
from tasks.first_model import SEED_POLICY
from tasks.settings import EngineSettings
from tests.servers import Server

PORT, LONELY = 4402, 4403


@pytest.fixture
def damaged(home: Path) -> Path:
    """A home whose only part is gone."""
    stage = Store(home).stage(At("night", 1, 0), "distill", "f")
    stage.write("models", "all", [Model("one", "base", "sft", "{}", "d" * 16, "night/one", 10, 1.0)])
    stage.commit({})
    next((home / "lake").rglob("*.parquet")).unlink()
    return home


def test_a_damaged_ledger_is_set_right_only_when_asked(damaged: Path) -> None:
    before = sorted(damaged.rglob("*"))
    found = doctor.ledger(damaged)
    assert found.state == "failed" and "damaged" in found.text
    assert sorted(damaged.rglob("*")) == before
    done = mended(found)
    assert done.state == "mended" and "set aside in" in done.text and "--name night" in done.text
    assert doctor.ledger(damaged).state == "ok"


def test_what_cannot_be_mended_stays_failed(damaged: Path) -> None:
    found = doctor.ledger(damaged)
    with on_run(Store(damaged), "night"):
        done = mended(found)
    assert done.state == "failed" and "is being written" in done.text


def test_an_engine_without_its_run_is_found_and_killed() -> None:
    parent = subprocess.Popen(["true"])
    parent.wait()
    words = [sys.executable, "-c", "import time; time.sleep(60)", "-m", "tasks.engines._worker", "3", str(parent.pid)]
    left = subprocess.Popen(words)
    try:
        while not Path(f"/proc/{left.pid}/cmdline").read_bytes():  # the kernel sets it a moment after the start
            time.sleep(0.01)
        found = _device_checks.orphans()
        assert found.state == "failed" and str(left.pid) in found.text
        assert mended(found).state == "mended"
        assert left.wait(10) == -9
        assert _device_checks.orphans().state == "ok"
    finally:
        left.kill()


@pytest.mark.parametrize(
    "gpus, seen, state",
    [
        ([["0", "3", "143771"]], [], "ok"),
        ([["0", "120000", "143771"]], [4711], "ok"),
        ([["0", "120000", "143771"], ["1", "3", "143771"]], [], "warning"),
        ([["0", "[N/A]", "[N/A]"]], [], "ok"),  # a GPU that shares the machine's memory
    ],
)
def test_memory_that_no_process_seen_here_holds(gpus: list[list[str]], seen: list[int], state: str) -> None:
    found = _device_checks.gpu_finding(gpus, seen)
    assert found.state == state and ("117.2 of 140 GiB of GPU 0" in found.text) == (state == "warning")


def test_an_engine_is_really_started() -> None:
    found = _device_checks.engine(EngineSettings(name="rehearsal"), SEED_POLICY)
    assert found.state == "ok" and "tokens" in found.text
    gone = _device_checks.engine(EngineSettings(name="transformers"), SEED_POLICY / "nowhere")
    assert gone.state == "failed" and "nowhere" in gone.text


def test_json_is_an_object_per_check(capsys: pytest.CaptureFixture[str]) -> None:
    found = [Finding("disk", "ok", "“[bold]” of 5"), Finding("device", "failed", "x", lambda: "y")]
    assert not show.findings(found, "json")
    assert show.findings(map(mended, found), "json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [x["state"] for x in lines] == ["ok", "failed", "ok", "mended"]
    assert lines[0] == {"name": "disk", "state": "ok", "text": "“[bold]” of 5"} and lines[3]["text"] == "x: y"


def test_an_unknown_recipe_is_bad_use(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--quick", "--recipe", "nightly"]) == 2
    assert "known are" in capsys.readouterr().err


class Machine:
    """`flywheel up` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        self.env = {**plain, "FLYWHEEL_HOME": str(home)}
        self.url = f"http://127.0.0.1:{PORT}/api"
        with (home / "up.log").open("wb") as log:
            command = [sys.executable, "-m", "flows.cli", "up", "--port", str(PORT)]
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        self.until(lambda: (home / "prefect" / "up.url").exists())

    def until(self, true: Any, seconds: float = 240) -> None:
        ends = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < ends, (self.home / "up.log").read_text()[-3000:]
            time.sleep(0.3)

    def doctor(self, *options: str, **env: str) -> dict[str, dict[str, str]]:
        """What it finds, by name."""
        command = [sys.executable, "-m", "flows.cli", "doctor", "--quick", "--json", *options]
        done = subprocess.run(command, env=self.env | env, capture_output=True, text=True, timeout=300)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == any(f["state"] == "failed" for f in found), done.stderr
        return {f["name"]: f for f in found}

    def heals(self, faults: dict[str, str], **env: str) -> None:
        """The faults are found, named, and after they were mended found no more."""
        found = self.doctor(**env)
        for name, text in faults.items():
            assert found[name]["state"] == "failed" and text in found[name]["text"], found
        found = self.doctor("--mend", **env)
        assert {found[name]["state"] for name in faults} == {"mended"}, found
        found = self.doctor(**env)
        assert {found[name]["state"] for name in faults} == {"ok"}, found

    def run(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flows.cli", "run", "smoke", "--set", "engine.name=rehearsal", *options]
        return subprocess.Popen(command, env=self.env, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    found = Machine(tmp_path_factory.mktemp("home"))
    yield found
    found.process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        found.process.wait(20)
    found.process.kill()


@pytest.fixture(autouse=True)
def at_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "machine" in request.fixturenames:
        monkeypatch.setenv("FLYWHEEL_HOME", str(request.getfixturevalue("machine").home))


@pytest.mark.operations
@pytest.mark.timeout(600)
def test_a_healthy_machine(machine: Machine) -> None:
    found = machine.doctor()
    assert {f["state"] for f in found.values()} <= {"ok", "warning"}, found
    assert {"device", "server", "deployments", "schedules", "automation", "zombies", "terminal", "limit"} <= {*found}
    assert "are served" in found["deployments"]["text"] and found["schedules"]["text"] == "all are switched off"
    assert found["automation"]["state"] == "ok"


@pytest.mark.operations
@pytest.mark.timeout(900)
def test_a_run_of_a_terminal_that_was_killed_with_the_device(machine: Machine) -> None:
    run = machine.run("--name", "killed")
    machine.until(lambda: (who := _turns.holder()) and who.lease)
    run.kill()
    run.wait()
    machine.until(lambda: _turns.left_behind() is None)  # `flywheel up` has given it back
    machine.heals({"terminal": "killed"})
    found = machine.doctor()
    assert [found[name]["state"] for name in ("device", "limit")] == ["ok"] * 2, found
    assert "0 of 1" in found["limit"]["text"]


@pytest.mark.operations
@pytest.mark.timeout(600)
def test_a_slot_that_is_taken_by_nobody(machine: Machine) -> None:
    """As after leases that were lost with the memory of a server."""
    from prefect.client.orchestration import SyncPrefectClient

    with SyncPrefectClient(machine.url) as client:
        client.upsert_global_concurrency_limit_by_name("gpu", 1)
        client.request("POST", "/v2/concurrency_limits/increment", json={"names": ["gpu"], "slots": 1})
    machine.heals({"limit": "taken by nobody"})


@pytest.mark.operations
@pytest.mark.timeout(900)
def test_a_served_run_whose_machine_lost_power(machine: Machine) -> None:
    """Last: it ends `flywheel up` for good; then a server alone says that the run goes on."""
    from prefect.client.orchestration import SyncPrefectClient

    with SyncPrefectClient(machine.url) as client:
        deployment = client.read_deployment_by_name("flywheel/flywheel")
        changes = {"engine": {"name": "rehearsal"}}
        parameters = {"recipe": "smoke", "run": "zombie", "changes": changes}
        flow_run = client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id
    machine.until(lambda: (who := _turns.holder()) and who.lease)
    who = _turns.holder()
    machine.process.kill()  # first: nobody is left to tell the server how the others end
    processes = [p for p in Path("/proc").glob("[0-9]*") if _of(p, machine.home)]
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process.name), 9)
    machine.process.wait()
    server = Server(machine.home / "prefect", LONELY)
    try:
        env = {"PREFECT_API_URL": server.url, "PREFECT_HOME": str(machine.home / "prefect")}
        time.sleep(21)  # a flow run that has just changed its state may not have its process yet
        faults = {"zombies": "zombie", "device": f"(process {who and who.pid}) was killed while it had the slot"}
        machine.heals(faults, **env)  # whether or not the server heard of the end
        with SyncPrefectClient(server.url) as client:
            state = client.read_flow_run(flow_run).state
        assert state and state.name == "AwaitingRetry", state
    finally:
        server.kill()


def _of(process: Path, home: Path) -> bool:
    with contextlib.suppress(OSError):
        return f"FLYWHEEL_HOME={home}".encode() in (process / "environ").read_bytes().split(b"\0")
    return False
