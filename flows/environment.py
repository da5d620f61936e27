"""What Prefect and the other libraries read from the environment at import: quiet, local, beside our artefacts.

Call `prepare()` before anything imports prefect. What the user has set is never changed.
"""

import os
from pathlib import Path

from data.store import home

QUIET = {
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "TOKENIZERS_PARALLELISM": "false",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
}


def prepare() -> None:
    """Set what is not set. With PREFECT_API_URL or PREFECT_HOME given, Prefect's state stays where the user has it."""
    settings = dict(QUIET)
    if "PREFECT_API_URL" not in os.environ and "PREFECT_HOME" not in os.environ:
        settings |= _local_prefect(home() / "prefect")
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def _local_prefect(folder: Path) -> dict[str, str]:
    """Prefect's own database and files in `folder`. PREFECT_HOME alone does not move results and memos."""
    return {
        "PREFECT_HOME": str(folder),
        "PREFECT_LOCAL_STORAGE_PATH": str(folder / "storage"),
        "PREFECT_SERVER_MEMO_STORE_PATH": str(folder / "memo_store.toml"),
        # kept in files, so that slots of a killed run are freed also after the server was started anew
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }
