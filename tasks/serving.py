"""The one engine of a run, or its replicas: started when first needed, given new weights in place, ended in time.

On a device with room for both (`engine.keep_alive`) it lives through training; else training finds the device free.
The device's slot is held while the engine lives and while a model is trained, and by nobody else meanwhile. A run with
the scripted engine needs none.
Not an engine itself, and not for two threads at a time.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType

from tasks.engines import Engine
from tasks.engines._replicas import start
from tasks.settings import EngineSettings

Slot = Callable[[], AbstractContextManager[None]]  # waits for the device; the block has it


class Serving:
    """Owner of at most one running engine. A context manager; leaving it ends the engine."""

    def __init__(self, settings: EngineSettings, slot: Slot = nullcontext) -> None:
        self.settings = settings
        self._slot: Slot = nullcontext if settings.name == "scripted" else slot
        self._held = ExitStack()
        self._engine: Engine | None = None
        self._model: Path | None = None

    def of(self, model: Path) -> Callable[[], Engine]:
        """A factory of the engine serving `model`, to be called only when there is something to generate."""
        return lambda: self._serve(model)

    def _serve(self, model: Path) -> Engine:
        if self._engine is None:
            self._held.enter_context(self._slot())
            try:
                self._engine = start(model, self.settings)
            except BaseException:
                self._held.close()
                raise
        elif model != self._model:
            self._engine.load_weights(model)
        self._model = model
        return self._engine

    @contextmanager
    def training(self) -> Iterator[None]:
        """The device is the trainer's until the block ends; the engine lives on where the settings say so."""
        if not self.settings.keep_alive:
            self.close()
        with nullcontext() if self._engine else self._slot():
            yield

    def close(self) -> None:
        """End the engine and give the device back. Safe to call twice."""
        try:
            if self._engine is not None:
                self._engine.close()
        finally:
            self._engine = self._model = None
            self._held.close()

    def __enter__(self) -> "Serving":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
