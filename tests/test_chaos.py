"""The chaos trials can fail: whatever a kill might damage is found, and what was missed is tried again."""

import shutil
import socket
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import pytest

from bench import chaos
from bench._chaos_checks import Damage, damage, files
from bench._chaos_machine import VERIFIER, Machine
from bench._chaos_trial import STAGES, Plan, Result
from data import domains, manifest
from data.store import At, Store
from tasks import engines
from tasks.engines import Request
from tasks.settings import EngineSettings
from tests.rows import fill

FINE = Result(
    "flow",
    "generate",
    0,
    "generate",
    "python",
    "Completed",
    "",
    0.1,
    5.0,
    "killed",
    30.0,
    [],
    [],
    0,
    Damage([], [], [], [], []),
)


def play(home: Path, run: str) -> None:
    """A run of two stages with a summary and a report."""
    store = Store(home)
    fill(store, At(run, 1, 0), "generate", attempts=[{"id": "a"}, {"id": "b"}])
    fill(store, At(run, 1, 0), "verify", verdicts=[{"attempt_id": "a"}, {"attempt_id": "b"}])
    (store.run_dir(run) / "summary.json").write_text(f'{{"run": "{run}", "seconds": 1, "gain_points": 3}}')
    (store.run_dir(run) / "report.html").write_text("<html><h1>Run</h1><table></table></html>")


def commit(home: Path, stage: str, ids: list[str]) -> None:
    """The stage again, with other rows."""
    manifest.path_of(home, "killed", 1, stage).unlink()
    for part in home.glob("lake/*/run=killed/round=1/*.parquet"):
        if manifest.prefix("killed", 1, stage, "test") in part.name:
            part.unlink()
    relation, key = {"generate": ("attempts", "id"), "verify": ("verdicts", "attempt_id")}[stage]
    fill(Store(home), At("killed", 1, 0), stage, **{relation: [{key: i} for i in ids]})


def leave_part(home: Path) -> None:
    part = next(home.glob("lake/attempts/run=killed/round=1/*.parquet"))
    shutil.copy(part, part.with_name("part-0000000000000000-0.parquet"))


def cut_report(home: Path) -> None:
    (home / "killed" / "report.html").write_text("<html><h1>Run</h1>")


def other_summary(home: Path) -> None:
    (home / "killed" / "summary.json").write_text('{"gain_points": 2}')


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (lambda home: None, {}),
        (lambda home: commit(home, "verify", ["a"]), {"lost": ["verdicts", "stages"], "again": ...}),
        (lambda home: commit(home, "generate", ["a", "c"]), {"lost": ["attempts"], "again": ...}),
        (lambda home: commit(home, "generate", ["a", "b"]), {"again": ...}),
        (
            lambda home: commit(home, "generate", ["a", "b", "b"]),
            {"lost": ["attempts", "stages"], "twice": ["attempts"], "again": ...},
        ),
        (leave_part, {"stray": ...}),
        (lambda home: (home / "killed" / ".report.html.1.tmp").touch(), {"stray": ["killed/.report.html.1.tmp"]}),
        (cut_report, {"report": ["report.html"]}),
        (other_summary, {"report": ["summary.json"]}),
    ],
)
def test_damage_is_found(tmp_path: Path, tamper: Callable[[Path], None], found: dict[str, object]) -> None:
    for run in ("undisturbed", "killed"):
        play(tmp_path, run)
    before = files(tmp_path, "killed")
    tamper(tmp_path)
    result = asdict(damage(tmp_path, "killed", "undisturbed", before))
    assert {name: (... if found.get(name) is ... else what) for name, what in result.items() if what} == found


def test_a_result_is_clean_or_says_what_is_not() -> None:
    assert FINE.clean
    for wrong in (
        replace(FINE, state="Crashed"),
        replace(FINE, processes=["python"]),
        replace(FINE, slots=["gpu"]),
        replace(FINE, zombies=1),
        replace(FINE, damage=Damage(["attempts"], [], [], [], [])),
        replace(FINE, damage=Damage([], [], [], [], ["report.html"])),
    ):
        assert not wrong.clean
        assert chaos.totals([FINE, wrong])["flow"] != chaos.totals([FINE, FINE])["flow"]
        assert chaos.line(wrong) != chaos.line(FINE)
    missed = replace(FINE, killed="")
    assert chaos.totals([FINE, missed]) == chaos.totals([FINE]) and "missed" in chaos.line(missed)


def test_what_was_missed_is_tried_again_and_what_was_hit_is_not() -> None:
    plans = [Plan("flow", "generate", n, 2) for n in range(2)]
    missed = replace(FINE, landed="verify")
    assert chaos.left(plans, []) == plans
    again = [replace(plans[0], missed=1), plans[1]]
    assert chaos.left(plans, [missed]) == chaos.left(plans, [replace(FINE, killed="")]) == again
    assert again[0].fraction == plans[0].fraction / 2
    assert chaos.left(plans, [missed, FINE]) == plans[1:]
    assert chaos.left(plans, [missed] * chaos.TRIES) == plans[1:]
    assert all(n / 2 <= plan.fraction < (n + 1) / 2 for n, plan in enumerate(plans))


def test_the_rehearsal_engine_answers_as_the_scripted_one_from_a_process_of_its_own(tmp_path: Path) -> None:
    asked = [Request(str(i), p, n=2, seed=i) for i, p in enumerate(domains.load("chain_sum").EXAMPLES)]
    scripted, rehearsal = (engines.start(tmp_path, EngineSettings(name=name)) for name in ("scripted", "rehearsal"))
    try:
        assert list(rehearsal.complete(asked)) == list(scripted.complete(asked))
    finally:
        rehearsal.close()


def test_a_run_has_kills_of_one_sort_with_a_stage_between_them_and_few_enough_to_go_on() -> None:
    plans = [Plan(kill, stage, 0, 1) for kill in ("flow", "everything") for stage in STAGES]
    runs = []
    while plans:
        runs.append(chaos.together(plans))
        plans = [p for p in plans if p not in runs[-1]]
    assert [[p.kill for p in run] for run in runs] == [["flow"] * 2] * 4 + [["everything"] * 4] * 2
    for run in runs:
        at = [STAGES.index(p.stage) for p in run]
        assert all(b - a > 1 for a, b in pairwise(at))


@pytest.mark.operations
@pytest.mark.timeout(900)
def test_a_killed_verifier_and_a_killed_flow_cost_nothing(tmp_path: Path) -> None:
    plans = [Plan("task", "verify", 0, 1), Plan("flow", "generate", 0, 1)]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Machine(tmp_path, port) as machine:
        chaos.perform(machine, plans, "smoke")
    results = chaos.read(tmp_path)
    assert [r for r in results if not r.clean] == []
    hits = {r.kill: r.killed for r in results if r.killed and r.landed == r.stage}
    assert hits.keys() == {"task", "flow"} and VERIFIER in hits["task"]
