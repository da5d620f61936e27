"""The contract of an engine: a file here that defines `engine(model, settings) -> Engine`.

An engine turns requests into completions, many at a time. It knows nothing of problems, golds or verdicts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from data import registry
from data.errors import Died, UserError
from data.records import Finish
from tasks.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class Request:
    """`n` completions of one prompt. `system` is used by models with a chat template only."""

    id: str
    prompt: str
    system: str = ""
    n: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 256
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion; `index` runs over the `n` of its request. `logprob` is the sum over its tokens (nats)."""

    request_id: str
    index: int
    text: str
    tokens: int
    prompt_tokens: int
    logprob: float
    finish: Finish


class Engine(Protocol):
    """A running model."""

    startup_seconds: float

    def complete(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """All `n` completions of a request as soon as the request is finished; requests finish in any order."""

    def load_weights(self, model: Path) -> None:
        """Serve other weights of the same architecture (or another adapter) from now on."""

    def close(self) -> None:
        """End the engine and free its device. Safe to call twice."""


def start(model: Path, settings: EngineSettings) -> Engine:
    """A running engine. Raises EngineError (one clear sentence) when the library or the model is missing."""
    engine: Engine = registry.load("tasks.engines", settings.name).engine(model, settings)
    return engine


class EngineError(UserError):
    """An engine that cannot start or has died, in one sentence for the user."""


class EngineDied(EngineError, Died):
    """The engine's process is gone."""
