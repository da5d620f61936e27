"""Judging stored attempts again, and how the result is shown. Not here: what starts it (`entries.py`)."""

import json
import sys

from data.store import Store, home
from flows import show
from flows._answers import Told
from flows.alone import alone
from flows.terminal import watch
from tasks import reverify
from tasks.reverify import Chosen, Report
from tasks.settings import VerifySettings

_COLUMNS = ["run", "round", "attempt_id", "domain", "level", "old_fate", "fate", "old_version", "version", "reason"]
_COLUMNS += ["used_in_round", "role", "model_id"]


def judge_again(chosen: Chosen, settings: VerifySettings) -> Told:
    """New verdicts beside the old. Raises UserError, also while another process is at it."""
    store = Store(home())
    with alone(home() / "reverify.lock", "the reviews"):
        with watch("reverify") as progress:
            reverify.reverify_task(store, chosen, settings, progress)
        store.publish()
    found = reverify.report(store, chosen)
    texts, flipped = sum(found.counts["texts"].to_pylist()), len(set(found.kept["attempt_id"].to_pylist()))
    said = f"{texts:,} texts were judged again; {flipped:,} attempts that were kept for training have another fate"
    return Told(said, {"texts": texts, "flipped": flipped})


def show_report(found: Report, form: str) -> None:
    """Print the tables, or one JSON object that holds them."""
    tables = {"counts": found.counts, "kept": found.kept, "models": found.models, "scores": found.scores}
    if form == "json":
        json.dump({name: table.to_pylist() for name, table in tables.items()}, sys.stdout, ensure_ascii=False, indent=1)
        print()
        return
    out = show.console()
    out.print("What was judged again, by its fate then and now:")
    show.write(found.counts)
    attempts = len(set(found.kept["attempt_id"].to_pylist()))
    if not attempts:
        out.print("No attempt that was kept for training has another fate now.")
    else:
        out.print(f"{attempts} attempts that were kept for training have another fate now:")
        show.write(found.kept.select(_COLUMNS))
    if found.models.num_rows:
        out.print("Models trained on attempts that have another fate now:")
        show.write(found.models)
    if found.scores.num_rows:
        out.print("Held-out samples judged again:")
        show.write(found.scores)
