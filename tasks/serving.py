"""The one engine of a run, or its replicas: started when first needed, given new weights in place, ended in time.

On a device with room for both (`engine.keep_alive`) it lives through training; else training finds the device free.
Not an engine itself, and not for two threads at a time.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tasks.engines import Engine
from tasks.engines._replicas import start
from tasks.settings import EngineSettings


class Serving:
    """Owner of at most one running engine. A context manager; leaving it ends the engine."""

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self._engine: Engine | None = None
        self._model: Path | None = None

    def of(self, model: Path) -> Callable[[], Engine]:
        """A factory of the engine serving `model`, to be called only when there is something to generate."""
        return lambda: self._serve(model)

    def _serve(self, model: Path) -> Engine:
        if self._engine is None:
            self._engine = start(model, self.settings)
        elif model != self._model:
            self._engine.load_weights(model)
        self._model = model
        return self._engine

    def make_room(self) -> None:
        """Free the device for training, unless the settings say there is room for both."""
        if not self.settings.keep_alive:
            self.close()

    def close(self) -> None:
        """End the engine. Safe to call twice."""
        if self._engine is not None:
            self._engine.close()
        self._engine = self._model = None

    def __enter__(self) -> "Serving":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
