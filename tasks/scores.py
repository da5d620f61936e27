"""Scores from held-out samples: every metric per level, per band and over all. Pure: `evaluate.py` stores them.

`unverified` samples are taken out of a problem's samples and reported as coverage; they never count as wrong. A score
over several levels is the plain mean of its levels, each with the same weight.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from data.records import EvalSample, Score
from tasks.curriculum import Key
from tasks.problems import band_of
from tasks.statistics import Floats, bootstrap, maj_at_k, pass_at_k

BANDS = {"easy": ["easy"], "middle": ["middle"], "hard": ["hard"], "middle+hard": ["middle", "hard"]}
Metric = tuple[str, int]  # name and k; 0 for metrics without one


@dataclass(frozen=True, slots=True)
class Measured:
    """One model's held-out values: a row per problem, a column per metric."""

    problems: list[str]
    strata: list[Key]
    samples: list[int]
    metrics: list[Metric]
    values: Floats  # (P, M), NaN where not measured

    def column(self, metric: str, k: int) -> dict[str, float]:
        """The values of one metric by problem; empty when it was not measured."""
        if (metric, k) not in self.metrics:
            return {}
        return dict(zip(self.problems, self.values[:, self.metrics.index((metric, k))].tolist(), strict=True))

    @property
    def largest_k(self) -> int:
        """Largest k of pass@k; 0 without samples."""
        return max((k for name, k in self.metrics if name == "pass@k"), default=0)


def powers_of_two(largest: int) -> list[int]:
    """1, 2, 4, ... up to `largest`."""
    return [2**i for i in range(largest.bit_length()) if 2**i <= largest]


def measured(samples: Sequence[EvalSample]) -> Measured:
    """The metrics of every problem:

    pass@k, maj@k  for k = 1, 2, 4, ... up to the samples of a problem; NaN where fewer were verified
    strict@k       k = 1: right and no checked step wrong
    no_answer, truncated, unverified   shares of all samples
    tokens         mean length of a completion
    """
    groups: dict[str, list[EvalSample]] = {}
    for s in samples:
        groups.setdefault(s.problem_id, []).append(s)
    ks = powers_of_two(max(map(len, groups.values()), default=0))
    metrics = [(name, k) for name in ("pass@k", "maj@k") for k in ks]
    metrics += [("strict@k", 1), ("no_answer", 0), ("truncated", 0), ("unverified", 0), ("tokens", 0)]
    values = np.array([_values(group, ks) for group in groups.values()]).reshape(len(groups), len(metrics))
    strata = [(group[0].domain, group[0].level) for group in groups.values()]
    return Measured(list(groups), strata, [len(group) for group in groups.values()], metrics, values)


def scores(model_id: str, table: Measured, resamples: int, seed: int) -> list[Score]:
    """A row per group and metric, each with its 95 % interval."""
    boot = bootstrap(table.values, table.strata, resamples, seed)
    found = []
    for domain, level, band, strata in _groups(sorted(set(table.strata))):
        rows = [i for i, stratum in enumerate(table.strata) if stratum in strata]
        samples = sum(table.samples[i] for i in rows)
        for m, (metric, k) in enumerate(table.metrics):
            i = boot.interval(m, strata)
            problems = int(np.sum(~np.isnan(table.values[rows, m])))
            found.append(Score(model_id, domain, level, band, metric, k, i.value, i.low, i.high, problems, samples))
    return found


def _values(group: Sequence[EvalSample], ks: Sequence[int]) -> list[float]:
    """One problem's values, in the order of the metrics."""
    verified = [s for s in group if s.outcome != "unverified"]
    right = [s.outcome == "correct" for s in verified]
    answers = ["" if s.outcome == "no_answer" else s.answer or s.text for s in verified]
    n, c = np.array([len(verified)]), np.array([sum(right)])
    strict = [s.outcome == "correct" and s.steps_ok for s in verified]
    return [
        *(float(pass_at_k(c, n, k)[0]) for k in ks),
        *maj_at_k(answers, right, ks),
        sum(strict) / len(strict) if strict else float("nan"),
        sum(s.outcome == "no_answer" for s in group) / len(group),
        sum(s.finish == "length" for s in group) / len(group),
        sum(s.outcome == "unverified" for s in group) / len(group),
        sum(s.tokens for s in group) / len(group),
    ]


def _groups(strata: Sequence[Key]) -> Iterator[tuple[str, int, str, list[Key]]]:
    """(domain, level, band, its strata): single levels, the bands of each domain, and those over all domains."""
    for domain, level in strata:
        yield domain, level, band_of(domain, level), [(domain, level)]
    for domain in [*sorted({d for d, _ in strata}), "all"]:
        inside = [s for s in strata if domain in (s[0], "all")]
        for band, names in BANDS.items():
            chosen = [s for s in inside if band_of(*s) in names]
            if chosen:
                yield domain, 0, band, chosen
        yield domain, 0, "all", inside
