"""What `flywheel run` does: settings from the recipe, a name, a folder, the flow. Resuming is running it again."""

import json
import time
from pathlib import Path

from data.errors import UserError
from data.store import SETTINGS, SUMMARY, Store, home
from flows import temporary
from flows._begin import begin
from flows.alone import on_run
from flows.course import NO_LIMIT, Asked, Budget
from flows.settings import FlywheelSettings, load_settings, validated
from flows.terminal import say
from tasks import summary


def run(
    recipe: str,
    *,
    overrides: list[str],
    run_seed: int | None,
    name: str | None,
    resume: bool,
    budget: Budget = NO_LIMIT,
    promotion: Asked = "nobody",
) -> int:
    """Run a recipe to its end, or to that of the budget; returns the exit code."""
    store = Store(home())
    if resume:
        run_name, settings = _unfinished(store.home, recipe, name)
        if overrides or run_seed is not None:
            raise UserError(
                f"--resume continues {run_name} with the settings it began with: leave --set and --run-seed out"
            )
    else:
        settings = load_settings(recipe, overrides, run_seed)
        run_name = name or f"{settings.recipe}-{time.strftime('%Y%m%d-%H%M%S')}-seed{settings.run_seed}"
        if (store.run_dir(run_name) / SETTINGS).exists():
            raise UserError(
                f"run {run_name} exists: continue it with --resume --name {run_name}, or choose another --name"
            )
    with on_run(store, run_name):
        begin(store, run_name, settings)
    folder = store.run_dir(run_name)
    say(f"Run {run_name} in {folder}")
    from flows.entries import flywheel  # imports and configures Prefect
    from flows.starting import over

    if over(store, run_name, settings.rounds):
        summary.show(json.loads((folder / SUMMARY).read_text()), folder)
        return 0
    temporary.ready()
    flywheel(recipe=recipe, run=run_name, run_seed=settings.run_seed, budget=budget, promotion=promotion)
    return 0


def _unfinished(home: Path, recipe: str, name: str | None) -> tuple[str, FlywheelSettings]:
    """The named run, or the newest run of the recipe that has not played all its rounds."""
    found = []
    for path in home.glob(f"{name or '*'}/{SETTINGS}"):
        table = json.loads(path.read_text())
        done = _played(path.parent / SUMMARY) >= table["rounds"]
        if name or (table["recipe"] == recipe and not done):
            found.append((path.stat().st_mtime, path, table))
    if not found:
        wanted = f"run {name!r}" if name else f"unfinished run of {recipe!r}"
        raise UserError(f"there is no {wanted} in {home}: see `flywheel status`, or start one without --resume")
    _, path, table = max(found, key=lambda f: f[0])
    return path.parent.name, validated(table, str(path))


def _played(summary: Path) -> int:
    """Rounds in the summary of a run, which a budget may have ended early; -1 without a summary."""
    return int(json.loads(summary.read_bytes())["rounds"]) if summary.exists() else -1
