"""The device is one run's at a time: also when a holder or the server is killed, and never longer than it is used."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from urllib.request import urlopen

import pytest

from data import locks
from data.errors import UserError
from flows import _turns
from tasks import _workers
from tests.servers import Server

HOLD = """
import sys, time
from flows import environment; environment.prepare()
from flows import device; device.RENEW_S = 1
with device.slot():
    print("in", time.time(), flush=True)
    sys.stdin.readline()
    print("out", time.time(), flush=True)
"""
LOSE = """
import os, sys, time
from uuid import UUID
from flows import environment; environment.prepare()
from prefect import flow
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.runtime import flow_run
from flows import _turns, device

@flow
def play():
    with device.connect() as client:
        device.make(client)
        by = ConcurrencyLeaseHolder(type="flow_run", id=UUID(flow_run.id))
        assert client.increment_concurrency_slots_with_lease(["gpu"], 1, "concurrency", 60.0, by).json()["limits"]
    print("lost", flush=True)
    if sys.argv[1:] == ["again"]:
        with device.slot():
            print("in", flush=True)
    else:
        with _turns.turn():
            _turns.note(_turns.Holder("night/1", os.getpid(), time.time(), flow_run=flow_run.id))
            print("in", flush=True)
            sys.stdin.readline()

play()
"""
LOCK = """
import sys
from flows import _turns
with _turns.turn() as left:
    _turns.note(_turns.Holder("night/1", 4711, 0.0, "lease"))
    print("in", left, flush=True)
    sys.stdin.readline()
    _turns.forget()
"""
PORT = 4400


class Child:
    """A process that takes the device, and keeps it until it is told to let go."""

    def __init__(self, code: str, env: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def says(self) -> str:
        """The next line; waits for it."""
        assert self.process.stdout
        return self.process.stdout.readline()

    def let_go(self) -> str:
        """Let it end; what else it said, errors last."""
        out, err = self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0, err
        return out + err

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def clear_away(self) -> None:
        """Also a server of its own, which outlives it when it is killed."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def test_a_killed_holder_frees_the_lock_and_leaves_its_note(home: Path) -> None:
    assert _turns.holder() is None and _turns.left_behind() is None
    first = Child(LOCK, {})
    try:
        assert first.says() == "in None\n"
        who = _turns.holder()
        assert who and (who.run, who.pid) == ("night/1", 4711)
        assert "night/1 (process 4711) has it since" in str(who)
        assert _turns.left_behind() is None
    finally:
        first.kill()
    assert _turns.holder() is None
    left = _turns.left_behind()
    assert left and left.lease == "lease"
    second = Child(LOCK, {})
    assert "4711" in second.says()
    second.let_go()
    assert _turns.left_behind() is None


def test_who_has_waited_is_first(home: Path) -> None:
    """A run that gives the device back and wants it again at once is behind another that waits."""
    got = Event()

    def again() -> None:
        with _turns.turn():
            got.set()

    with _turns.turn():
        waiting = Child(LOCK, {})
        while not locks.busy(home / "device" / "gpu.door"):
            time.sleep(0.05)
    wanting = Thread(target=again)
    wanting.start()
    assert waiting.says() == "in None\n"
    assert not got.wait(1)
    waiting.let_go()
    wanting.join(10)
    assert got.is_set()


def test_who_waits_is_told_why(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell = _turns.Teller()
    for _ in range(3):
        tell("night/1 has it")
    assert capsys.readouterr().err == "Waiting for the device gpu: night/1 has it\n"


def test_another_device_has_another_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_turns.VARIABLE, "gpu-1")
    assert _turns.lock() == home / "device" / "gpu-1.lock"
    monkeypatch.setenv(_turns.VARIABLE, "../gpu")
    with pytest.raises(UserError, match="FLYWHEEL_DEVICE"):
        _turns.lock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("prefect"), PORT)
    yield found
    found.kill()


def taken(server: Server) -> int:
    """Slots of the limit that are taken, as Prefect's UI shows them."""
    with urlopen(f"{server.url}/v2/concurrency_limits/gpu") as answer:
        return int(json.load(answer)["active_slots"])


def lease() -> str:
    who = _turns.holder()
    assert who
    return who.lease


@pytest.mark.operations
def test_one_at_a_time_and_the_slot_of_a_killed_one_is_free_at_once(home: Path, server: Server) -> None:
    env = {"PREFECT_API_URL": server.url}
    first = Child(HOLD, env)
    assert first.says().startswith("in")
    assert taken(server) == 1 and lease()
    second = Child(HOLD, env)
    time.sleep(8)
    assert lease() and taken(server) == 1
    first.kill()
    began = time.monotonic()
    assert second.says().startswith("in")
    assert time.monotonic() - began < 10
    assert taken(server) == 1
    said = second.let_go()
    assert f"(process {first.process.pid}) has it since" in said
    assert taken(server) == 0 and _turns.left_behind() is None


@pytest.mark.operations
@pytest.mark.parametrize("how", ["killed", "again"])
def test_a_lease_whose_answer_never_came_is_given_back(home: Path, server: Server, how: str) -> None:
    """The run that asked for it is killed before it hears of it; or asks again, and is then refused by itself."""
    env = {"PREFECT_API_URL": server.url, "PREFECT_HOME": str(server.folder)}
    first = Child(LOSE, env, how)
    assert [first.says(), taken(server)] == ["lost\n", 1]
    began = time.monotonic()
    assert first.says() == "in\n"
    if how == "killed":
        first.kill()
        began = time.monotonic()
        second = Child(HOLD, env)
        assert second.says().startswith("in")
        second.let_go()
    else:
        first.let_go()
    assert time.monotonic() - began < 20  # the lease would have lasted a minute
    assert taken(server) == 0 and _turns.left_behind() is None


@pytest.mark.operations
def test_what_a_killed_holder_has_left_is_given_back_when_nobody_wants_the_device(home: Path, server: Server) -> None:
    """As the runner of `flywheel up` does, while a run lives no longer than its own slot."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows import device

    with temporary_settings({PREFECT_API_URL: server.url}), get_client(sync_client=True) as client:
        holder = Child(HOLD, {"PREFECT_API_URL": server.url})
        assert holder.says().startswith("in")
        assert not device.free_left(client) and taken(server) == 1
        holder.kill()
        assert device.free_left(client) and taken(server) == 0
        assert _turns.left_behind() is None and not device.free_left(client)


@pytest.mark.operations
def test_a_server_that_starts_anew_does_not_end_the_slot(home: Path, server: Server) -> None:
    holder = Child(HOLD, {"PREFECT_API_URL": server.url})
    holder.says()
    file = server.folder / "concurrency_leases" / f"{lease()}.json"
    before = json.loads(file.read_text())["expiration"]
    server.kill()
    time.sleep(3)
    server.start()
    until = time.monotonic() + 30
    while json.loads(file.read_text())["expiration"] == before and time.monotonic() < until:
        time.sleep(0.2)
    assert json.loads(file.read_text())["expiration"] > before
    assert "is not renewed, the run goes on" in holder.let_go()
    assert taken(server) == 0


@pytest.mark.operations
def test_a_slot_that_was_lost_is_taken_again(home: Path, server: Server) -> None:
    """As when the server was away for longer than the lease."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    holder = Child(HOLD, {"PREFECT_API_URL": server.url})
    holder.says()
    lost = lease()
    with temporary_settings({PREFECT_API_URL: server.url}), get_client(sync_client=True) as client:
        client.release_concurrency_slots_with_lease(lost)  # type: ignore[arg-type]
    until = time.monotonic() + 30
    while lease() == lost and time.monotonic() < until:
        time.sleep(0.2)
    assert lease() != lost and taken(server) == 1
    holder.let_go()
    assert taken(server) == 0


@pytest.mark.operations
def test_a_limit_of_zero_makes_runs_wait(home: Path, server: Server) -> None:
    """What a person does in Prefect's UI to keep the device for something else."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    def limit(number: int) -> None:
        with temporary_settings({PREFECT_API_URL: server.url}), get_client(sync_client=True) as client:
            client.upsert_global_concurrency_limit_by_name("gpu", number)

    limit(0)
    waiting = Child(HOLD, {"PREFECT_API_URL": server.url})
    until = time.monotonic() + 60
    while not _turns.holder() and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(3)
    assert not lease()
    limit(1)
    assert waiting.says().startswith("in")
    waiting.let_go()


@pytest.mark.operations
def test_plain_runs_with_servers_of_their_own_take_turns(home: Path) -> None:
    """Their short-lived servers end no leases, so nothing but the next run frees what a killed one had taken."""
    children = [Child(HOLD, {"PREFECT_HOME": str(home / "prefect")}) for _ in range(2)]
    while not (who := _turns.holder()) or not who.lease:
        time.sleep(0.2)
    first = next(c for c in children if c.process.pid == who.pid)
    second = next(c for c in children if c is not first)
    assert first.says().startswith("in")
    first.kill()
    assert second.says().startswith("in")
    who = _turns.holder()
    assert who and who.pid == second.process.pid
    second.let_go()
    assert _turns.holder() is None and _turns.left_behind() is None
    for child in children:
        child.clear_away()


PLAY = """
import sys
from pathlib import Path
from flows import environment; environment.prepare()
import pyarrow as pa
from prefect import flow
from data.progress import silent
from data.store import home
from flows import device, logs
from tasks.distill import train_apart
from tasks.engines import Request
from tasks.first_model import SEED_POLICY
from tasks.serving import Serving
from tasks.settings import DistillSettings, EngineSettings

@flow
def play(run):
    out = home() / run / "model"
    rows = pa.table({"prompt": ["1 + 1"] * 8, "completion": ["2"] * 8, "system": [""] * 8})
    engine = EngineSettings(name="transformers", dtype="float32", max_model_len=128, max_num_seqs=4)
    training = DistillSettings(max_steps=2, batch_size=4, max_length=128, threads=1, precision="float32")
    with logs.context(run=run), Serving(engine, device.slot) as serving:
        for model in (SEED_POLICY, out):
            assert len(list(serving.of(model)().complete([Request("a", "1 + 1", n=2, max_tokens=8)]))) == 1
            if model is SEED_POLICY:
                with serving.training():
                    train_apart("sft", rows, model, out, training, 0, silent)

(home() / sys.argv[1]).mkdir()
play(sys.argv[1])
"""


def at_work(parents: set[int]) -> dict[int, list[int]]:
    """Engine workers and trainers that exist at this moment, by the run's process that started them."""
    return {pid: found for pid in parents if (found := _workers.of(pid))}


def held(log: Path) -> list[tuple[datetime, datetime]]:
    """When a run had the device, from its own log."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    events = [
        (datetime.fromisoformat(x["time"]), x["message"]) for x in lines if x["message"].startswith("the device gpu")
    ]
    assert [m for _, m in events] == ["the device gpu is taken", "the device gpu is given back"] * (len(events) // 2)
    return [(a, b) for (a, _), (b, _) in zip(events[::2], events[1::2], strict=True)]


@pytest.mark.operations
@pytest.mark.timeout(1200)
def test_generation_and_training_of_two_runs_never_overlap(home: Path, server: Server) -> None:
    """Real engines and real training of two flows at once, each in its own process, seen from outside and in logs."""
    env = {**os.environ, "PREFECT_API_URL": server.url}
    runs = [
        subprocess.Popen([sys.executable, "-c", PLAY, name], env=env, stderr=subprocess.PIPE) for name in ("one", "two")
    ]
    most, samples, busy = 0, 0, 0
    try:
        while any(run.poll() is None for run in runs):
            found = at_work({run.pid for run in runs})
            most = max(most, sum(map(len, found.values())))
            samples, busy = samples + 1, busy + bool(found)
            time.sleep(0.05)
        said = [run.communicate()[1].decode() for run in runs]
    finally:
        for run in runs:
            run.kill()
    assert [run.returncode for run in runs] == [0, 0], said
    assert most == 1 and busy > 20, (most, busy, samples)
    spans = sorted(span for name in ("one", "two") for span in held(home / name / "log.jsonl"))
    assert len(spans) == 6  # an engine, a training, an engine: of each
    assert all(a[1] <= b[0] for a, b in pairwise(spans)), spans
    assert any("Waiting for the device gpu" in text for text in said)
