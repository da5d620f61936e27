"""What a person does in the browser after `flywheel up`, with the mouse: start a run from a form, follow it, see what
it learned, approve, cancel, retry, switch the nights on. The server and the ledger are only asked what came of it.

FLYWHEEL_SCREENSHOTS=<folder> keeps pictures of some pages.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from data import manifest
from data.records import RoundResult
from data.schemas import rows
from data.store import Store
from tests.pages import CHROMIUM, Prefect, a_person, photograph

pytestmark = [
    pytest.mark.operations,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: apt-get install chromium"),
]
PICTURES = os.environ.get("FLYWHEEL_SCREENSHOTS")
UP_S, CLICK_S = 60.0, 40.0  # most that is bearable on a busy machine; what an idle one takes is in the README
RUN_S = 240.0


@dataclass(frozen=True, slots=True)
class Up:
    """A `flywheel up` at work: the address of its UI, its home, and the seconds until the UI was usable."""

    address: str
    store: Store
    seconds: float

    def ask(self, path: str) -> Any:
        """What the server's API says."""
        with urllib.request.urlopen(f"{self.address}/api{path}", timeout=30) as answer:
            return json.load(answer)

    def committed(self, run: str) -> dict[tuple[int, str], float]:
        """The committed stages of a run, with the time of each."""
        return {(m.round, m.stage): m.created for m in manifest.committed(self.store.home, run)}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Up]:
    """`flywheel up` in a home of its own, on a port of its own."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    env |= {"FLYWHEEL_HOME": str(home)}
    log = (home / "up.log").open("wb")
    began = time.monotonic()
    argv = [sys.executable, "-m", "flows.cli", "up", "--port", str(port)]
    process = subprocess.Popen(argv, env=env, cwd=root, stdout=log, stderr=log)
    try:
        until = began + 2 * UP_S
        while b"Flywheel is up at" not in (home / "up.log").read_bytes():
            assert process.poll() is None and time.monotonic() < until, (home / "up.log").read_text()
            time.sleep(0.1)
        yield Up(f"http://127.0.0.1:{port}", Store(home), time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()
    assert process.returncode == 0


@pytest.fixture
def person(up: Up) -> Iterator[Prefect]:
    """A person at a browser; afterwards nothing has left the machine, and no page has complained."""
    with a_person(up.address) as person:
        yield person
        assert not person.strangers()
        assert not person.complaints


def test_the_page_is_there_soon(up: Up, person: Prefect) -> None:
    person.page.goto(up.address)
    expect(person.page.get_by_text("Deployments", exact=True)).to_be_visible()
    print(f"\nfrom `flywheel up` to a usable UI: {up.seconds:.1f} s")
    assert up.seconds < UP_S


def test_a_run_is_started_from_the_form_followed_to_its_end_and_looked_at(up: Up, person: Prefect) -> None:
    person.form("flywheel")
    photograph(person.page, PICTURES, "form")
    person.choose("Recipe", "smoke")
    person.fill("Run", "by-hand")
    person.fill("Rounds", "1")
    began = time.monotonic()
    person.submit()
    person.reach("Running", 2 * CLICK_S)
    print(f"\nfrom click to running flow: {time.monotonic() - began:.1f} s")
    assert time.monotonic() - began < CLICK_S
    person.tab("Artifacts")
    expect(person.page.get_by_text(re.compile("generate, round 1"))).to_be_visible(timeout=1000 * RUN_S)
    photograph(person.page, PICTURES, "running")
    person.reach("Completed", RUN_S)
    assert up.ask(f"/flow_runs/{person.flow_run()}")["parameters"]["recipe"] == "smoke"
    assert (up.store.run_dir("by-hand") / "summary.json").exists()
    kinds = [card.inner_text().split("\n")[0].lower() for card in person.cards().all()]
    assert {"progress", "table", "image", "markdown"} <= set(kinds)
    person.open_card("by-hand-accuracy")
    person.sees_a_picture()
    photograph(person.page, PICTURES, "accuracy")
    person.page.go_back()
    person.tab("Artifacts")
    person.open_card("by-hand-summary")
    expect(person.page.get_by_text("pass@1").first).to_be_visible()
    photograph(person.page, PICTURES, "summary")


def test_a_person_keeps_the_incumbent(up: Up, person: Prefect) -> None:
    page = person.page
    person.form("flywheel")
    person.choose("Recipe", "smoke")
    person.fill("Run", "asked")
    person.fill("Rounds", "1")
    person.choose("Promotion", "a person")
    person.submit()
    person.reach("Suspended", RUN_S)
    person.press("Resume")
    expect(person.dialogue()).to_contain_text("pass@1")
    photograph(page, PICTURES, "approval")
    person.choose("Decision", "keep the incumbent", person.dialogue())
    person.fill("Reason", "it is Friday", person.dialogue())
    person.confirm("Submit")
    person.reach("Completed", RUN_S)
    (decision,) = rows(up.store.read("rounds", "asked", [1]), RoundResult)
    assert not decision.promoted
    assert "it is Friday" in decision.why


def test_a_run_is_cancelled_and_a_retry_goes_on_with_it(up: Up, person: Prefect) -> None:
    person.form("flywheel")
    person.choose("Recipe", "smoke")
    person.fill("Run", "changed-my-mind")
    person.fill("Rounds", "1")
    person.submit()
    until = time.monotonic() + RUN_S
    while (1, "generate") not in up.committed("changed-my-mind"):
        assert time.monotonic() < until
        time.sleep(0.2)
    person.press("Cancel")
    person.confirm("Confirm")
    person.reach("Cancelled", 60)
    before = up.committed("changed-my-mind")
    assert (1, "promote") not in before
    person.press("Retry")
    person.confirm("Retry")
    person.reach("Completed", RUN_S)
    after = up.committed("changed-my-mind")
    assert (1, "promote") in after
    assert {stage: after[stage] for stage in before} == before  # nothing was done again


def test_the_nights_are_switched_on_and_off(up: Up, person: Prefect) -> None:
    person.deployment("flywheel")
    flow_id = person.page.url.rpartition("/")[2]

    def nights() -> dict[str, Any]:
        (schedule,) = up.ask(f"/deployments/{flow_id}")["schedules"]
        return dict(schedule)

    assert not nights()["active"]
    switch = person.page.locator(".deployment-schedule-card", has_text="nightly").get_by_role("switch")
    for on in (True, False):
        switch.click()
        until = time.monotonic() + 20
        while nights()["active"] != on:
            assert time.monotonic() < until
            time.sleep(0.1)
