"""Labelled attempts that measure a verifier: one file per verifier, found by its name.

It defines `probes(problem, rng, solution) -> Iterator[Probe]`: attempts at this very problem whose label is certain,
fresh for each `rng`. `solution` is a worked solution by the domain's own solver, "" where there is none. Not here: the
running and counting (`tasks/audit.py`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Probe:
    """One labelled attempt. `accept`: a sound verifier says `correct`; otherwise it must say anything but that."""

    kind: str  # near_miss, spelling, empty, copied, listed, refusal, early_exit, over_long, injected, ...
    text: str
    accept: bool
