"""What the generated domains share: building a Problem, and endless distinct problems of one split.

Not a domain: the leading underscore keeps it out of the registry.
"""

from collections.abc import Callable, Iterator
from random import Random

from data.gold import Gold, dump
from data.ids import content_id, derived_seed, split_of
from data.records import Problem, Split

GIVE_UP = 2000  # draws in a row without a new problem: the level has no more


def build(domain: str, level: int, prompt: str, gold: Gold, verifier: str, source: str, key: str = "") -> Problem:
    """A problem whose id follows from its prompt, and whose split follows from `key` (default: the prompt)."""
    split: Split = "heldout" if split_of(f"{domain}:{key or prompt}") == "heldout" else "train"
    return Problem(content_id(domain, prompt), domain, level, prompt, dump(gold), verifier, source, split)


def distinct(
    draw: Callable[[Random], str], parse: Callable[[str], Problem | None], split: str, seed: int, level: int
) -> Iterator[Problem]:
    """Problems of `split` from random texts, each once; ends only when a small level has run dry."""
    rng = Random(derived_seed("problems", split, seed, level))
    seen: set[str] = set()
    misses = 0
    while misses < GIVE_UP:
        problem = parse(draw(rng))
        if problem is None or problem.split != split or problem.level != level or problem.id in seen:
            misses += 1
            continue
        misses = 0
        seen.add(problem.id)
        yield problem
