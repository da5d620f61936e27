"""The statistics behind every score: pass@k, maj@k and bootstrap intervals over problems. Pure numpy, no records.

Notation: _P problems, _N samples of one problem, _M metrics, _S strata (domain and level), _B resamples.
A missing value is NaN and takes part in no mean.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CONFIDENCE = 0.95


def pass_at_k(correct: NDArray[np.int64], samples: NDArray[np.int64], k: int) -> Floats:
    """Chance that at least one of k samples is right, per problem: `correct` and `samples` (P,) -> (P,).

    The unbiased estimator 1 - C(n-c, k) / C(n, k) of Chen et al. 2021 (arXiv 2107.03374); NaN where n < k.
    """
    n, c = samples[:, None].astype(float), correct[:, None].astype(float)
    i = np.arange(k)
    with np.errstate(divide="ignore", invalid="ignore"):
        none_right = np.prod(np.clip(n - c - i, 0, None) / (n - i), axis=1)
    return np.where(samples >= k, 1 - none_right, np.nan)


def maj_at_k(answers: Sequence[str], right: Sequence[bool], ks: Sequence[int]) -> list[float]:
    """Expected accuracy of the majority of k of one problem's N samples, for each k; NaN where N < k.

    Exact over all subsets of size k drawn without replacement, hence unbiased. Equal texts vote together, an empty
    answer abstains, ties are split evenly, and a subset in which everybody abstains is wrong.
    """
    votes = Counter(a for a in answers if a)
    rights = Counter(a for a, ok in zip(answers, right, strict=True) if a and ok)
    abstaining = len(answers) - votes.total()
    totals = np.zeros(len(answers) + 1)
    for answer, hits in rights.items():
        others = Counter(votes)
        del others[answer]
        won = _wins(votes[answer], tuple(sorted(others.values())), abstaining)
        totals += hits / votes[answer] * np.asarray(won)
    return [float(totals[k]) if k <= len(answers) else float("nan") for k in ks]


@lru_cache(maxsize=100_000)
def _wins(own: int, others: tuple[int, ...], abstaining: int) -> tuple[float, ...]:
    """Chance that an answer with `own` votes wins among k drawn samples, for k = 0..N; j-fold ties count 1/(j+1).

    Counts subsets by generating functions: row j, column x is the number of ways in which j others tie with the answer,
    none beats it and x samples of others and abstainers are drawn.
    """
    size = own + sum(others) + abstaining
    wins = np.zeros(size + 1)
    for v in range(1, own + 1):
        ways = np.zeros((len(others) + 1, size + 1))
        ways[0, : abstaining + 1] = [comb(abstaining, x) for x in range(abstaining + 1)]
        for count in others:
            drawn = np.zeros_like(ways)
            for u in range(min(v - 1, count) + 1):
                drawn[:, u:] += comb(count, u) * ways[:, : size + 1 - u]
            if count >= v:
                drawn[1:, v:] += comb(count, v) * ways[:-1, : size + 1 - v]
            ways = drawn
        shared = (ways / (np.arange(len(others) + 1) + 1)[:, None]).sum(axis=0)
        wins[v:] += comb(own, v) * shared[: size + 1 - v]
    return tuple(float(w / comb(size, k)) for k, w in enumerate(wins))


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval; NaN when nothing was measured."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Means of the strata, observed and resampled. Any group of strata is the plain mean of its strata."""

    strata: list[Hashable]
    means: Floats  # (S, M)
    draws: Floats  # (S, B, M)

    def interval(self, metric: int = 0, strata: Sequence[Hashable] | None = None) -> Interval:
        """Mean of one metric over these strata (default: all), each with the same weight, and its interval."""
        chosen = [i for i, s in enumerate(self.strata) if strata is None or s in strata]
        chosen = [i for i in chosen if not np.isnan(self.means[i, metric])]
        if not chosen:
            return Interval(float("nan"), float("nan"), float("nan"))
        value = float(self.means[chosen, metric].mean())
        drawn = self.draws[chosen, :, metric]
        known = ~np.isnan(drawn)
        with np.errstate(invalid="ignore"):
            draws = np.where(known, drawn, 0.0).sum(axis=0) / known.sum(axis=0)
        tail = (1 - CONFIDENCE) / 2
        low, high = np.nanquantile(draws, [tail, 1 - tail])
        return Interval(value, float(low), float(high))


def bootstrap(values: Floats, strata: Sequence[Hashable], resamples: int, seed: int) -> Bootstrap:
    """Resample problems with replacement inside each stratum: `values` (P, M) or (P,) -> means (S, M), draws (S, B, M).

    All metrics share the same draws. Percentile intervals: a stratum whose values are all equal has width 0, so read
    the interval of a single small level with care.
    """
    table = values[:, None] if values.ndim == 1 else values
    rng = np.random.default_rng(seed)
    names = sorted(set(strata), key=repr)
    rows = {name: np.array([i for i, s in enumerate(strata) if s == name]) for name in names}
    means = np.empty((len(names), table.shape[1]))
    draws = np.empty((len(names), resamples, table.shape[1]))
    for s, name in enumerate(names):
        chosen = table[rows[name]]
        n = len(chosen)
        counts = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), size=resamples)])
        known = ~np.isnan(chosen)
        with np.errstate(invalid="ignore"):
            both = (counts @ np.where(known, chosen, 0.0)) / (counts @ known.astype(float))
        means[s], draws[s] = both[0], both[1:]
    return Bootstrap(list(names), means, draws)


def paired(before: Floats, after: Floats, strata: Sequence[Hashable], resamples: int, seed: int) -> Interval:
    """Mean of `after - before` on the same problems (P,), strata weighted alike, with its 95 % interval.

    Problems that lack a value on either side take part on neither.
    """
    return bootstrap(after - before, strata, resamples, seed).interval()
