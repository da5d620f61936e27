"""The scripted engine as real ones run: in a process of its own, behind the device's slot, at a model's leisure.

To rehearse what happens to a machine, when a process is killed for instance, without a model. It answers as `scripted`
does, word for word; nothing it writes says anything about a model.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tasks.engines import Completion, Request
from tasks.engines._host import Hosted
from tasks.engines.scripted import Scripted
from tasks.settings import EngineSettings

PAUSE_S = 0.01  # per completion


def engine(model: Path, settings: EngineSettings) -> Hosted:
    """A running engine. Raises EngineError when the model folder does not exist; it may be empty."""
    return Hosted(__name__, model, settings)


class Local:
    """The scripted engine in this process."""

    def __init__(self, model: str, settings: EngineSettings) -> None:
        self._engine = Scripted(Path(model), settings)

    def complete(self, requests: Sequence[Request], cancelled: Callable[[], bool]) -> Iterator[list[list[Completion]]]:
        """One request at a time, in their order."""
        for found in self._engine.complete(requests):
            time.sleep(PAUSE_S * len(found))
            if cancelled():
                return
            yield [found]

    def load_weights(self, model: str) -> None:
        """Take the skill of another folder."""
        self._engine.load_weights(Path(model))
