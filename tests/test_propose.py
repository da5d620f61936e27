"""The promise: a problem the model wrote enters the ledger only with a certain gold, new, whole and not held out."""

from collections import Counter

import pytest

from data.domains import load
from data.ids import split_of
from data.records import Problem, Proposal
from data.schemas import rows
from data.store import Store
from tasks.engines import Completion
from tasks.propose import LONGEST, propose, vary_prompt
from tests.stages import AT, CHECKING, GENERATE, Broken, Noting, drawn


def asked(store, engine, settings=GENERATE):
    result = propose(store, AT, "m0", engine, settings, checking=CHECKING)
    return result, rows(store.read("proposals"), Proposal)


class Saying(Noting):
    """Writes what it was told to, one text per request."""

    def __init__(self, folder, texts):
        super().__init__(folder)
        self.texts = texts

    def complete(self, requests):
        for request, (text, finish) in zip(requests, self.texts, strict=True):
            self.asked.append(request.prompt)
            yield [Completion(request.id, 0, text, len(text), 1, 0.0, finish)]


def test_accepted_proposals_are_problems_of_the_round(home):
    store = Store(home)
    before = drawn(store)
    result, found = asked(store, Noting(home))
    accepted = [p for p in found if p.accepted]
    problems = {p.id: p for p in rows(store.read("problems", "run", [1]), Problem)}
    assert result.asked == len(found) == GENERATE.proposals
    assert result.accepted == len(accepted) == len(problems) - len(before) > 5
    assert sum(result.reasons.values()) == result.asked
    for proposal in accepted:
        problem = problems[proposal.problem_id]
        assert problem.source == "model:m0"
        assert problem.prompt == proposal.text
        assert (problem.split, problem.level) == ("train", proposal.level)
    assert asked(store, Noting(home))[0] == result
    assert len(drawn(store)) == len(problems)


def test_every_way_to_fail_is_refused_with_its_reason(home):
    store, module = Store(home), load("chain_sum")
    before = drawn(store)
    stream = module.problems("train", 99, 4)
    fresh = [next(stream).prompt for _ in range(2)]
    held = next(module.problems("heldout", 99, 4)).prompt
    known = next(p for p in before if p.domain == "chain_sum")
    one = GENERATE.model_copy(update={"proposals": 20, "shard": 20})
    sums = Store(home / "sums")
    stage = sums.stage(AT, "problems", "f")
    stage.write("problems", "all", [p for p in before if p.domain == "chain_sum"])
    stage.commit()
    texts = [
        (fresh[0], "stop"),
        (f" {fresh[1]}\n", "stop"),
        (fresh[0], "stop"),
        (held, "stop"),
        (known.prompt, "stop"),
        (fresh[1][:-1], "length"),
        (fresh[1] + " I hope this helps", "stop"),
        ("1+" * LONGEST + "1=?", "stop"),
        ("", "stop"),
        ("__import__('os').system('true')", "stop"),
    ]
    engine = Saying(home, texts + [("x", "stop")] * 10)
    result, found = asked(sums, engine, one)
    reasons = {p.text: p.reason for p in found}
    assert result.accepted == 2
    assert Counter(p.reason for p in found)["proposed twice"] == 1
    assert reasons[held] == "held out"
    assert reasons[known.prompt] in ("already in the ledger", "equals its source")
    assert reasons[fresh[1][:-1]] == "cut off"
    assert reasons[fresh[1] + " I hope this helps"] == reasons[""] == "does not parse whole"
    assert reasons["1+" * LONGEST + "1=?"] == "too long"
    assert all(prompt.startswith(vary_prompt("")) for prompt in engine.asked)
    assert {p.text for p in found if p.accepted} == set(fresh)
    assert split_of(f"chain_sum:{held}") == "heldout"


def test_after_a_break_down_only_the_missing_parts_are_asked(home):
    store, whole = Store(home / "broken"), Store(home / "whole")
    drawn(store), drawn(whole)
    first, second = Noting(home, life=12), Noting(home)
    with pytest.raises(Broken):
        asked(store, first)
    _, found = asked(store, second)
    assert len(second.asked) == GENERATE.proposals - 10
    assert not set(first.asked[:10]) & set(second.asked)
    assert sorted(found, key=lambda p: p.id) == sorted(asked(whole, Noting(home))[1], key=lambda p: p.id)


def test_a_round_without_own_generators_proposes_nothing(home):
    store = Store(home)
    result, found = asked(store, Noting(home))
    assert (result.asked, found) == (0, [])
