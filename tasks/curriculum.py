"""Which levels the next round tries: most problems where the model sometimes succeeds, some where it always does.

Pure arithmetic on pass rates; drawing the problems is `problems.py`. A key is (domain, level).
"""

from collections.abc import Mapping
from math import floor

Key = tuple[str, int]

MASTERED = 0.9  # a level with at least this pass rate is mastered
REACHED = 0.05  # a level with more than this is within reach
FLOOR = 0.05  # weight of an open level of which nothing was solved; p(1-p) of a pass rate near REACHED


def weights(pass_rates: Mapping[Key, float | None], mastered_share: float) -> dict[Key, float]:
    """Share of the round's problems per (domain, level), summing to 1 (empty for no levels).

    Mastered levels share `mastered_share` evenly, the others get the rest in proportion to p(1-p). In each domain the
    levels up to the first one past the highest level within reach are open, with at least FLOOR; those beyond are
    closed. An unmeasured level (None) that is open counts as p = 1/2; a domain without any measurement is open whole.
    """
    learning: dict[Key, float] = {}
    mastered: list[Key] = []
    for domain in sorted({d for d, _ in pass_rates}):
        rates = {level: rate for (d, level), rate in sorted(pass_rates.items()) if d == domain}
        open_levels = _open(rates)
        for level in open_levels:
            rate = rates[level]
            if rate is not None and rate >= MASTERED:
                mastered.append((domain, level))
            else:
                learning[domain, level] = 0.25 if rate is None else max(rate * (1 - rate), FLOOR)
    if not learning:
        mastered_share = 1.0
    elif not mastered:
        mastered_share = 0.0
    total = sum(learning.values())
    shares = {key: (1 - mastered_share) * weight / total for key, weight in learning.items()}
    shares |= {key: mastered_share / len(mastered) for key in mastered}
    return {key: shares.get(key, 0.0) for key in sorted(pass_rates)}


def allocate(n: int, shares: Mapping[Key, float]) -> dict[Key, int]:
    """`n` problems by largest remainder: whole numbers that sum to `n`, each within one of its exact share."""
    total = sum(shares.values())
    if total <= 0:
        return dict.fromkeys(shares, 0)
    exact = {key: n * share / total for key, share in shares.items()}
    counts = {key: floor(value) for key, value in exact.items()}
    by_remainder = sorted((key for key in exact if exact[key] > 0), key=lambda key: (counts[key] - exact[key], key))
    for key in by_remainder[: n - sum(counts.values())]:
        counts[key] += 1
    return counts


def _open(rates: Mapping[int, float | None]) -> list[int]:
    """The levels of one domain, sorted, up to the first one past the frontier."""
    levels = list(rates)
    if all(rate is None for rate in rates.values()):
        return levels
    frontier = max((i for i, level in enumerate(levels) if (rates[level] or 0.0) > REACHED), default=-1)
    return levels[: frontier + 2]
