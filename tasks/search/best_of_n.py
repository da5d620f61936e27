"""Best of n: every problem is tried `budget.samples` times, independently. The baseline that search must beat.

One request per problem, all in one batch of the engine. It asks for no verdicts on the way.
"""

from collections.abc import Iterator, Sequence

from data import domains
from data.ids import content_id, derived_seed
from data.records import Attempt, Problem
from tasks.engines import Completion, Engine, Request
from tasks.search import Budget, Judge
from verifiers._steps import step_offsets

NAME = "best_of_n"


def search(
    problems: Sequence[Problem], engine: Engine, judge: Judge, budget: Budget, seed: int, model_id: str
) -> Iterator[list[Attempt]]:
    """See `tasks.search.Search`. The seed of a problem follows from the run's seed and the problem alone."""
    by_id = {problem.id: problem for problem in problems}
    sampling = budget.sampling
    requests = [
        Request(
            id=problem.id,
            prompt=problem.prompt,
            system=domains.load(problem.domain).INSTRUCTION,
            n=budget.samples,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens,
            seed=derived_seed(seed, problem.id),
        )
        for problem in by_id.values()
    ]
    dump = sampling.model_dump()
    for completions in engine.complete(requests):
        problem = by_id[completions[0].request_id]
        problem_seed = derived_seed(seed, problem.id)
        yield [_attempt(problem, c, model_id, dump, problem_seed) for c in completions]


def _attempt(problem: Problem, c: Completion, model_id: str, sampling: dict[str, object], seed: int) -> Attempt:
    """A completion as a row of the ledger."""
    return Attempt(
        id=content_id(problem.id, model_id, NAME, sampling, seed, c.index),
        problem_id=problem.id,
        model_id=model_id,
        strategy=NAME,
        seed=seed,
        text=c.text,
        steps=step_offsets(c.text),
        tokens=c.tokens,
        logprob=c.logprob,
        finish=c.finish,
    )
