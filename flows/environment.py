"""What Prefect and the other libraries read from the environment at import: quiet, local, beside our artefacts.

Call `prepare()` before anything imports prefect. What the user has set is never changed.
"""

import logging
import os
from pathlib import Path

from data import locks
from data.errors import UserError
from data.manifest import unwritable
from data.store import home

UP_LOCK, ADDRESS = "up.lock", "up.url"  # held, and written, by `flywheel up` in the folder of Prefect's state
QUIET = {
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flywheel",  # what we log goes to Prefect's UI (`logs.py`)
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL": "INFO",  # what states a run goes through: in the UI,
    "PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL": "INFO",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",  # not in the terminal
    "PREFECT_SERVER_METRICS_ENABLED": "true",  # Prometheus reads them at <PREFECT_API_URL>/metrics
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # a busy machine
    "TOKENIZERS_PARALLELISM": "false",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
}


def prepare() -> None:
    """Set what is not set. With PREFECT_API_URL or PREFECT_HOME given, Prefect's state stays where the user has it.

    Where `flywheel up` serves this home, its server is the one that is used. Raises LedgerError when the folder for
    that state cannot be made.
    """
    settings = dict(QUIET)
    if "PREFECT_API_URL" not in os.environ and "PREFECT_HOME" not in os.environ:
        folder = home() / "prefect"
        settings |= local_prefect(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)  # Prefect itself makes no parents
        except OSError as e:
            raise unwritable(folder, e) from e
        if url := served_at(folder):
            settings["PREFECT_API_URL"] = url
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def served_at(folder: Path) -> str | None:
    """The address of the server that `flywheel up` keeps alive, given the folder of Prefect's state."""
    if not locks.busy(folder / UP_LOCK):
        return None
    try:
        return (folder / ADDRESS).read_text()
    except FileNotFoundError:  # it is just starting, or stopping
        return None


def hide_tracebacks() -> None:
    """Keep failures that the user can mend out of Prefect's log: the command line says them, in one sentence.

    Other failures keep their traceback, without the line that repeats their message.
    """
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(_not_said_already)


def _not_said_already(record: logging.LogRecord) -> bool:
    mendable = record.exc_info is not None and isinstance(record.exc_info[1], UserError)
    return not mendable and not record.getMessage().startswith("Finished in state Failed")


def local_prefect(folder: Path) -> dict[str, str]:
    """Variables for a state of Prefect in `folder`. PREFECT_HOME alone does not move results and memos."""
    return {
        "PREFECT_HOME": str(folder),
        "PREFECT_LOCAL_STORAGE_PATH": str(folder / "storage"),
        "PREFECT_SERVER_MEMO_STORE_PATH": str(folder / "memo_store.toml"),
        # kept in files, so that slots of a killed run are freed also after the server was started anew
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }
