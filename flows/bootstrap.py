"""The seed policy as a Prefect flow: solver-written solutions, one SFT run from random weights, an evaluation.

The only flow in which a solver's solution is trained on. `flywheel bootstrap` writes the model that ships.
"""

import shutil
import time
from pathlib import Path

from prefect import flow

from data.store import At, Store, home
from flows.alone import on_run
from flows.rounds import measure
from flows.settings import FlywheelSettings, load_settings
from flows.terminal import say, watch
from tasks import bootstrap, distill, summary
from tasks.first_model import SEED_POLICY, ModelRef
from tasks.policy import blank_policy
from tasks.serving import Serving


@flow(name="bootstrap", flow_run_name="{run}")
def make_seed(settings: FlywheelSettings, run: str) -> Path:
    """Train a seed policy; returns its folder in the run directory. Killed and run again, it goes on."""
    store, at = Store(home()), At(run, 0, settings.run_seed)
    say("Writing solver solutions")
    data = bootstrap.write_solver_data_task(store, at, settings.domains, settings.bootstrap)
    blank = store.run_dir(run) / "models" / "blank"
    if not blank.exists():
        blank_policy(blank, settings.bootstrap)
    with watch("distill") as progress:
        base = ModelRef("blank", blank)
        trained = distill.distill_task(store, at, settings.distill, base, data.dataset_id, progress)
    with Serving(settings.engine) as serving:
        measure(store, at, settings, trained, serving)
    store.publish()
    summary.show_scores(store, at, trained.id)
    return trained.path


def main(*, out: Path | None, overrides: list[str], run_seed: int | None, name: str | None) -> int:
    """`flywheel bootstrap`: train, then put the model in place of `out` (default: the shipped seed policy).

    With the name of an earlier run it goes on where that one was.
    """
    settings = load_settings("bootstrap", overrides, run_seed)
    run = name or f"bootstrap-{time.strftime('%Y%m%d-%H%M%S')}-seed{settings.run_seed}"
    with on_run(Store(home()), run):
        folder = make_seed(settings, run)
    target = out or SEED_POLICY
    draft = target.with_name(target.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(folder, draft, ignore=shutil.ignore_patterns("training.json"))
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    say(f"Seed policy written to {target}")
    return 0
