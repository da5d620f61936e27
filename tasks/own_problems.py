"""The user's own problems of a run: read from `problem_files`, rows set aside written beside the run, golds checked.

Not here: reading and checking rows (`data/domains/file.py`).
"""

from collections.abc import Sequence

from data.domains.file import Rejected, open_problems, save_rejected
from data.records import Problem
from data.store import Store


def load_own(store: Store, run: str, files: Sequence[str]) -> list[Problem]:
    """Problems of all files in order. Rows set aside go to `<run>/rejected.jsonl` with file, row and reason."""
    problems: list[Problem] = []
    rejected: list[Rejected] = []
    for path in files:
        loaded = open_problems(path)
        problems += loaded.problems
        rejected += loaded.rejected
    if rejected:
        save_rejected(rejected, store.run_dir(run) / "rejected.jsonl")
    return problems
