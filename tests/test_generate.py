"""The promise: generation and verification continue after a break-down, ask nothing twice and give the same tables."""

import pytest

from data.records import StepVerdict, Verdict
from data.schemas import rows
from data.store import Store
from tasks import verify as stage
from tasks.verify import judge_with, verify
from tests.stages import AT, CHECKING, GENERATE, Broken, Noting, attempts, drawn, generated


def test_every_problem_gets_its_attempts_once(home):
    store, engine = Store(home), Noting(home)
    problems = drawn(store)
    result = generated(store, problems, engine)
    found = attempts(store)
    assert len({a.id for a in found}) == len(found) == result.attempts == len(problems) * GENERATE.samples
    assert result.tokens == sum(a.tokens for a in found) > 0
    assert result.tokens_per_s > 0
    assert sorted(engine.asked) == sorted(p.id for p in problems)


def test_a_done_stage_starts_no_engine(home):
    store = Store(home)
    problems = drawn(store)
    first = generated(store, problems, Noting(home))

    def never():
        raise AssertionError("the engine was started")

    assert generated(store, problems, never) == first
    assert generated(store, problems[::-1], never) == first


@pytest.mark.parametrize("life", [0, 3, 5, 12, 20])
def test_after_a_break_down_only_the_missing_problems_are_asked(home, life):
    store, first, second = Store(home), Noting(home, life=life), Noting(home)
    problems = drawn(store)
    with pytest.raises(Broken):
        generated(store, problems, first)
    assert len(store.read("attempts")) == 0
    result = generated(store, problems, second)
    kept = life // GENERATE.shard * GENERATE.shard
    assert len(second.asked) == len(problems) - kept
    assert not set(first.asked[:kept]) & set(second.asked)
    whole = Store(home / "whole")
    generated(whole, drawn(whole), Noting(home))
    assert attempts(store) == attempts(whole)
    assert result.tokens == sum(a.tokens for a in attempts(store))


def verdicts(store):
    read = [(relation, record) for relation, record in (("verdicts", Verdict), ("step_verdicts", StepVerdict))]
    found = [row for relation, record in read for row in rows(store.read(relation), record)]
    return sorted((row.attempt_id, getattr(row, "index", -1), row.outcome, row.reason) for row in found)


def test_every_attempt_has_one_verdict_and_equal_texts_the_same(home):
    store = Store(home)
    generated(store, drawn(store), Noting(home))
    result = verify(store, AT, CHECKING)
    tried, found = attempts(store), rows(store.read("verdicts"), Verdict)
    assert sorted(v.attempt_id for v in found) == sorted(a.id for a in tried)
    assert result.attempts == sum(result.outcomes.values()) == len(tried) > result.distinct
    assert set(result.outcomes) == {"correct", "incorrect", "no_answer"}
    outcome = {v.attempt_id: v.outcome for v in found}
    by_text = {}
    for a in tried:
        by_text.setdefault((a.problem_id, a.text), set()).add(outcome[a.id])
    assert all(len(outcomes) == 1 for outcomes in by_text.values())
    assert any(s.outcome == "incorrect" for s in rows(store.read("step_verdicts"), StepVerdict))
    assert verify(store, AT, CHECKING) == result


def test_verification_continues_after_a_break_down(home, monkeypatch):
    monkeypatch.setattr(stage, "PART", 16)
    store, whole = Store(home / "broken"), Store(home / "whole")
    for s in (store, whole):
        generated(s, drawn(s), Noting(home))
    seen = []

    def progress(done, total, text):
        seen.append(done)
        if len(seen) == 2:
            raise Broken

    with pytest.raises(Broken):
        verify(store, AT, CHECKING, progress)
    assert len(store.read("verdicts")) == 0
    verify(store, AT, CHECKING, progress)
    verify(whole, AT, CHECKING)
    assert seen[2] > seen[1] > seen[0] >= 16
    assert verdicts(store) == verdicts(whole)


def test_strategies_can_ask_for_verdicts(home):
    problem = drawn(Store(home))[0]
    good, bad = judge_with(CHECKING)([(problem, Noting(home, skill=1.0)._one(request(problem), 0).text), (problem, "")])
    assert (good.outcome, bad.outcome) == ("correct", "no_answer")


def request(problem):
    from tasks.engines import Request

    return Request(problem.id, problem.prompt, max_tokens=400)
