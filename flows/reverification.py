"""Judging stored attempts again, and how the result is shown. Not here: what starts it (`entries.py`)."""

import json
import sys

from data.store import Store, home
from flows import artifacts, live, show
from flows._answers import Told
from flows.alone import alone
from flows.pace import Pace
from flows.terminal import watch
from tasks import reverify
from tasks.reverify import Chosen, Report
from tasks.settings import VerifySettings

TITLE = "reverify"
_COLUMNS = ["run", "round", "attempt_id", "domain", "level", "old_fate", "fate", "old_version", "version", "reason"]
_COLUMNS += ["used_in_round", "role", "model_id"]


def judge_again(chosen: Chosen, settings: VerifySettings) -> Told:
    """New verdicts beside the old. Raises UserError, also while another process is at it."""
    store = Store(home())
    with alone(home() / "reverify.lock", "the reviews"):
        pace = Pace()
        with live.board():
            with watch(TITLE, pace) as progress, artifacts.show_work(TITLE, TITLE, pace):
                reverify.reverify_task(store, chosen, settings, progress)
            store.publish()
            found = reverify.report(store, chosen)
            artifacts.show_rows(f"{TITLE}-fates", "What was judged again, by its fate then and now", found.counts)
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
