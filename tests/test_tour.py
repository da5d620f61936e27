"""The tour of a small real run: every answer is what plain Python makes of the committed rows."""

from collections import Counter, defaultdict
from math import comb
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data import catalog, duck, meanings
from data.store import At, Store
from flows import cli, tour
from tasks import first_model
from tasks.curate import curate
from tasks.distill import distill
from tasks.evaluate import evaluate
from tasks.first_model import ModelRef
from tasks.promote import promote
from tasks.settings import CurateSettings, DistillSettings
from tasks.verify import verify
from tests import stages

Rows = list[dict[str, Any]]
RIGHT = "correct"


def write_run(home: Path, run: str, seed: int, rounds: int) -> None:
    """A run in small, by the real tasks; its problems are drawn, tried, judged, curated, learned from and measured."""
    store, first = Store(home), first_model.resolve("scripted", 0.5, home / run / first_model.FIRST)
    incumbent = first_model.register(store, At(run, 0, seed), first)
    measure(store, At(run, 0, seed), incumbent)
    for number in range(1, rounds + 1):
        at = At(run, number, seed)
        problems = stages.drawn(store, at)
        stages.generated(store, problems, stages.Noting(incumbent.path), at)
        verify(store, at, stages.CHECKING)
        curated = curate(store, at, CurateSettings(min_examples=1))
        trained = distill(
            store, at, DistillSettings(objectives=["scripted"]), incumbent, {"examples": curated.dataset_id}
        )
        measure(store, at, trained)
        incumbent = trained if promote(store, at, incumbent.id, trained.id).promoted else incumbent
    store.publish()


def measure(store: Store, at: At, model: ModelRef) -> None:
    engine, settings = stages.Noting(model.path), stages.EVALUATE.model_copy(update={"samples": 3})
    evaluate(store, at, model.id, engine, stages.measured_on(), settings, stages.CHECKING)


@pytest.fixture(scope="module")
def ledger(small_runs: Path) -> Path:
    return small_runs


@pytest.fixture(scope="module")
def answers(ledger: Path) -> list[Rows]:
    return [a.table.to_pylist() for a in tour.answers(ledger)]


@pytest.fixture(scope="module")
def of(ledger: Path):
    return lambda relation, run="night": Store(ledger).read(relation, run).to_pylist()


def judged(of) -> Rows:
    """Attempts with their problem, verdict and wrong steps."""
    problems = {p["id"]: p for p in of("problems")}
    verdicts = {(v["round"], v["attempt_id"]): v for v in of("verdicts")}
    wrong = Counter((s["round"], s["attempt_id"]) for s in of("step_verdicts") if s["outcome"] == "incorrect")
    rows = []
    for a in of("attempts"):
        key, problem = (a["round"], a["id"]), problems[a["problem_id"]]
        lucky = verdicts[key]["outcome"] == RIGHT and wrong[key] > 0
        rows.append({**a, "domain": problem["domain"], "level": problem["level"], "prompt": problem["prompt"]}
            | {"outcome": verdicts[key]["outcome"], "lucky": lucky})  # fmt: skip
    return rows


def grouped(rows: Rows, *keys: str) -> dict[tuple[Any, ...], Rows]:
    found: dict[tuple[Any, ...], Rows] = defaultdict(list)
    for row in rows:
        found[tuple(row[k] for k in keys)].append(row)
    return dict(sorted(found.items()))


def share(rows: Rows, test) -> float:
    return sum(map(test, rows)) / len(rows)


def test_whether_it_gets_better(answers, of):
    assert len(answers[0]) == 2
    for row, result in zip(answers[0], sorted(of("rounds"), key=lambda r: r["round"]), strict=True):
        assert {k: row[k] for k in row if k != "gain"} == {k: result[k] for k in row if k != "gain"}
        assert row["gain"] == pytest.approx(result["challenger_pass1"] - result["incumbent_pass1"])


def test_how_it_was_judged(answers, of):
    groups = grouped(judged(of), "round", "domain")
    assert [(r["round"], r["domain"]) for r in answers[1]] == [*groups] and len(groups) == 6
    for row, rows in zip(answers[1], groups.values(), strict=True):
        assert row["attempts"] == len(rows) and row["truncated"] == share(rows, lambda r: r["finish"] == "length")
        for outcome in (RIGHT, "no_answer", "unverified"):
            assert row[outcome] == pytest.approx(share(rows, lambda r, o=outcome: r["outcome"] == o))
        assert row["lucky"] == pytest.approx(share(rows, lambda r: r["lucky"]))
    assert 0 < answers[1][0]["correct"] < 1


def test_where_solutions_break(answers, of):
    wrong = [s for s in of("step_verdicts") if s["outcome"] == "incorrect"]
    first = Counter((kind, min(s["index"] for s in rows)) for (kind, *_), rows in
        grouped(wrong, "kind", "round", "attempt_id").items())  # fmt: skip
    assert {(r["kind"], r["step"]): r["attempts"] for r in answers[2]} == first and len(first) > 2
    assert sum(r["share"] for r in answers[2]) == pytest.approx(len({kind for kind, _ in first}))


def rates(of) -> dict[str, tuple[int, int]]:
    """Solved and verified attempts of every problem."""
    return {
        problem: (sum(r["outcome"] == RIGHT and not r["lucky"] for r in rows),
                  sum(r["outcome"] != "unverified" for r in rows))
        for (problem,), rows in grouped(judged(of), "problem_id").items()
    }  # fmt: skip


def test_which_levels_are_at_the_edge(answers, of):
    known, groups = rates(of), grouped(judged(of), "domain", "level")
    assert [(r["domain"], r["level"]) for r in answers[3]] == [*groups]
    for row, rows in zip(answers[3], groups.values(), strict=True):
        found = [known[p] for p in {r["problem_id"] for r in rows}]
        assert row["problems"] == len(found)
        assert row["never"] == sum(solved == 0 for solved, _ in found)
        assert row["always"] == sum(solved == verified for solved, verified in found)
        assert row["sometimes"] == sum(0 < solved < verified for solved, verified in found)
        assert row["solve_rate"] == pytest.approx(sum(s for s, _ in found) / sum(v for _, v in found))


def test_the_hardest_solved_problem(answers, of):
    (row,) = answers[4]
    rows = judged(of)
    solved = {key: sum(r["outcome"] == RIGHT and not r["lucky"] for r in group) / len(group)
        for key, group in grouped(rows, "domain", "level").items()}  # fmt: skip
    assert row["level_rate"] == pytest.approx(min(rate for rate in solved.values() if rate))
    assert solved[row["domain"], row["level"]] == pytest.approx(row["level_rate"])
    same = [r for r in rows if r["prompt"] == row["prompt"] and r["outcome"] == RIGHT and not r["lucky"]]
    assert len(same) == row["solved"] and row["solution"] in {r["text"] for r in same}


def test_why_attempts_were_dropped(answers, of, ledger):
    dropped = [d for d in of("decisions") if not d["kept"]]
    assert {(r["round"], r["reason"]): r["attempts"] for r in answers[5]} == Counter(
        (d["round"], d["reason"]) for d in dropped
    )
    last = answers[5][-1]
    story = duck.sql(ledger, f"FROM why_dropped('{last['example']}') WHERE run = 'night'").to_pylist()
    assert last["reason"] in [s["why"] for s in story]


def pass_at(of, model: str, k: int) -> float:
    """Mean over levels of the mean over problems, by enumeration's formula."""
    levels = grouped([s for s in of("eval_samples") if s["model_id"] == model], "domain", "level")
    means = []
    for rows in levels.values():
        drawn = grouped([r for r in rows if r["outcome"] != "unverified"], "problem_id").values()
        chances = [1 - comb(sum(r["outcome"] != RIGHT for r in d), k) / comb(len(d), k) for d in drawn if len(d) >= k]
        means += [sum(chances) / len(chances)] if chances else []
    return sum(means) / len(means)


def models(of) -> tuple[str, str]:
    """The one that was given, and the best."""
    overall = {"domain": "all", "band": "all", "metric": "pass@k", "k": 1}
    scores = [s for s in of("scores") if overall.items() <= s.items()]
    given = next(m["id"] for m in of("models") if m["objective"] == "given")
    return given, max(scores, key=lambda s: s["value"])["model_id"]


def test_new_problems_or_the_same_more_often(answers, of):
    given, best = models(of)
    assert [r["k"] for r in answers[6]] == [1, 2]  # of three samples
    for row in answers[6]:
        assert row["first"] == pytest.approx(pass_at(of, given, row["k"]))
        assert row["best"] == pytest.approx(pass_at(of, best, row["k"]))
        assert row["gain"] == pytest.approx(row["best"] - row["first"]) and row["gain"] > 0


def test_where_the_best_model_comes_from(answers, of):
    parents = {m["id"]: m for m in of("models")}
    given, best = models(of)
    way = [best]
    while way[-1] != given:
        way.append(parents[way[-1]]["parent_id"])
    assert [r["model_id"] for r in answers[7]] == way and len(way) > 1
    sizes = Counter(e["dataset_id"] for e in of("examples"))
    assert [r["members"] for r in answers[7][:-1]] == [sizes[parents[m]["dataset_id"]] for m in way[:-1]]
    assert answers[7][-1]["members"] is None and answers[7][0]["pass1"] == pytest.approx(pass_at(of, best, 1))


def test_who_has_learned_from_an_attempt(answers, of):
    attempt = min((e["round"], e["attempt_id"]) for e in of("examples"))[1]
    taught = {e["dataset_id"] for e in of("examples") if e["attempt_id"] == attempt}
    direct = {m["id"] for m in of("models") if m["dataset_id"] in taught}
    children = {m["id"] for m in of("models") if m["parent_id"] in direct}
    assert {r["model_id"] for r in answers[8] if r["depth"] == 0} == direct and direct
    assert {r["model_id"] for r in answers[8]} >= direct | children


def test_where_the_time_went(answers, ledger):
    stages = duck.sql(ledger, "FROM stages WHERE run = 'night'").to_pylist()
    assert sum(r["times"] for r in answers[9]) == len(stages)
    assert {"generate", "verify", "curate", "distill", "evaluate", "first-model"} <= {r["stage"] for r in answers[9]}
    assert sum(r["share"] for r in answers[9]) == pytest.approx(1)


def test_ten_questions_each_one_select_that_says_what_to_look_at():
    assert len(catalog.tour()) == 10
    for text in catalog.tour():
        head = meanings.header(text)
        assert [*head] == ["question", "look"] and head["question"].endswith("?") and "; " not in text.split("--")[0]
        assert max(map(len, text.splitlines())) <= 120


def test_the_command(ledger: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("FLYWHEEL_HOME", str(ledger))
    assert cli.main(["tour", "other"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("?") >= 10 and "WHERE run = 'other'" in shown and "$run" not in shown
    page = ledger / "tour.md"
    assert cli.main(["tour", "--write", str(page)]) == 0
    assert page.read_text().count("\n## ") == 10 and "WHERE run = 'night'" in page.read_text()
    assert cli.main(["tour", "nobody"]) == 2
    said = capsys.readouterr().err
    assert "there is no run nobody" in said and "known are night, other" in said


def test_what_a_model_wrote_cannot_leave_its_cell():
    text = "a|b\n<script>`x`</script> [l](u) \x1b[31m"
    answer = tour.Answer("What?", "here", "SELECT 1", pa.table({"text": [text], "none": [None]}), 0.1)
    line = tour.page([answer]).splitlines()[-1]
    assert line == r"| a\|b<br>\<script\>\`x\`\</script\> \[l\](u) <br>\[31m |  |"
