"""Re-verification: new verdicts beside the old, what flipped and who was trained on it; nothing else changes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from data import domains, manifest
from data.errors import UserError
from data.records import Attempt, EvalSample, Problem, Review, Verdict
from data.schemas import rows
from data.store import At, Stage, Store
from flows import reverification
from tasks import reverify
from tasks.curate import Curated, curate
from tasks.gate import gate
from tasks.reverify import Chosen
from tasks.settings import CurateSettings, GateSettings, Rules, VerifySettings
from tests.rows import fill
from verifiers import symbolic

AT = At("night", 1, 0)
CURATE = CurateSettings(min_examples=1, replay_share=0, rules=Rules(near_duplicate=False))  # one digit differs
CHECKING = VerifySettings(workers=2)


def sums(split: str, count: int) -> list[Problem]:
    return list(islice(domains.load("chain_sum").problems(split, 1, 3), count))


def attempt(problem: Problem, name: str, text: str) -> Attempt:
    return Attempt(f"{name}-{problem.id}", problem.id, "m0", "best_of_n", 0, text, [], 9, -1.0, "stop")


def wrong(text: str) -> str:
    return text + "1"


def write(store: Store, at: At, name: str, **relations: list[Any]) -> None:
    stage = store.stage(at, name, "test")
    for relation, records in relations.items():
        stage.write(relation, "all", records)
    stage.commit()


@pytest.fixture
def ledger(home: Path) -> Store:
    """A round of 20 right attempts and 20 wrong ones that an older verifier accepted all, and a model of them."""
    store, solve = Store(home), domains.load("chain_sum").solve
    problems = sums("train", 20)
    good = [attempt(p, "good", solve(p)) for p in problems]
    bad = [attempt(p, "bad", wrong(solve(p))) for p in problems]
    write(store, AT, "problems", problems=problems)
    write(store, AT, "generate", attempts=[*good, *bad])
    old = Verdict("correct", "looks right", "", "symbolic", symbolic.VERSION - 1)
    write(store, AT, "verify", verdicts=[replace(old, attempt_id=a.id) for a in [*good, *bad]])
    curated = curate(store, AT, CURATE)
    fill(store, AT, "distill", models=[{"id": "m1", "dataset_id": curated.dataset_id, "objective": "sft"}])
    fill(store, AT, "promote", rounds=[{"challenger_id": "m1", "promoted": True}])
    held = sums("heldout", 5)
    fill(store, At("night", 0, 0), "held-out", eval_problems=[{f: getattr(p, f) for f in p.__slots__} for p in held])
    sample = EvalSample("", "", "m1", "chain_sum", 3, 0, "", "", "correct", "looks right", True, 9, "stop")
    texts = [(p, solve(p)) for p in held] + [(p, wrong(solve(p))) for p in held[:2]]
    samples = [replace(sample, id=f"s{i}", problem_id=p.id, text=text) for i, (p, text) in enumerate(texts)]
    write(store, AT, "evaluate-m1", eval_samples=samples)
    return store


def manifests(store: Store) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted((store.home / "manifests").rglob("*.json"))}


def test_new_verdicts_stand_beside_the_old_and_flips_are_named(ledger: Store) -> None:
    before = manifests(ledger)
    reverify.reverify(ledger, Chosen(held_out=True), CHECKING)
    after = manifests(ledger)
    assert {k: after[k] for k in before} == before
    assert {Path(k).stem for k in after.keys() - before.keys()} == {
        f"review-symbolic-v{symbolic.VERSION}", f"review-held-out-symbolic-v{symbolic.VERSION}",
    }  # fmt: skip
    found = reverify.report(ledger, Chosen())
    counts = {(r["held_out"], r["old_fate"], r["fate"]): r["texts"] for r in found.counts.to_pylist()}
    assert counts == {
        (False, "correct", "correct"): 20, (False, "correct", "incorrect"): 20,
        (True, "correct", "correct"): 5, (True, "correct", "incorrect"): 2,
    }  # fmt: skip
    kept = found.kept.to_pylist()
    assert len(kept) == 20 and all(r["attempt_id"].startswith("bad-") for r in kept)
    assert {(r["old_fate"], r["fate"], r["role"], r["used_in_round"], r["model_id"]) for r in kept} == {
        ("correct", "incorrect", "example", 1, "m1")
    }
    assert {(r["old_version"], r["version"]) for r in kept} == {(symbolic.VERSION - 1, symbolic.VERSION)}
    (model,) = found.models.to_pylist()
    assert (model["model_id"], model["flipped"], model["share"], model["promoted"]) == ("m1", 20, 0.5, True)
    (score,) = found.scores.to_pylist()
    assert (score["samples"], score["flipped"], score["old_pass1"]) == (7, 2, 1.0)
    assert score["pass1"] == pytest.approx(5 / 7)


def test_finished_and_resumed_rounds_do_not_see_reviews(ledger: Store) -> None:
    relations = ("problems", "attempts", "verdicts", "step_verdicts", "decisions", "examples", "pairs")
    assert gate(ledger, AT, CURATE, GateSettings()).passed
    inputs, judged = ledger.inputs("night", [0, 1], relations), ledger.query("FROM judged ORDER BY attempt_id")
    curated: Curated = curate(ledger, AT, CURATE)
    reverify.reverify(ledger, Chosen(), CHECKING)
    assert ledger.inputs("night", [0, 1], relations) == inputs
    assert ledger.query("FROM judged ORDER BY attempt_id") == judged
    before = manifests(ledger)
    assert curate(ledger, AT, CURATE) == curated and gate(ledger, AT, CURATE, GateSettings()).passed
    assert manifests(ledger) == before


def test_again_does_nothing_and_a_killed_one_repeats_no_part(ledger: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverify, "PART", 15)
    write_part, written = Stage.write, 0

    def breaks(self: Stage, *args: Any) -> None:
        nonlocal written
        if written == 2:
            raise KeyboardInterrupt
        written += 1
        write_part(self, *args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Stage, "write", breaks)
        reverify.reverify(ledger, Chosen(), CHECKING)
    assert ledger.read("reviews").num_rows == 0
    parts = {p: p.stat().st_mtime_ns for p in (ledger.home / "lake" / "reviews").rglob("*.parquet")}
    assert len(parts) == 2
    seen: list[tuple[int, int]] = []
    reverify.reverify(ledger, Chosen(), CHECKING, lambda done, total, text: seen.append((done, total)))
    assert seen[-1] == (40, 40) and seen == sorted(seen)
    assert {p: p.stat().st_mtime_ns for p in parts} == parts
    reviews = rows(ledger.read("reviews"), Review)
    assert len({r.attempt_id for r in reviews}) == len(reviews) == 40
    before = manifests(ledger)
    reverify.reverify(ledger, Chosen(), CHECKING)
    assert manifests(ledger) == before


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (Chosen(verifiers=["symbolik"]), "there is no verifier 'symbolik': known are "),
        (Chosen(verifiers=["exact"]), "there is night round 1 (symbolic)"),
        (Chosen(runs=["day"]), "there is night round 1 (symbolic)"),
        (Chosen(rounds=[7]), "there is night round 1 (symbolic)"),
    ],
)
def test_nothing_to_judge_is_one_sentence(ledger: Store, chosen: Chosen, says: str) -> None:
    with pytest.raises(UserError) as e:
        reverify.reverify(ledger, chosen, CHECKING)
    assert says in str(e.value)


def test_an_empty_ledger_says_how_to_begin(home: Path) -> None:
    with pytest.raises(UserError, match="start a run"):
        reverify.reverify(Store(home), Chosen(), CHECKING)


def test_the_chosen_rounds_alone_are_judged(ledger: Store) -> None:
    second = At("night", 2, 0)
    problem = sums("train", 1)[0]
    write(ledger, second, "problems", problems=[problem])
    write(ledger, second, "generate", attempts=[attempt(problem, "late", "#### 99")])
    late = Verdict("correct", "", "", "symbolic", 1, attempt_id=f"late-{problem.id}")
    write(ledger, second, "verify", verdicts=[late])
    reverify.reverify(ledger, Chosen(rounds=[2]), CHECKING)
    assert {m.round for m in manifest.committed(ledger.home) if m.stage.startswith("review")} == {2}
    assert reverify.report(ledger, Chosen(rounds=[2])).counts.num_rows == 1


@pytest.mark.slow
def test_the_command(ledger: Store, prefect_server: str) -> None:
    command = [sys.executable, "-m", "flows.cli", "reverify", "--verifier", "symbolic", "--json", "--fail-on-flips"]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1, done.stderr
    assert len(json.loads(done.stdout)["kept"]) == 20


def test_what_the_command_shows(ledger: Store, capsys: pytest.CaptureFixture[str]) -> None:
    reverify.reverify(ledger, Chosen(held_out=True), CHECKING)
    reverification.show_report(reverify.report(ledger, Chosen()), "table")
    out, _ = capsys.readouterr()
    assert "20 attempts that were kept for training have another fate now" in out
    assert "Models trained on attempts" in out and "m1" in out and "Held-out samples judged again" in out
    reverification.show_report(reverify.report(ledger, Chosen(rounds=[0])), "table")
    assert "No attempt that was kept for training has another fate now" in capsys.readouterr().out
