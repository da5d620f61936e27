"""A run killed with SIGKILL in every stage and resumed each time ends like one that was never disturbed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.store import Store
from tests.ledgers import assert_whole, tables

RUN = ["run", "smoke", "--name", "twin", "--set", "rounds=1"]
pytestmark = [pytest.mark.slow, pytest.mark.killing]
RESUME = ["run", "smoke", "--name", "twin", "--resume"]
STAGES = [
    "evaluate",
    "problems",
    "audit",
    "propose",
    "decontaminate",
    "generate",
    "verify",
    "curate",
    "gate",
    "distill",
    "promote",
]
POINTS = ["written", "committing", "committed"]
KILLS = [("generate", "committed"), ("verify", "committing"), *[(stage, "written") for stage in STAGES]]
ORDER = sorted(KILLS, key=lambda kill: (STAGES.index(kill[0]), POINTS.index(kill[1])))


def command(home: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"FLYWHEEL_HOME": str(home)}
    return subprocess.run([sys.executable, "-m", *argv], env=env, capture_output=True, text=True, timeout=200)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, prefect_server: str) -> Path:
    home = tmp_path_factory.mktemp("undisturbed")
    done = command(home, "flows.cli", *RUN)
    assert done.returncode == 0, done.stderr[-3000:]
    return home


@pytest.mark.timeout(240)
def test_killed_in_every_stage_and_resumed(undisturbed: Path, tmp_path: Path, prefect_server: str) -> None:
    kills = [f"{stage}:{point}" for stage, point in ORDER]
    done = command(tmp_path, "tests.kill_at", *kills, "--", *RUN, "--", *RESUME)
    assert done.returncode == 0, done.stderr[-3000:]
    done = command(tmp_path, "flows.cli", *RESUME)
    assert done.returncode == 0, done.stderr[-3000:]
    expected, found = tables(undisturbed, digits=17), tables(tmp_path, digits=17)
    assert {name for name in expected if found[name] != expected[name]} == set()
    assert_whole(tmp_path)
    assert Store(tmp_path).read("attempts").num_rows > 100


def test_the_ledger_answers(undisturbed: Path) -> None:
    for query in ("FROM outcomes", "FROM hardest_solved LIMIT 10", "FROM trained_on LIMIT 10", "FROM timings"):
        done = command(undisturbed, "flows.cli", "sql", query, "--json")
        assert done.returncode == 0 and done.stdout.count("{") > 0, (query, done.stderr)
