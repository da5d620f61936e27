"""Measuring one model on the held-out problems, in a run of its own. Not here: what starts it (`entries.py`)."""

from collections.abc import Mapping
from typing import Any

from data.store import At, Store, home
from flows._answers import Told
from flows.alone import on_run
from flows.device import slot
from flows.rounds import measure
from flows.settings import load_settings
from tasks import first_model, summary
from tasks.serving import Serving


def measure_model(model: str, recipe: str, run: str, run_seed: int | None, changes: Mapping[str, Any]) -> Told:
    """Scores of `model`, with the engine, domains and held-out settings of a recipe. Raises UserError."""
    settings = load_settings(recipe, run_seed=run_seed, changes={**changes, "model": model})
    store, at = Store(home()), At(run, 0, settings.run_seed)
    with on_run(store, run):
        path = first_model.resolve(settings.model, settings.engine.skill, store.run_dir(run) / first_model.FIRST)
        found = first_model.register_task(store, at, path)
        with Serving(settings.engine, slot) as serving:
            measure(store, at, settings, found, serving)
        store.publish()
        summary.show_scores(store, at, found.id)
    of = summary.overall(store, run, found.id)
    return Told(f"{run}: {model} has {of}", {"run": run, "model": found.id})
