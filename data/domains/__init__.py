"""The contract of a domain: a file here with problems that a machine can check.

It defines
    VERIFIER    name of the judge in verifiers/
    INSTRUCTION one paragraph that tells a chat model how to answer (plain models see the prompt alone)
    BANDS       {"easy": (first, last), "middle": ..., "hard": ...}: levels, chosen before anything was measured
    problems(split, seed, level) -> Iterator[Problem]   endless, fresh, in that split only, no duplicates
    solve(problem) -> str                               a worked solution by an external solver
    parse(text) -> Problem | None                       a problem somebody else wrote, with a certain gold; None unless
                                                        the whole text parses (the split follows from the content)
    EXAMPLES    texts that `parse` accepts, for the contract tests
The gold is computed here, by code, and never reaches a prompt.
"""

from types import ModuleType

from data import registry


def load(name: str) -> ModuleType:
    """The domain module of that name, `file:<path>` being `file`; LookupError lists the known ones."""
    return registry.load("data.domains", name.partition(":")[0])
