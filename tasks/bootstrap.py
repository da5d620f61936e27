"""The dataset that makes a seed policy: worked solutions written by the solvers of the domains, mostly of easy levels.

This is the only place where a solver's solution becomes training data; every later trace is the model's own. Levels
thin out geometrically and never stop sharply: a model is never right beyond the lengths it has seen.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from prefect import task
from prefect.cache_policies import NO_CACHE

from data.domains import load
from data.ids import content_id, derived_seed
from data.records import Example, Problem
from data.store import At, Store
from tasks.propose import vary_prompt
from tasks.settings import BootstrapSettings

VERSION = 1
STREAM = 4000  # distinct problems kept per domain and level; small levels repeat


@dataclass(frozen=True, slots=True)
class SolverData:
    """The committed dataset."""

    dataset_id: str
    examples: int


def solver_examples(domains: list[str], settings: BootstrapSettings) -> Iterator[tuple[Problem, str, str]]:
    """(problem, prompt, completion): a worked solution, or for some the writing of a like problem."""
    rng = Random(derived_seed("bootstrap", settings.seed))
    levels = range(1, settings.highest_level + 1)
    weights = [settings.decay**-level for level in levels]
    shares = [settings.weights.get(name, 1.0) for name in domains]
    modules = {name: load(name) for name in domains}
    streams = {(d, n): m.problems("train", settings.seed, n) for d, m in modules.items() for n in levels}
    pools: dict[tuple[str, int], list[Problem]] = {key: [] for key in streams}
    for _ in range(settings.examples):
        key = rng.choices(domains, shares)[0], rng.choices(levels, weights)[0]
        pool = pools[key]
        fresh = list(itertools.islice(streams[key], 1)) if len(pool) < STREAM else []
        pool.extend(fresh)
        problem = fresh[0] if fresh else rng.choice(pool)
        if len(pool) > 1 and rng.random() < settings.vary_share:
            yield problem, vary_prompt(rng.choice(pool).prompt), problem.prompt
        else:
            yield problem, problem.prompt, modules[key[0]].solve(problem)


def write_solver_data(store: Store, at: At, domains: list[str], settings: BootstrapSettings) -> SolverData:
    """Commit the dataset as the stage `solver`; done once."""
    fingerprint = content_id("solver", VERSION, domains, settings.model_dump())
    stage = store.stage(at, "solver", fingerprint)
    if not stage.done:
        rows = [
            Example(fingerprint, content_id(problem.id, prompt, i), problem.id, prompt, completion)
            for i, (problem, prompt, completion) in enumerate(solver_examples(domains, settings))
        ]
        stage.write("examples", "all", rows)
        stage.commit({"rows": len(rows)})
    return SolverData(fingerprint, settings.examples)


write_solver_data_task = task(name="solver", cache_policy=NO_CACHE)(write_solver_data)
