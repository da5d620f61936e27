"""How a run begins: its settings are written down once all that they name was found. Not here: what starts it."""

from data import manifest
from data.errors import UserError
from data.store import SETTINGS, Store
from flows.settings import FlywheelSettings
from tasks import benchmarks, problems, recurate
from tasks.first_model import FIRST, resolve
from tasks.own_problems import load_own


def begin(store: Store, run_name: str, settings: FlywheelSettings) -> None:
    """Check what a run will read, then write down its settings, if it has none yet.

    Raises UserError for a missing model, problem file or benchmark before the workflow engine is started."""
    if any(m.stage == recurate.STAGE for m in manifest.committed(store.home, run_name)):
        raise UserError(f"run {run_name} holds attempts of another, curated again: choose another name")
    resolve(settings.model, settings.engine.skill, store.run_dir(run_name) / FIRST)
    load_own(store, run_name, settings.problem_files)
    benchmarks.read(settings.decontaminate.benchmarks, settings.decontaminate.column)
    problems.levels_of(settings.domains, settings.levels)
    path = store.run_dir(run_name) / SETTINGS
    if not path.exists():
        manifest.write_atomic(path, settings.model_dump_json(indent=1).encode())
