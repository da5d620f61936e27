"""What is started from a form: it goes on under its own name, adds no rounds when it is tried again, ends in words.

A real server, a real runner, real processes; the rehearsal engine has a process that can be killed.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest
from prefect import flow, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.exceptions import PrefectHTTPStatusError

from data.records import RoundResult
from data.schemas import rows
from data.store import SETTINGS, Store
from flows import _answers
from flows._answers import Told, answered
from tasks.engines import EngineDied
from tests.ledgers import assert_whole
from tests.served import Served

pytestmark = [pytest.mark.operations, pytest.mark.timeout(1800)]
SMALL: dict[str, Any] = {
    "generate": {"problems": 30, "proposals": 0},
    "evaluate": {"problems": 2},
    "distill": {"start_from": "incumbent"},  # so that no two rounds make the same model
}
PATIENCE_S = 600  # of each wait: the machine may be busy
HOSTED: dict[str, Any] = {"engine": {"name": "rehearsal"}, "generate": {"problems": 120}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("entries"), prefect_server) as deployment:
        yield deployment


def rounds(served: Served, run: str) -> int:
    return len(rows(Store(served.home).read("rounds", run), RoundResult))


def name_of(flow_run: UUID) -> str:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(flow_run).name


def played(name: str) -> int:
    """How many flow runs have this name."""
    with get_client(sync_client=True) as client:
        return len(client.read_flow_runs(flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=[name]))))


def run_count(flow_run: UUID) -> int:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(flow_run).run_count


def command(served: Served, *argv: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"FLYWHEEL_HOME": str(served.home)}
    argv = (sys.executable, "-m", "flows.cli", *argv)
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=PATIENCE_S)


def test_from_a_form_to_the_end_and_on(served: Served) -> None:
    first = served.start(recipe="smoke", rounds=1, changes=SMALL)
    told = served.until(first, "Completed", seconds=PATIENCE_S).message or ""
    run = name_of(first)
    assert run.startswith("smoke-20") and (served.home / run / SETTINGS).exists()
    assert run in told and "points of pass@1" in told and "of 1 rounds promoted" in told
    served.retry(first)
    served.until(first, "Running", seconds=PATIENCE_S)
    assert (served.until(first, "Completed", seconds=PATIENCE_S).message, rounds(served, run)) == (told, 1)
    further = served.start(recipe="smoke", run=run)  # one of the recipe's two rounds is left
    served.until(further, "Completed", seconds=PATIENCE_S)
    assert (name_of(further), rounds(served, run)) == (run, 2)
    more = served.start(run=run, rounds=1)
    served.until(more, "Completed", seconds=PATIENCE_S)
    assert rounds(served, run) == 3
    assert [played(f"{run}/{number}") for number in (1, 2, 3)] == [1, 1, 1], "a finished round is not played again"
    other = served.start(run=run, changes={"levels": 2})
    assert "leave the changes of levels out" in (served.until(other, "Failed", seconds=PATIENCE_S).message or "")
    assert_whole(served.home)
    again(served, run)


def again(served: Served, run: str) -> None:
    """The attempts of that run, chosen again on the command line."""
    same = command(served, "curate", run)
    assert same.returncode == 0, same.stderr
    other = command(served, "curate", run, "--set", "curate.replay_share=0")
    assert other.returncode == 0 and "flywheel export" in other.stderr, other.stderr
    found = Store(served.home).query("SELECT DISTINCT run, dataset_id FROM examples WHERE round = 3").to_pylist()
    ids = {row["run"]: row["dataset_id"] for row in found}
    assert len(ids) == 3 and len(set(ids.values())) == 2, "the same rules give the same dataset"
    assert_whole(served.home)


def test_what_a_person_has_to_mend_fails_at_once_in_one_sentence(served: Served) -> None:
    flow_run = served.start(recipe="smoke", run="lost", changes={"model": "/no/such/model"})
    state = served.until(flow_run, "Failed", seconds=PATIENCE_S)
    assert (state.message or "").startswith("no model at /no/such/model") and run_count(flow_run) == 1
    assert not (served.home / "lost" / SETTINGS).exists()
    for bad in ({"recipe": "nonsense"}, {"rounds": -1}, {"changes": {"generate": {"samples": 0}}}):
        with pytest.raises(PrefectHTTPStatusError):
            served.start(**bad)


def test_an_engine_that_is_killed_is_started_again_by_the_same_flow_run(served: Served) -> None:
    flow_run = served.start(recipe="smoke", run="killed", rounds=1, changes=HOSTED)
    part = served.home / "lake" / "attempts" / "run=killed" / "round=1"
    engine = killed_engine(served, flow_run, part)
    waiting = served.until(flow_run, "AwaitingRetry", seconds=PATIENCE_S)
    assert "died (killed by SIGKILL)" in (waiting.message or "")
    served.until(flow_run, "Completed", seconds=PATIENCE_S)
    assert not engine.is_running() and run_count(flow_run) == 2 and rounds(served, "killed") == 1
    assert_whole(served.home)
    (order,) = (served.home / "killed" / "orders").glob("*.json")
    assert json.loads(order.read_text())["until"] == 1 and order.stem == str(flow_run)


def test_a_flow_that_was_tried_again_gives_its_figures(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_answers, "WAIT_S", 0)
    tries: list[str] = []

    def work() -> Told:
        tries.append("")
        if len(tries) == 1:
            raise EngineDied("the engine died")
        return Told("well", {"gain": 1})

    @flow
    def dies_once() -> dict[str, Any]:
        return answered(work)

    assert (dies_once(), len(tries)) == ({"gain": 1}, 2)


def killed_engine(served: Served, flow_run: UUID, part: Path) -> psutil.Process:
    """The engine, killed when the first part of what it generates is there."""
    until = time.monotonic() + PATIENCE_S
    while not list(part.glob("part-*.parquet")):
        assert time.monotonic() < until and not served.state(flow_run).is_final(), served.state(flow_run)
        time.sleep(0.02)
    children = served.flow(flow_run).children(recursive=True)
    engine = next(p for p in children if "tasks.engines._worker" in p.cmdline())
    engine.kill()
    return engine
