"""The promise: endless entailments of a known length of proof, half of them false, each with a certificate."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations, islice, product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import gold
from data.clauses import clause, negated, tautology, write
from data.domains import entailment
from data.domains._dpll import derive, refute
from data.records import Problem
from verifiers.certificate import verify

LEVELS = (1, 2, 4, 6)


def drawn(level: int, count: int = 40, split: str = "train", seed: int = 5) -> list[Problem]:
    return list(islice(entailment.problems(split, seed, level), count))


def clauses_of(problem: Problem) -> list[list[str]]:
    known = gold.load(problem.gold)
    assert isinstance(known, gold.Entailment)
    return [c.split("|") for c in (*known.premises, known.conclusion)]


def follows(clauses: list[list[str]]) -> bool:
    """Whether the last clause is true wherever the others are: by looking at every assignment."""
    letters = sorted({x.lstrip("~") for c in clauses for x in c})
    for values in product([False, True], repeat=len(letters)):
        world = dict(zip(letters, values, strict=True))
        *given, last = (any(world[x.lstrip("~")] != x.startswith("~") for x in c) for c in clauses)
        if all(given) and not last:
            return False
    return True


@pytest.mark.parametrize("level", LEVELS)
def test_half_are_entailed_and_every_solution_proves_its_side(level: int) -> None:
    fresh = drawn(level)
    proofs = [entailment.solve(p).startswith("#### proof") for p in fresh]
    assert proofs == [follows(clauses_of(p)) for p in fresh]
    assert 0.3 < sum(proofs) / len(proofs) < 0.7
    assert {verify(p, entailment.solve(p)).outcome for p in fresh} == {"correct"}


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_the_length_of_the_shortest_proof(level: int) -> None:
    """A proof from n premises that are all needed has n-1 steps at least; the solver's are as short, or nearly."""
    lengths = []
    for problem in drawn(level):
        *premises, conclusion = clauses_of(problem)
        assert len(premises) == level + 2
        if follows([*premises, conclusion]):
            lengths.append(entailment.solve(problem).count("\n"))
            assert not any(follows([*rest, conclusion]) for rest in combinations(premises, len(premises) - 1))
    assert min(lengths) == level + 1
    assert sum(lengths) / len(lengths) < level + 1.1


def test_problems_repeat_and_splits_share_no_shape() -> None:
    train, held = drawn(2, 200), drawn(2, 20, "heldout")
    assert train == drawn(2, 200) and train != drawn(2, 200, seed=6)
    shapes = [entailment._shape(clauses_of(p)) for p in (*train, *held)]
    assert len(set(shapes)) == len(train) + len(held)
    assert {p.split for p in train} == {"train"} and {p.split for p in held} == {"heldout"}
    assert len(drawn(1, 400)) == 400
    assert len(drawn(entailment.LARGEST - 2, 1)) == 1 and drawn(entailment.LARGEST - 1, 1) == []


@given(st.integers(0, 10**6), st.sampled_from(LEVELS[:3]))
def test_names_and_order_change_neither_split_nor_answer(seed: int, level: int) -> None:
    rng = Random(seed)
    problem = next(entailment.problems("heldout", seed, level))
    *premises, conclusion = clauses_of(problem)
    letters = sorted({x[-1] for c in (*premises, conclusion) for x in c})
    names = dict(zip(letters, rng.sample("abcdefghijklmnopqrstuvwxyz", len(letters)), strict=True))
    mixed = [rng.sample(c, len(c)) for c in (*rng.sample(premises, len(premises)), conclusion)]
    renamed = [[x[:-1] + names[x[-1]] for x in c] for c in mixed]
    lines = [f"{n}. {'|'.join(c)}" for n, c in enumerate(renamed[:-1], 1)]
    other = entailment.parse("\n".join([*lines, "|".join(renamed[-1]) + "?"]))
    assert other is not None
    assert (other.split, other.level) == ("heldout", level)
    assert entailment.solve(other).split("\n")[0] == entailment.solve(problem).split("\n")[0]


@pytest.mark.parametrize("text", entailment.EXAMPLES)
def test_texts_of_others_are_read_whole_or_not_at_all(text: str) -> None:
    problem = entailment.parse(text)
    assert problem is not None and problem.prompt == text
    assert verify(problem, entailment.solve(problem)).outcome == "correct"
    for spoilt in (text + "\n", " " + text, text[:-1], text.replace("2.", "3."), text.replace("|", "||"), text.upper()):
        assert entailment.parse(spoilt) is None
    lines = text.split("\n")
    assert entailment.parse("\n".join([*lines[:2], *lines[3:]])) is None  # the numbers have a gap, or too few premises


@pytest.mark.parametrize(
    "text",
    [
        "1. a\n2. ~a|b\n3. ~b\nc?",  # premises that contradict each other
        "1. a|b\n2. c\n3. ~a\na|b?",  # the conclusion is a premise
        "1. a\n2. c\n3. ~c|b\na|b?",  # the conclusion contains one
        "1. a|~a\n2. c\n3. b\nd?",
        "1. a|a\n2. c\n3. b\nd?",
        "1. a|b\n2. b|a\n3. b\nd?",
        "1. a|b|c|d\n2. b\n3. a\nd?",
        "1. a\n2. b\nc?",
        "1. a1\n2. b\n3. c\nd?",
        "3+5-2=?",
        "",
    ],
)
def test_what_is_no_problem(text: str) -> None:
    assert entailment.parse(text) is None


def test_no_solution_of_another_domains_problem() -> None:
    with pytest.raises(ValueError, match="not a problem of this domain"):
        entailment.solve(replace(drawn(1, 1)[0], prompt="3+5-2=?"))


LITERALS = [sign + x for x in "abcde" for sign in ("", "~")]
CLAUSE = st.frozensets(st.sampled_from(LITERALS), max_size=3).filter(lambda c: not tautology(c))


@given(st.lists(CLAUSE, min_size=1, max_size=9), CLAUSE, st.integers(0, 99))
def test_the_solver_decides_any_entailment(premises, conclusion, seed: int) -> None:
    truth = follows([*map(list, premises), list(conclusion)])
    model = refute(premises, conclusion, Random(seed))
    steps = derive(premises, conclusion, Random(seed), tries=2)
    assert (model is None) == (steps is not None) == truth
    if model is not None:
        assert not any(tautology(frozenset(model)) or premise.isdisjoint(model) for premise in premises)
        assert all(negated(x) in model for x in conclusion)
    else:
        assert steps is not None and steps[-1].clause == conclusion


@given(st.frozensets(st.sampled_from(LITERALS), max_size=6))
def test_clauses_round_trip(literals) -> None:
    assert clause(write(literals)) == literals
    assert clause(write(literals).replace("|", " | ").replace("~", "¬")) == literals


@pytest.mark.parametrize(
    "text", ["", " ", "|", "a|", "a||b", "~", "~~a", "a b", "A", "a123", "0|a", "a&b", "1", "a1 1"]
)
def test_what_is_no_clause(text: str) -> None:
    with pytest.raises(ValueError):
        clause(text)
    with pytest.raises(ValueError, match="more than"):
        clause("|".join(["a"] * 10_000))


def test_solutions_do_not_depend_on_the_process() -> None:
    """Sets of texts iterate differently in every process: nothing may follow that order."""
    code = (
        "from itertools import islice; from data.domains import entailment as e;"
        "print([(p.prompt, e.solve(p)) for p in islice(e.problems('train', 5, 4), 30)])"
    )
    ran = [
        subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True)
        for seed in ("1", "2")
    ]
    assert ran[0].returncode == 0 and len(ran[0].stdout) > 1000
    assert ran[0].stdout == ran[1].stdout
