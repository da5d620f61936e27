"""The promise: every score is the exact estimator it claims to be, checked against brute force, and intervals cover."""

from collections import Counter
from itertools import combinations
from math import isclose, isnan

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.curriculum import FLOOR, allocate, weights
from tasks.statistics import bootstrap, maj_at_k, paired, pass_at_k

samples = st.lists(st.tuples(st.sampled_from(["", "a", "b", "c", "d"]), st.booleans()), min_size=1, max_size=8)


def brute_pass(right: list[bool], k: int) -> float:
    subsets = list(combinations(right, k))
    return sum(any(s) for s in subsets) / len(subsets)


def brute_majority(answers: list[str], right: list[bool], k: int) -> float:
    share = {a: np.mean([ok for b, ok in zip(answers, right, strict=True) if a == b]) for a in set(answers)}
    scores = []
    for subset in combinations(answers, k):
        votes = Counter(a for a in subset if a)
        best = [a for a, n in votes.items() if n == max(votes.values())]
        scores.append(np.mean([share[a] for a in best]) if best else 0.0)
    return float(np.mean(scores))


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(1, 10))
def test_pass_at_k_is_the_mean_over_all_subsets(right, k):
    value = pass_at_k(np.array([sum(right)]), np.array([len(right)]), k)[0]
    assert isnan(value) if k > len(right) else isclose(value, brute_pass(right, k), abs_tol=1e-9)


@settings(max_examples=60, deadline=None)
@given(samples)
def test_majority_is_the_mean_over_all_subsets(rows):
    answers, right = [a for a, _ in rows], [ok for _, ok in rows]
    ks = list(range(1, len(rows) + 1))
    for k, value in zip(ks, maj_at_k(answers, right, ks), strict=True):
        assert isclose(value, brute_majority(answers, right, k), abs_tol=1e-9)
    assert isnan(maj_at_k(answers, right, [len(rows) + 1])[0])


@given(st.integers(0, 16), st.integers(1, 16))
def test_pass_at_k_grows_with_k(c, k):
    n = np.array([16])
    one, more = (pass_at_k(np.array([c]), n, j)[0] for j in (k, min(k + 1, 16)))
    assert 0 <= one <= more + 1e-12 <= 1 + 1e-12


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        values = np.concatenate([rng.binomial(1, p, 60) for p in (0.3, 0.6)]).astype(float)
        i = bootstrap(values, [0] * 60 + [1] * 60, 400, trial).interval()
        hits += i.low <= 0.45 <= i.high
    assert 0.89 <= hits / 200 <= 0.99


def test_strata_weigh_alike_whatever_their_size():
    values = np.array([1.0] * 90 + [0.0] * 10)
    both = bootstrap(values, [0] * 90 + [1] * 10, 100, 0)
    assert both.interval().value == 0.5
    assert both.interval(strata=[0]).value == 1.0


def test_missing_values_take_part_in_no_mean():
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [0.0, np.nan]])
    result = bootstrap(values, ["x"] * 3, 200, 0)
    assert result.interval().value == 0.5
    assert isnan(result.interval(metric=1).value)


def test_pairing_removes_what_the_problems_have_in_common():
    rng = np.random.default_rng(1)
    before = rng.random(200)
    same = paired(before, before, [0] * 200, 500, 0)
    better = paired(before, np.minimum(before + 0.1, 1), [0] * 200, 500, 0)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert 0.05 < better.low < better.value < better.high < 0.11


def test_the_curriculum_is_mostly_where_the_model_sometimes_succeeds():
    rates = {("sum", 1): 0.99, ("sum", 2): 0.5, ("sum", 3): 0.1, ("sum", 4): 0.0, ("sum", 5): 0.0, ("new", 1): 0.0}
    shares = weights(rates, 0.2)
    assert isclose(sum(shares.values()), 1)
    assert isclose(shares["sum", 1], 0.2)
    assert shares["sum", 2] > shares["sum", 3] > shares["sum", 4] > 0
    assert shares["sum", 5] == 0
    assert isclose(shares["new", 1] / shares["sum", 2], FLOOR / 0.25)


def test_the_curriculum_without_measurements_opens_every_level_alike():
    assert weights({("sum", 1): None, ("sum", 2): None}, 0.2) == {("sum", 1): 0.5, ("sum", 2): 0.5}
    assert weights({("sum", 1): 1.0}, 0.2) == {("sum", 1): 1.0}
    assert weights({}, 0.2) == {}


rates = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.integers(1, 8)), st.none() | st.floats(0, 1), min_size=1, max_size=12
)


@given(rates, st.floats(0, 1), st.integers(0, 500))
def test_shares_sum_to_one_and_allocation_is_whole_and_close(pass_rates, mastered_share, n):
    shares = weights(pass_rates, mastered_share)
    total = sum(shares.values())
    assert isclose(total, 1)
    counts = allocate(n, shares)
    assert sum(counts.values()) == n
    assert all(abs(counts[key] - n * shares[key] / total) < 1 for key in shares)
    assert all(counts[key] == 0 for key in shares if shares[key] == 0)
