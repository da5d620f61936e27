"""The contract of an objective: a file here that defines `RELATION` (`examples` or `pairs`) and `train`.

`train` runs in a process of its own (`tasks/distill.py` starts it); it reads rows, writes a model folder, and can be
killed at any instruction and called again: it continues from its last checkpoint.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from tasks.settings import DistillSettings


@dataclass(frozen=True, slots=True)
class LossPoint:
    """One logged point."""

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What a training run did. `startup_seconds` is imports and model loading; `seconds` is training alone."""

    steps: int
    tokens: int
    seconds: float
    startup_seconds: float
    losses: list[LossPoint]
    dropped: int  # rows longer than max_length


class Train(Protocol):
    """Train on `table` from the model in `base`, write a complete model folder to `out`."""

    def __call__(self, table: pa.Table, base: Path, out: Path, settings: DistillSettings, seed: int) -> TrainReport: ...
