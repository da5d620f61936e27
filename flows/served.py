"""What `flywheel up` tells its runner and hears from it. Not here: the two of them (`up.py`, `runner.py`)."""

from dataclasses import dataclass
from typing import Literal

SERVED = "served.json"  # in the folder of Prefect's state, once everything is served
Overlap = Literal["cancel", "queue"]


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for: recipe of the nights (None: as it is), overlapping runs, a webhook (None: as it is).

    `ours`: the server is one of this home, started by `flywheel up`.
    """

    nightly: str | None = None
    overlap: Overlap = "cancel"
    notify: str | None = None
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """What is served: names of the deployments, page and state of the nightly schedule. Or only what is wrong."""

    names: list[str]
    schedule: str = ""
    nightly: bool = False
    error: str = ""
