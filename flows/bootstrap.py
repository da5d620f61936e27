"""The seed policy: solver-written solutions, one SFT run from random weights, an evaluation.

The only place where a solver's solution is trained on. It writes into the folder of its run; `ship` puts the result
where a seed policy is looked for. Not here: what starts it (`entries.py`).
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.store import At, Store, home
from flows._answers import Told
from flows.alone import on_run
from flows.device import slot
from flows.rounds import measure
from flows.settings import load_settings
from flows.stages import stage
from flows.terminal import say
from tasks import bootstrap, distill, summary
from tasks.first_model import SEED_POLICY, ModelRef
from tasks.policy import blank_policy
from tasks.serving import Serving


def train(run: str, run_seed: int | None, changes: Mapping[str, Any]) -> Told:
    """Train a seed policy in the run's folder. Killed and run again under the same name, it goes on."""
    settings = load_settings("bootstrap", run_seed=run_seed, changes=changes)
    store, at = Store(home()), At(run, 0, settings.run_seed)
    with on_run(store, run), Serving(settings.engine, slot) as serving:
        say("Writing solver solutions")
        data = bootstrap.write_solver_data_task(store, at, settings.domains, settings.bootstrap)
        blank = store.run_dir(run) / "models" / "blank"
        if not blank.exists():
            blank_policy(blank, settings.bootstrap)
        with stage(store, at, "distill") as progress, serving.training():
            base = ModelRef("blank", blank)
            trained = distill.distill_task(store, at, settings.distill, base, data.dataset_id, progress)
        measure(store, at, settings, trained, serving)
        store.publish()
        summary.show_scores(store, at, trained.id)
    of = summary.overall(store, run, trained.id)
    return Told(f"{run}: the model in {trained.path} has {of}", {"run": run, "model": str(trained.path)})


def ship(folder: Path, target: Path | None) -> None:
    """Put a model in place of `target` (default: the shipped seed policy)."""
    target = target or SEED_POLICY
    draft = target.with_name(target.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(folder, draft, ignore=shutil.ignore_patterns("training.json"))
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    say(f"Seed policy written to {target}")
