"""Several engines of one model that share its requests: data parallelism on one machine.

Each lives in a process of its own; on GPUs replica i sees devices i·T to (i+1)·T-1 (T = `engine.tensor_parallel`). What
a request yields does not depend on the replica that serves it. Not here: engines on other machines.
"""

import os
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tasks import engines
from tasks.engines import Completion, Engine, Request
from tasks.engines._model import find
from tasks.settings import EngineSettings

MOST_ON_CPU = 4  # some 3 GiB each

Found = list[Completion] | BaseException | None  # a finished request, what ended a replica's share, or its normal end


def start(model: Path, settings: EngineSettings) -> Engine:
    """`engine.replicas` engines started at the same time, as one; the engine itself where there is one."""
    wanted = settings.replicas or fitting(model, settings)
    return engines.start(model, settings) if wanted == 1 else Replicas(model, settings, wanted)


def fitting(model: Path, settings: EngineSettings) -> int:
    """One per group of GPUs; on a CPU one per core for a small model, which one thread serves as fast as several."""
    if settings.name == "scripted":
        return 1
    if gpus := len([d for d in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if d] or _gpus()):
        return max(1, gpus // settings.tensor_parallel)
    return min(len(os.sched_getaffinity(0)), MOST_ON_CPU) if find(model).small else 1


def _gpus() -> list[Path]:
    return list(Path("/dev").glob("nvidia[0-9]*"))


def devices(replica: int, each: int) -> str:
    """CUDA_VISIBLE_DEVICES of a replica that takes `each` of the devices visible here."""
    visible = [d for d in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if d]
    wanted = range(replica * each, (replica + 1) * each)
    return ",".join(visible[i] if i < len(visible) else str(i) for i in wanted)


class Replicas:
    """An `Engine` made of several. A replica that dies ends the batch with its error."""

    def __init__(self, model: Path, settings: EngineSettings, count: int) -> None:
        self._engines: list[Engine] = []
        with ThreadPoolExecutor(count) as pool:
            each = settings.tensor_parallel
            starting = [
                pool.submit(engines.start, model, settings.model_copy(update={"devices": devices(i, each)}))
                for i in range(count)
            ]
        failed = [error for s in starting if (error := s.exception()) is not None]
        self._engines = [s.result() for s in starting if s.exception() is None]
        if failed:
            self.close()
            raise failed[0]
        self.startup_seconds = max(e.startup_seconds for e in self._engines)

    def complete(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine`. The requests are dealt out in turn; a caller that stops early cancels the rest."""
        found: queue.SimpleQueue[Found] = queue.SimpleQueue()
        stop = threading.Event()
        shares = [requests[i :: len(self._engines)] for i in range(len(self._engines))]
        threads = [
            threading.Thread(target=_serve, args=(engine, share, found, stop), daemon=True)
            for engine, share in zip(self._engines, shares, strict=True)
        ]
        for thread in threads:
            thread.start()
        try:
            left = len(threads)
            while left:
                item = found.get()
                if isinstance(item, BaseException):
                    raise item
                if item is None:
                    left -= 1
                else:
                    yield item
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def load_weights(self, model: Path) -> None:
        """See `Engine`. All or an EngineError."""
        for engine in self._engines:
            engine.load_weights(model)

    def close(self) -> None:
        """End every replica."""
        for engine in self._engines:
            engine.close()


def _serve(engine: Engine, share: Sequence[Request], found: "queue.SimpleQueue[Found]", stop: threading.Event) -> None:
    """One replica's share, into the queue; closing the iterator cancels what is left of it."""
    completions = engine.complete(share)
    try:
        for done in completions:
            found.put(done)
            if stop.is_set():
                break
        found.put(None)
    except BaseException as e:  # raised again by the caller's thread
        found.put(e)
    finally:
        with suppress(Exception):
            completions.close()  # type: ignore[attr-defined]
