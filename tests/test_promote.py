"""The promise: a model is promoted only when it is better beyond doubt, and the summary says what the ledger says."""

import json
from random import Random

import pytest

from data.errors import UserError
from data.records import EvalSample, RoundResult
from data.schemas import rows
from data.store import SUMMARY, At, Store
from tasks.promote import judge, promote, refuse
from tasks.statistics import Interval
from tasks.summary import round_table, show, show_round, show_scores, summarise, write_summary
from tests.stages import CHECKING, EVALUATE, Noting, measured_on

K = 8


def measure(store: Store, number: int, model_id: str, rates: dict[int, float], problems: int = 20) -> None:
    """Commit held-out samples of a model whose chance to be right on level n is rates[n]."""
    rng = Random(model_id)
    stage = store.stage(At("run", number, 7), f"evaluate-{model_id}", "f")
    samples = []
    for level, rate in rates.items():
        for i in range(problems):
            for n in range(K):
                right = "correct" if rng.random() < rate else "incorrect"
                key = (f"{level}-{i}", model_id, "chain_sum", level, n, "t", right, right, "", True, 9, "stop")
                samples.append(EvalSample(f"{model_id}-{level}-{i}-{n}", *key))
    stage.write("eval_samples", "all", samples)
    stage.commit()


def test_a_better_model_is_promoted_and_the_decision_is_in_the_ledger(home):
    store, at = Store(home), At("run", 1, 7)
    measure(store, 0, "old", {1: 0.95, 3: 0.3})
    measure(store, 1, "new", {1: 0.95, 3: 0.6})
    result = promote(store, at, "old", "new")
    assert result.promoted
    assert result.why.startswith("promoted")
    assert 0 < result.gain_low < result.challenger_pass1 - result.incumbent_pass1 < result.gain_high
    assert rows(store.read("rounds"), RoundResult) == [result]
    assert promote(store, at, "old", "new") == result


@pytest.mark.parametrize("rate", [0.3, 0.31, 0.2])
def test_a_model_that_is_not_clearly_better_is_not(home, rate):
    store = Store(home)
    measure(store, 0, "old", {3: 0.3})
    measure(store, 1, "new", {3: rate})
    result = promote(store, At("run", 1, 7), "old", "new")
    assert not result.promoted
    assert "not better" in result.why or "does not exclude a loss" in result.why


def test_a_model_that_solves_fewer_problems_at_all_is_not_promoted():
    up, down, noise = Interval(0.05, 0.02, 0.08), Interval(-0.06, -0.09, -0.01), Interval(-0.02, -0.05, 0.01)
    assert judge(up, noise, 16)[0]
    promoted, why = judge(up, down, 16)
    assert not promoted
    assert "pass@16 has fallen" in why
    assert not judge(Interval(0.05, -0.01, 0.1), up, 16)[0]
    assert judge(Interval(0.05, 0.0, 0.1), up, 16)[0]
    assert not judge(Interval(*[float("nan")] * 3), up, 16)[0]


def test_models_that_were_not_measured_cannot_be_compared(home):
    with pytest.raises(UserError, match="evaluate both"):
        promote(Store(home), At("run", 1, 7), "old", "new")


def test_a_round_that_trained_nothing_is_recorded(home):
    store, at = Store(home), At("run", 1, 7)
    measure(store, 0, "old", {3: 0.3})
    result = refuse(store, at, "old", "the gate found 3 bad rows")
    assert (result.promoted, result.challenger_id, result.gain_low, result.gain_high) == (False, "", 0.0, 0.0)
    assert "the gate found 3 bad rows" in result.why
    assert rows(store.read("rounds"), RoundResult) == [result]
    show_round(store, at)


def test_the_summary_compares_the_seed_with_the_last_promoted_model(home, capsys):
    store = Store(home)
    measure(store, 0, "seed", {1: 1.0, 2: 0.95, 3: 0.3, 6: 0.1})
    measure(store, 1, "better", {1: 1.0, 2: 0.85, 3: 0.6, 6: 0.4})
    measure(store, 2, "worse", {1: 0.2, 2: 0.2, 3: 0.2, 6: 0.2})
    promote(store, At("run", 1, 7), "seed", "better")
    promote(store, At("run", 2, 7), "better", "worse")
    result = write_summary(store, "run", 7)
    assert json.loads((home / "run" / SUMMARY).read_text()) == result == summarise(store, "run", 7)
    assert 0.1 < result["seed_pass1"] < 0.3
    assert result["gain_points"] == pytest.approx(100 * (result["final_pass1"] - result["seed_pass1"]))
    assert 15 < result["interval"][0] < result["gain_points"] < result["interval"][1] < 45
    assert list(result["pass_k"]) == ["1", "2", "4", "8"]
    assert result["pass_k"]["1"] == [result["seed_pass1"], result["final_pass1"]]
    assert 2 < result["mastered_loss_points"] < 18
    assert (result["rounds"], result["promoted"], result["run_seed"], result["final_model"]) == (2, 1, 7, "better")
    show(result, home / "run")
    assert "2 rounds promoted" in capsys.readouterr().out


def test_a_run_without_rounds_has_gained_nothing(home):
    store = Store(home)
    measure(store, 0, "seed", {3: 0.3})
    result = summarise(store, "run", 7)
    assert (result["gain_points"], result["interval"], result["rounds"]) == (0.0, [0.0, 0.0], 0)


def test_tables_have_a_row_per_level_and_band(home, capsys):
    from tasks.evaluate import evaluate

    store = Store(home)
    for number, (model, skill) in enumerate((("old", 0.2), ("new", 0.9))):
        at = At("run", number, 7)
        evaluate(store, at, model, Noting(home, skill), measured_on(), EVALUATE, CHECKING)
    promote(store, At("run", 1, 7), "old", "new")
    cells = round_table(store, At("run", 1, 7), "old", "new")
    assert [row[:2] for row in cells[1:4]] == [["chain_sum", "1"], ["chain_sum", "2"], ["chain_sum", "3"]]
    assert cells[-1][:2] == ["all", "all"]
    show_round(store, At("run", 1, 7))
    show_scores(store, At("run", 1, 7), "new")
    out = capsys.readouterr().out
    assert "chain_sum" in out
    assert "promoted: better with 95 % confidence" in out
    assert "seconds: evaluate" in out
