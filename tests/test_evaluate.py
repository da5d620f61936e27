"""The promise: every held-out sample is kept, every score follows from them, and nothing is measured twice."""

from math import isclose, isnan

import pytest

from data.errors import UserError
from data.records import EvalSample, Problem, Score
from data.schemas import rows
from data.store import At, Store
from tasks.evaluate import Evaluated, evaluate, samples_of
from tasks.scores import measured, scores
from tests.stages import AT, CHECKING, EVALUATE, LEVELS, Broken, Noting, measured_on


def evaluated(store: Store, engine, model_id="m0", at=AT, settings=EVALUATE, problems=None) -> Evaluated:
    return evaluate(store, at, model_id, engine, problems or measured_on(), settings, CHECKING)


def sample(problem="p", outcome="correct", answer="1", level=1, domain="chain_sum", **more) -> EvalSample:
    given = {"id": "i", "model_id": "m0", "sample": 0, "text": "t", "reason": "", "steps_ok": True, "tokens": 5}
    row = {**given, "finish": "stop", "problem_id": problem, "outcome": outcome, "answer": answer}
    return EvalSample(**{**row, "level": level, "domain": domain, **more})


def by_key(found: list[Score]) -> dict[tuple, Score]:
    keys = {(s.domain, s.level, s.band, s.metric, s.k): s for s in found}
    assert len(keys) == len(found)
    return keys


def test_every_sample_is_kept_and_every_score_can_be_recomputed(home):
    store, engine = Store(home), Noting(home, skill=0.7)
    result = evaluated(store, engine)
    samples = rows(store.read("eval_samples"), EvalSample)
    assert len(samples) == result.samples == result.problems * EVALUATE.samples
    assert {p.id for p in rows(store.read("eval_problems"), Problem)} == {s.problem_id for s in samples}
    found = by_key(rows(store.read("scores"), Score))
    strata = {(s.domain, s.level) for s in samples}
    assert strata == {(d, n) for d, levels in LEVELS.items() for n in levels}
    means = []
    for domain, level in strata:
        right = [s.outcome == "correct" for s in samples if (s.domain, s.level) == (domain, level)]
        score = next(s for key, s in found.items() if key[:2] == (domain, level) and key[3:] == ("pass@k", 1))
        assert isclose(score.value, sum(right) / len(right))
        assert score.low <= score.value <= score.high
        assert (score.problems, score.samples) == (EVALUATE.problems, len(right))
        means.append(score.value)
    whole = found["all", 0, "all", "pass@k", 1]
    assert isclose(whole.value, sum(means) / len(means))
    assert 0.4 < whole.value < 0.95
    assert found["all", 0, "all", "pass@k", 4].value > whole.value
    assert found["all", 0, "all", "maj@k", 1].value == pytest.approx(whole.value)
    assert found["all", 0, "all", "strict@k", 1].value < whole.value
    assert found["all", 0, "all", "tokens", 0].value > 1
    assert {key[2] for key in found if key[0] == "all"} == {"easy", "middle", "middle+hard", "all"}


def test_nothing_is_measured_twice_in_a_run(home):
    store = Store(home)
    first = evaluated(store, Noting(home))
    again = Noting(home)
    assert evaluated(store, again) == evaluated(store, again, at=At("run", 4, 7)) == first
    assert again.asked == []
    fewer = EVALUATE.model_copy(update={"samples": 2})
    assert evaluated(store, again, at=At("run", 4, 7), settings=fewer).round == 4
    assert len(again.asked) == first.problems
    assert len(samples_of(store, "run", "m0")) == 2 * first.problems


def test_two_models_are_asked_the_same_and_problems_are_kept_once(home):
    store, weak, strong = Store(home), Noting(home, skill=0.2), Noting(home, skill=0.9)
    evaluated(store, weak, "weak")
    evaluated(store, strong, "strong", At("run", 2, 7))
    assert weak.asked == strong.asked
    weak_right, strong_right = (
        sum(s.outcome == "correct" for s in samples_of(store, "run", m)) for m in ("weak", "strong")
    )
    assert weak_right < strong_right
    assert len(store.read("eval_problems")) == len(set(weak.asked))


def test_after_a_break_down_only_the_missing_problems_are_sampled(home, monkeypatch):
    monkeypatch.setattr("tasks.evaluate.SHARD", 8)
    store, whole, first, second = Store(home), Store(home / "whole"), Noting(home, life=19), Noting(home)
    with pytest.raises(Broken):
        evaluated(store, first)
    evaluated(store, second)
    evaluated(whole, Noting(home))
    assert not set(first.asked[:16]) & set(second.asked)
    assert len(second.asked) == len(measured_on()) - 16
    assert sorted(s.id for s in samples_of(store, "run", "m0")) == sorted(s.id for s in samples_of(whole, "run", "m0"))
    table = {key: s.value for key, s in by_key(rows(store.read("scores"), Score)).items()}
    assert table == pytest.approx({k: s.value for k, s in by_key(rows(whole.read("scores"), Score)).items()})


def test_unverified_samples_are_neither_right_nor_wrong():
    group = [sample(outcome=o) for o in ("correct", "correct", "incorrect", "unverified")]
    found = by_key(scores("m0", measured(group), 100, 0))
    assert isclose(found["chain_sum", 1, "easy", "pass@k", 1].value, 2 / 3)
    assert isnan(found["chain_sum", 1, "easy", "pass@k", 4].value)
    assert found["chain_sum", 1, "easy", "pass@k", 4].problems == 0
    assert found["chain_sum", 1, "easy", "unverified", 0].value == 0.25
    lost = by_key(scores("m0", measured([*group, sample("q", "unverified")]), 100, 0))
    assert isclose(lost["chain_sum", 1, "easy", "pass@k", 1].value, 2 / 3)


def test_abstaining_truncated_and_lucky_samples_are_told_apart():
    group = [
        sample(answer="6"),
        sample(answer="6", steps_ok=False),
        sample(outcome="incorrect", answer="7"),
        sample(outcome="no_answer", answer="", finish="length", tokens=9),
    ]
    found = by_key(scores("m0", measured(group), 100, 0))
    value = {key[3:]: s.value for key, s in found.items() if key[1] == 1}
    assert value["pass@k", 1] == 0.5
    assert value["strict@k", 1] == 0.25
    assert value["maj@k", 4] == 1.0
    assert value["no_answer", 0] == value["truncated", 0] == 0.25
    assert value["tokens", 0] == 6.0


def test_without_held_out_problems_there_is_one_sentence(home):
    with pytest.raises(UserError, match="no held-out problem"):
        evaluate(Store(home), AT, "m0", Noting(home), [], EVALUATE, CHECKING)
