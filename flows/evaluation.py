"""Measuring one model on the held-out problems, as a Prefect flow of its own (`flywheel evaluate`)."""

import time

from prefect import flow

from data.store import At, Store, home
from flows.alone import on_run
from flows.rounds import measure
from flows.settings import FlywheelSettings, load_settings
from tasks import first_model, summary
from tasks.serving import Serving


@flow(name="evaluate", flow_run_name="{run}")
def evaluate_model(settings: FlywheelSettings, run: str) -> str:
    """Scores of `settings.model` in the ledger and on the screen; returns the model's id."""
    store, at = Store(home()), At(run, 0, settings.run_seed)
    path = first_model.resolve(settings.model, settings.engine.skill, store.run_dir(run) / first_model.FIRST)
    model = first_model.register_task(store, at, path)
    with Serving(settings.engine) as serving:
        measure(store, at, settings, model, serving)
    store.publish()
    summary.show_scores(store, at, model.id)
    return model.id


def main(model: str, *, recipe: str, overrides: list[str], run_seed: int | None, name: str | None) -> int:
    """`flywheel evaluate --model …` with the engine, domains and held-out settings of a recipe."""
    settings = load_settings(recipe, [*overrides, f"model={model!r}"], run_seed)
    run = name or f"evaluate-{time.strftime('%Y%m%d-%H%M%S')}"
    with on_run(Store(home()), run):
        evaluate_model(settings, run)
    return 0
