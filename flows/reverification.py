"""Judging stored attempts again, as a Prefect flow of its own (`flywheel reverify`)."""

import json
import sys

from prefect import flow

from data.store import Store, home
from flows import show
from flows.alone import alone
from flows.terminal import watch
from tasks import reverify
from tasks.reverify import Chosen, Report
from tasks.settings import VerifySettings

_COLUMNS = ["run", "round", "attempt_id", "domain", "level", "old_fate", "fate", "old_version", "version", "reason"]
_COLUMNS += ["used_in_round", "role", "model_id"]


@flow(name="reverify", validate_parameters=False)
def judge_again(chosen: Chosen, settings: VerifySettings) -> Report:
    """New verdicts beside the old; what they say of what was trained on."""
    store = Store(home())
    with watch("reverify") as progress:
        reverify.reverify_task(store, chosen, settings, progress)
    store.publish()
    return reverify.report(store, chosen)


def main(chosen: Chosen, *, workers: int, timeout_s: float, form: str, fail_on_flips: bool) -> int:
    """`flywheel reverify`; 1 when asked to fail on kept attempts that flipped and there are some."""
    with alone(home() / "reverify.lock", "the reviews"):
        found = judge_again(chosen, VerifySettings(workers=workers, timeout_s=timeout_s))
    show_report(found, form)
    return 1 if fail_on_flips and found.kept.num_rows else 0


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
