"""What is logged about a run, and with which ids: every record of a stage carries run, round and stage.

The logger `flywheel` is the only one of ours. Prefect sends its records to its UI (`environment.py`), and they are
appended to `<run>/log.jsonl`, one JSON object a line. Not here: progress (`pace.py`), what a terminal shows
(`terminal.py`).
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from data.errors import UserError
from data.store import home
from flows.pace import Pace

FILE = "log.jsonl"  # in the folder of a run
LOG = logging.getLogger("flywheel")
_FIELDS = ("run", "round", "stage", "seconds")
_ids: ContextVar[dict[str, str | int]] = ContextVar("ids", default={})  # noqa: B039 - never changed, only replaced


@contextmanager
def context(**ids: str | int) -> Iterator[None]:
    """What is logged in this block carries these ids beside those around it."""
    before = _ids.set({**_ids.get(), **ids})
    try:
        yield
    finally:
        _ids.reset(before)


@contextmanager
def of_run(run: str) -> Iterator[None]:
    """The context of a whole run. A failure that ends it is logged with its traceback, a mendable one without."""
    with context(run=run):
        LOG.info("run %s, process %d", run, os.getpid())
        try:
            yield
        except Exception as e:
            mendable = isinstance(e, UserError)  # Prefect's UI has the traceback of the others already
            LOG.error("run %s failed: %s", run, _said(e), exc_info=not mendable, extra={"send_to_api": mendable})
            raise
        except BaseException as e:  # interrupted, cancelled, or suspended until a person answers
            LOG.warning("run %s stopped: %s", run, _said(e))
            raise


@contextmanager
def frame(what: str, pace: Pace) -> Iterator[None]:
    """One line when the block ends: how far `pace` is and the seconds it took, or what ended it too early."""
    try:
        yield
    except BaseException as e:
        LOG.warning("%s stopped: %s", what, _said(e), extra={"seconds": round(pace.seconds, 3)})
        raise
    LOG.info("%s: %s (%.1f s)", what, pace.words or "done", pace.seconds, extra={"seconds": round(pace.seconds, 3)})


def _said(e: BaseException) -> str:
    return str(e) if isinstance(e, UserError) else f"{type(e).__name__}: {e}".removesuffix(": ")


def _with_ids(record: logging.LogRecord) -> bool:
    record.__dict__.update(_ids.get())
    return True


class _Lines(logging.Handler):
    """Appends each record to the log of its run. A line that a kill cut short stays a line of its own."""

    _plain = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        run = getattr(record, "run", None)
        if run is None or not (folder := home() / str(run)).is_dir():
            return
        try:
            _append(folder / FILE, json.dumps(self._fields(record), ensure_ascii=False))
        except OSError:
            self.handleError(record)  # a full disk ends the run elsewhere, with a sentence

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"time": time, "level": record.levelname.lower()}
        line |= {name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        line["message"] = record.getMessage()
        if record.exc_info:
            line["traceback"] = self._plain.formatException(record.exc_info)
        return line


def _append(path: Path, line: str) -> None:
    with path.open("ab+") as f:
        torn = f.tell() > 0 and (f.seek(-1, os.SEEK_END), f.read(1))[1] != b"\n"
        f.write((b"\n" if torn else b"") + line.encode(errors="replace") + b"\n")


LOG.setLevel(logging.INFO)
LOG.propagate = False  # the terminal is told by `terminal.py`
LOG.addFilter(_with_ids)
LOG.addHandler(_Lines())
