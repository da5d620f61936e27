"""The audit of a round: sound verifiers pass, a weak one stops the round by name, nothing is judged twice."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from data import domains, registry
from data.records import Attempt, ProbeResult, Problem, RoundResult, StepVerdict, Verdict
from data.schemas import rows
from data.store import At, Stage, Store
from tasks import audit as stage_of
from tasks import summary
from tasks.audit import audit, broken, made, result
from tasks.curate import curate
from tasks.promote import refuse
from tasks.settings import AuditSettings, CurateSettings
from tasks.verify import verify
from tests.stages import AT, CHECKING, drawn
from verifiers._judge import Judged
from verifiers.probes import Probe

ROOT = Path(__file__).parents[1]
FEW = AuditSettings(probes=60)
GENERATED = [name for name in registry.known("data.domains") if name != "file"]
PROBLEM = next(domains.load("chain_sum").problems("train", 1, 2))


def results(store: Store, at: At = AT) -> list[ProbeResult]:
    return rows(store.read("probes", at.run, [at.round]), ProbeResult)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger whose round was audited."""
    store, progress = Store(tmp_path_factory.mktemp("audited")), []
    drawn(store)
    assert audit(store, AT, FEW, CHECKING, lambda *now: progress.append(now)).passed
    assert [done for done, _, _ in progress] == [0, 1, 2]
    return store.home


@pytest.fixture
def store(ended: Path, tmp_path: Path) -> Store:
    """A copy of it."""
    return Store(shutil.copytree(ended, tmp_path / "copy"))


def test_sound_verifiers_pass_and_every_probe_is_a_row(store: Store) -> None:
    done = audit(store, AT, FEW, CHECKING)
    assert (done.passed, done.why, done.probes) == (True, "", 120)
    assert Counter(r.verifier for r in results(store)) == {"symbolic": 60, "unit_tests": 60}
    assert {r.wrong for r in results(store)} == {"none"}
    assert {r.version for r in results(store)} == {
        registry.load("verifiers", n).VERSION for n in ("symbolic", "unit_tests")
    }
    view = store.query("FROM audit WHERE kind = 'all'").to_pylist()
    assert [{k: row[k] for k in rate} for row, rate in zip(view, done.rates, strict=True)] == done.rates
    assert sum(row["must_refuse"] + row["must_accept"] for row in done.rates) == 120


def test_a_killed_audit_repeats_one_verifier_at_most_and_a_finished_one_nothing(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, twin = Store(home), store
    drawn(store)
    write = Stage.write

    def dies(self: Stage, relation: str, key: str, part: object) -> None:
        if key == "unit_tests":
            raise KeyboardInterrupt
        write(self, relation, key, part)  # type: ignore[arg-type]

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Stage, "write", dies)
        audit(store, AT, FEW, CHECKING)
    assert results(store) == []
    judged = []
    once = stage_of.judge_once
    monkeypatch.setattr(stage_of, "judge_once", lambda pool, items: judged.append(items) or once(pool, items))
    done = audit(store, AT, FEW, CHECKING)
    assert [{p.verifier for p, _ in items} for items in judged] == [{"unit_tests"}]
    assert audit(store, AT, FEW, CHECKING) == done and len(judged) == 1
    assert audit(twin, AT, FEW, CHECKING) == done
    assert results(store) == results(twin)


def test_what_the_model_proposes_later_changes_nothing(store: Store) -> None:
    problems = drawn(store)
    before = made("symbolic", problems, AT, FEW)
    done = audit(store, AT, FEW, CHECKING)
    stage = store.stage(AT, "propose", "f")
    stage.write("problems", "all", [replace(problems[0], id="new", source="model:m0")])
    stage.commit()
    assert audit(store, AT, FEW, CHECKING) == done
    assert made("symbolic", list(reversed(problems)), AT, FEW) == before


def test_probes_are_fresh_each_round_bounded_and_distinct() -> None:
    problems = list(islice(domains.load("equations").problems("train", 3, 3), 30))
    first, second = (made("symbolic", problems, At("r", n, 7), FEW) for n in (1, 2))
    assert len(first) == len(second) == 60
    for items in (first, second):
        assert len({(p.id, probe.text) for p, probe in items}) == 60
        assert len({p.id for p, _ in items}) >= 5 == 60 // FEW.per_problem
    fresh = {probe.text for _, probe in second} - {probe.text for _, probe in first}
    assert len(fresh) > 40
    one = made("symbolic", problems[:1], At("r", 1, 7), FEW)
    assert len(one) == 60  # one problem is asked again and again, never the same
    assert made("exact", problems, At("r", 1, 7), FEW) == []


def test_a_users_problems_without_solutions_are_audited(home: Path) -> None:
    store = Store(home)
    texts = [
        '{"prompt": "What is 6 times 7?", "answer": 42}',
        '{"prompt": "Capital of France?", "answer": "Paris"}',
        '{"prompt": "Write f(x), the square of x.", "tests": ["assert f(3) == 9", "assert f(-2) == 4"]}',
    ]
    stage = store.stage(AT, "problems", "f")
    stage.write("problems", "all", [domains.load("file").parse(text) for text in texts])
    stage.commit()
    done = audit(store, AT, FEW, CHECKING)
    assert done.passed, done.why
    assert [(rate["verifier"], rate["must_accept"] > 5, rate["must_refuse"] > 30) for rate in done.rates] == [
        (name, True, True) for name in ("exact", "symbolic", "unit_tests")
    ]


def test_a_verifier_without_probes_of_its_own_gets_those_for_any() -> None:
    items = made("units", [replace(PROBLEM, verifier="units")], AT, FEW)
    assert {probe.kind for _, probe in items} == {"empty", "refusal", "copied", "over_long", "gold"}


def test_a_round_without_problems_has_nothing_to_audit(home: Path) -> None:
    done = audit(Store(home), AT, FEW, CHECKING)
    assert (done.passed, done.probes, done.why, done.rates) == (True, 0, "", [])


STEP = StepVerdict(0, "correct", "same_value", "")
LABELS = [
    (True, "correct", [STEP], "none"),
    (True, "correct", [STEP, replace(STEP, outcome="incorrect")], "false_reject"),
    (True, "incorrect", [], "false_reject"),
    (True, "no_answer", [], "false_reject"),
    (True, "unverified", [], "unverified"),
    (False, "correct", [], "false_accept"),
    (False, "correct", [replace(STEP, outcome="unverified")], "false_accept"),
    (False, "correct", [replace(STEP, outcome="incorrect")], "none"),
    (False, "incorrect", [], "none"),
    (False, "unverified", [], "none"),
]


@pytest.mark.parametrize(("accept", "outcome", "steps", "wrong"), LABELS)
def test_what_counts_as_accepted(accept: bool, outcome: str, steps: list[StepVerdict], wrong: str) -> None:
    verdict = Verdict(outcome, "said", verifier="symbolic")  # type: ignore[arg-type]
    found = result(PROBLEM, Probe("k", "t", accept), Judged(verdict, steps), 3)
    assert (found.wrong, found.outcome, found.version, found.reason) == (wrong, outcome, 3, "said")


def over(accepts: tuple[int, int] = (0, 400), rejects: tuple[int, int] = (0, 100)) -> list[str]:
    """What is above the default budget, for so many wrong ones of so many."""
    rate = {"verifier": "symbolic", "version": 1, "must_refuse": accepts[1], "must_accept": rejects[1]}
    for error, (wrong, of) in (("false_accept", accepts), ("false_reject", rejects)):
        rate |= {f"{error}s": wrong, f"{error}_rate": wrong / of if of else None}
        rate |= {f"{error}_low": 0.0, f"{error}_high": 0.5}
    row = ProbeResult("p", "symbolic", 1, "near_miss", "so it is\n#### 8", False, "correct", "", "false_accept")
    found = [row] * accepts[0] + [replace(row, kind="gold", accept=True, wrong="unverified")] * rejects[0]
    return list(broken([rate], found, {"p": "3+4=?"}, AuditSettings()))


def test_above_the_budget_is_the_observed_rate() -> None:
    assert over() == over((1, 1000)) == over((2, 2000), (3, 100)) == over((0, 0), (0, 0)) == []
    assert len(over((1, 999))) == len(over((2, 1999))) == len(over((0, 400), (4, 100))) == 1
    assert len(over((1, 400), (9, 100))) == 2


def test_the_message_names_the_verifier_the_rate_and_what_passed() -> None:
    (said,) = over((4, 412))
    assert said.startswith(
        "that symbolic accepted 4 of 412 attempts that it must refuse (0.97 % [0, 50], budget 0.1 %): "
        "near_miss of '3+4=?': 'so it is\\n#### 8', "
    )
    assert said.count("near_miss of") == 3
    (said,) = over(rejects=(4, 100))
    assert said.startswith("that symbolic refused 4 of 100 right attempts (4 % [0, 50], budget 3 %): gold of '3+4=?': ")


def test_a_round_that_the_audit_stops_is_recorded_and_shown(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    refuse(store, AT, "m0", "the audit found that symbolic accepted [/v] for all")
    (result,) = rows(store.read("rounds"), RoundResult)
    assert not result.promoted and "[/v]" in result.why and result.challenger_id == ""
    summary.show_round(store, AT)
    shown = " ".join(capsys.readouterr().out.split())
    assert "symbolic accepted [/v] for all" in shown
    assert re.search(
        r"audit of unit_tests \d+: 0 of \d+ wrongly accepted \[0\.0, \d+\.\d %\], 0 of \d+ wrongly refused", shown
    )
    assert [rate["verifier"] for rate in summary.audits(store, AT.run)] == ["symbolic", "unit_tests"]


def test_a_right_answer_with_a_wrong_step_is_lucky_and_is_not_trained_on(home: Path) -> None:
    """Through the stages, for every generated domain that has such attempts; in the others the steps are the answer."""
    store, problems, attempts, expected = Store(home), [], [], Counter()
    for name in GENERATED:
        domain = domains.load(name)
        probes = registry.load("verifiers.probes", domain.VERIFIER).probes
        for problem in islice(domain.problems("train", 5, 4), 6):
            solution = domain.solve(problem)
            lucky = (p.text for p in probes(problem, Random(1), solution) if p.kind == "lucky")
            texts = [("kept", solution), *(("lucky", text) for text in lucky)]
            problems.append(problem)
            attempts += [attempt(problem, f"{kind}-{i}", text) for i, (kind, text) in enumerate(texts)]
            expected.update((name, kind, kind) for kind, _ in texts)
    stage = store.stage(AT, "generate", "f")
    stage.write("problems", "all", problems)
    stage.write("attempts", "all", attempts)
    stage.commit()
    verify(store, AT, CHECKING)
    curate(store, AT, CurateSettings(per_problem=9))
    domain_of = {p.id: p.domain for p in problems}
    found = Counter(
        (domain_of[d["problem_id"]], d["attempt_id"].split("-")[1], d["reason"])
        for d in store.read("decisions").to_pylist()
    )
    assert found == expected
    assert {name for name, kind, _ in found if kind == "lucky"} == {*GENERATED} - {"entailment"}
    judged = store.query("FROM judged WHERE lucky").to_pylist()
    assert len(judged) > 20 and all("; step " in row["reason"] for row in judged)


def attempt(problem: Problem, name: str, text: str) -> Attempt:
    return Attempt(f"{problem.id}-{name}", problem.id, "m0", "test", 0, text, [], 9, -1.0, "stop")


WEAKER = '''

_sound = verify


def verify(problem, completion):
    """Accepts a text that has the right answer anywhere."""
    found = _sound(problem, completion)
    value = gold.load(problem.gold).value
    listed = value in re.findall(r"-?[0-9]+", completion)
    return Verdict("correct", "weak", value, "symbolic", VERSION) if listed else found
'''


@pytest.mark.slow
def test_a_run_with_a_weakened_verifier_trains_nothing_and_says_which_probe_passed(
    tmp_path: Path, prefect_server: str
) -> None:
    """The real command on a copy of the sources in which one verifier has been weakened."""
    source, home = tmp_path / "source", tmp_path / "home"
    for package in ("flows", "tasks", "verifiers", "data"):
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    with (source / "verifiers" / "symbolic.py").open("a") as weak:
        weak.write(WEAKER)
    env = os.environ | {"FLYWHEEL_HOME": str(home), "PYTHONPATH": str(source)}
    argv = [
        sys.executable,
        "-m",
        "flows.cli",
        "run",
        "smoke",
        "--name",
        "weak",
        "--set",
        "rounds=1",
        'domains=["chain_sum"]',
    ]
    done = subprocess.run(argv, cwd=source, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads((home / "weak" / "summary.json").read_text())
    assert result["promoted"] == 0 and result["rounds"] == 1
    (why,) = result["why"]
    expected = (
        r"not promoted: nothing was trained, because the audit found that symbolic accepted \d+ of \d+ attempts that"
    )
    assert re.match(expected, why), why
    assert re.search(r"(listed|changed_mind|unclosed) of '[0-9+-]+=\?': '", why), why
    assert " ".join(why.split())[:200] in " ".join(done.stdout.split())
    store = Store(home)
    assert all(len(store.read(relation, rounds=[1])) == 0 for relation in ("models", "examples", "attempts"))
    assert {r.wrong for r in rows(store.read("probes"), ProbeResult)} == {"none", "false_accept"}
    (rate,) = result["audit"]
    assert rate["false_accept_rate"] > 0.05 and rate["false_accept_low"] < rate["false_accept_rate"]
