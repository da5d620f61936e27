"""The promise: whoever started a run can stop it, ask to be asked, go on with it and limit it, at any moment, unharmed.

A real server, a real runner, real processes, and the rehearsal engine, which has a process and takes its time.
"""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect import get_client, resume_flow_run
from prefect.client.schemas.responses import SetStateStatus

from data.records import RoundResult
from data.schemas import RELATIONS, rows
from data.store import Store
from flows.approval import Approval, close_overdue
from flows.flow_runs import unsettled
from tests.ledgers import assert_whole, tables
from tests.served import Served

pytestmark = [pytest.mark.operations, pytest.mark.timeout(1800)]
SLOW: dict[str, Any] = {
    "engine": {"name": "rehearsal", "skill": 0.3},
    "generate": {"problems": 200, "proposals": 12},
    "evaluate": {"problems": 12},
    "verify": {"timeout_s": 60},  # on a busy machine too, a verdict is not a time-out
}
BEFORE = {  # what is there when a stage begins
    "generate": "manifests/{run}/round-1/decontaminate.json",
    "verify": "manifests/{run}/round-1/generate.json",
    "distill": "manifests/{run}/round-1/gate.json",
    "evaluate": "manifests/{run}/round-1/distill.json",
}
SECONDS = 30  # from Cancel to a machine that is free, however busy it is
PROMOTE = {"decision": "promote", "reason": "looks sound"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served"), prefect_server) as deployment:
        yield deployment


def begins(served: Served, flow_run: Any, run: str, stage: str) -> list[psutil.Process]:
    """Wait until a stage begins; everything below the flow's process then."""
    until = time.monotonic() + 600
    while not (served.home / BEFORE[stage].format(run=run)).exists():
        assert time.monotonic() < until and not served.state(flow_run).is_final(), served.state(flow_run)
        time.sleep(0.05)
    return served.flow(flow_run).children(recursive=True)


def results(served: Served, run: str) -> list[RoundResult]:
    return rows(Store(served.home).read("rounds", run), RoundResult)


def test_cancelled_in_every_stage_and_retried_it_ends_as_one_that_was_not(served: Served) -> None:
    flow_run = served.start(recipe="smoke", run="mine", rounds=1, changes=SLOW)
    for stage in BEFORE:
        below = begins(served, flow_run, "mine", stage)
        seconds = served.cancel(flow_run)
        left = served.assert_nothing_left("mine", below)
        print(f"cancelled in {stage}: {seconds:.1f} s, all gone {left:.1f} s later, {len(below)} processes before")
        assert seconds < SECONDS, (stage, seconds, left)
        Store(served.home).publish()
        served.retry(flow_run)
    served.until(flow_run, "Completed")
    twin = served.start(recipe="smoke", run="twin", rounds=1, changes=SLOW)
    served.until(twin, "Completed")
    assert_whole(served.home)
    found, expected = (tables(served.home, run) for run in ("mine", "twin"))
    assert {relation for relation in RELATIONS if found[relation] != expected[relation]} == set()


def test_a_person_is_asked_with_the_comparison_in_front_of_them(served: Served) -> None:
    run = served.start(recipe="smoke", run="asked", rounds=1, promotion="a person", changes=SLOW)
    suspended = served.until(run, "Suspended")
    served.assert_nothing_left("asked", [])  # it waits without a process, a lock, a device
    keys = suspended.state_details.run_input_keyset
    assert keys is not None
    with get_client(sync_client=True) as client:
        shown = client.read_flow_run_input(run, keys["description"])
        assert "| pass@1 |" in shown and "replace" in shown and "The test says: promoted" in shown
        refused = client.resume_flow_run(run, run_input={"reason": "no decision"})
    assert refused.status == SetStateStatus.REJECT and served.state(run).name == "Suspended"

    assert served.cancel(run) < SECONDS
    served.retry(run)
    served.until(run, "Suspended")  # it asks again
    assert results(served, "asked") == []
    resume_flow_run(run, run_input=PROMOTE)
    assert "1 of 1 rounds promoted" in str(served.until(run, "Completed").message)
    [result] = results(served, "asked")
    assert result.promoted and result.why.endswith("; approved by a person: looks sound")


def test_an_answer_that_came_while_nothing_ran_is_not_asked_for_again(served: Served) -> None:
    run = served.start(recipe="smoke", run="night", rounds=1, promotion="a person", changes=SLOW)
    served.until(run, "Suspended")
    served.kill_runner()
    resume_flow_run(run, run_input={"decision": "keep the incumbent", "reason": "not tonight"})
    served.serve()
    served.until(run, "Completed")
    [result] = results(served, "night")
    assert not result.promoted and "a person kept the incumbent: not tonight (the test had promoted" in result.why


def test_where_nobody_answers_the_incumbent_stays(served: Served) -> None:
    budget = {"answer_hours": 1 / 3600}
    run = served.start(recipe="smoke", run="alone", rounds=1, promotion="a person", budget=budget, changes=SLOW)
    served.until(run, "Suspended")
    time.sleep(1)
    with get_client(sync_client=True) as client:
        [said] = close_overdue(client, unsettled(client))
    assert "nobody answered within" in said
    served.until(run, "Completed")
    [result] = results(served, "alone")
    assert not result.promoted and "nobody answered within" in result.why


def test_a_budget_ends_a_run_between_stages_and_the_next_start_goes_on(served: Served) -> None:
    first = served.start(recipe="smoke", run="poor", rounds=1, budget={"tokens": 1}, changes=SLOW)
    message = str(served.until(first, "Completed").message)
    assert "of 1 tokens were generated before" in message and "--resume --name poor" in message
    assert results(served, "poor") == []
    committed = set((served.home / "manifests/poor").rglob("*.json"))
    second = served.start(recipe="smoke", run="poor", changes=SLOW)
    served.until(second, "Completed")
    assert committed < set((served.home / "manifests/poor").rglob("*.json"))
    assert len(results(served, "poor")) >= 1


def test_in_a_terminal_the_question_is_asked_there(tmp_path: Path, prefect_server: str) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"n\nnot convinced\n")  # a terminal keeps what is typed ahead
    argv = ["-m", "flows.cli", "run", "smoke", "--name", "asked", "--ask", "--tokens", "9e9", "--set", "rounds=1"]
    settings = ["engine.skill=0.3", "generate.problems=200", "evaluate.problems=12", "verify.timeout_s=60"]
    env = os.environ | {"FLYWHEEL_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, *argv, *settings], env=env, stdin=theirs, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert b"shall" in done.stdout and b"Promote the challenger?" in done.stdout
    [result] = rows(Store(tmp_path).read("rounds", "asked"), RoundResult)
    assert not result.promoted and "a person kept the incumbent: not convinced (the test" in result.why


def test_an_answer_without_a_decision_is_refused() -> None:
    with pytest.raises(ValueError):
        Approval.model_validate({"reason": "hm"})
