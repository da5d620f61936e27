"""How a run is started or gone on with: its name, its settings, how far it is to go. Then the rounds are played.

A start that is retried is the same start: it finds the run that it began, and adds no rounds again. Not here: the
command line (`run.py`), the rounds (`rounds.py`).
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect.runtime import flow_run

from data import manifest
from data.errors import UserError
from data.store import SETTINGS, SUMMARY, Store, home
from flows._answers import Told
from flows._begin import begin
from flows.alone import on_run
from flows.course import Asked, Budget, Course
from flows.rounds import turn
from flows.settings import FlywheelSettings, existing, load_settings, merge, validated

USUAL = "demo"  # the recipe where none is named
ENDING_S = 30.0  # a process that was cancelled or suspended may take this long to end
ORDERS = "orders"  # in the folder of a run: a file for each start


@dataclass(frozen=True, slots=True)
class Order:
    """What one start asks of a run: the last round, and since when its budget counts, in seconds since 1970."""

    until: int
    began: float


def name_of(stem: str) -> str:
    """A run's name, from what is run, when that was due and the flow run's id: the same for each of its tries."""
    due = flow_run.scheduled_start_time
    return f"{Path(stem).stem}-{due:%Y%m%d-%H%M%S}-{flow_run.id[:4]}"


def flow_run_name() -> str:
    """The name that is shown of a flow run: that of the run it plays."""
    given, flow = flow_run.parameters, str(flow_run.flow_name)
    return str(given.get("run") or name_of(given.get("recipe", USUAL) if flow == "flywheel" else flow))


def play(
    recipe: str, run: str, run_seed: int, rounds: int, budget: Budget, promotion: Asked, changes: Mapping[str, Any]
) -> Told:
    """Play rounds of a new or an existing run; returns what was gained. Raises UserError."""
    store = Store(home())
    run = run or name_of(recipe)
    with on_run(store, run, ENDING_S):
        settings = _settings(store, run, recipe, run_seed, changes)
        begin(store, run, settings)
        order = _ordered(store, run, settings.rounds, rounds)
        result = turn(settings, run, Course(order.until, budget, promotion, order.began))
    figures = {name: result.get(name) for name in ("rounds", "promoted", "gain_points", "interval")}
    return Told(_outcome(run, result), {"run": run, **figures})


def play_one(run: str, budget: Budget, promotion: Asked) -> Told:
    """Play one more round of an existing run. Raises UserError when there is none of that name."""
    own = existing(home(), run)
    return play(own.recipe, run, own.run_seed, 1, budget, promotion, {})


def _settings(store: Store, run: str, recipe: str, run_seed: int, changes: Mapping[str, Any]) -> FlywheelSettings:
    """Those of the run, where it exists; else the recipe's with the changes over them."""
    if not (store.run_dir(run) / SETTINGS).exists():
        return load_settings(recipe, changes=changes, run_seed=run_seed)
    own = existing(store.home, run)
    other = validated(merge(own.model_dump(), dict(changes)), "the changes")
    if differing := [name for name in FlywheelSettings.model_fields if getattr(own, name) != getattr(other, name)]:
        raise UserError(
            f"run {run} exists and goes on with its own settings: leave the changes of {', '.join(differing)} out, "
            "or name a new run"
        )
    return own


def _ordered(store: Store, run: str, usual: int, rounds: int) -> Order:
    """What this start asks for, written down the first time. `usual`: rounds of the recipe."""
    path = store.run_dir(run) / ORDERS / f"{flow_run.id}.json"
    if path.exists():
        return _order(path)
    further = rounds or (usual if over(store, run, usual) else 0)
    until = _finished(store, run) + further if further else _planned(store, run, usual)
    order = Order(until, time.time())
    manifest.write_atomic(path, json.dumps(asdict(order)).encode())
    return order


def over(store: Store, run: str, usual: int) -> bool:
    """Whether a run has played all rounds that were asked of it, and has been summed up since."""
    try:
        summed_up = json.loads((store.run_dir(run) / SUMMARY).read_bytes())["rounds"]
    except FileNotFoundError:
        return False
    return bool(_planned(store, run, usual) <= _finished(store, run) <= summed_up)


def _planned(store: Store, run: str, usual: int) -> int:
    """The last round that was ever asked of the run."""
    return max([usual, *(_order(path).until for path in (store.run_dir(run) / ORDERS).glob("*.json"))])


def _finished(store: Store, run: str) -> int:
    """The last round that ended in a decision."""
    return max((m.round for m in manifest.committed(store.home, run) if m.stage == "promote"), default=0)


def _order(path: Path) -> Order:
    return Order(**json.loads(path.read_bytes()))


def _outcome(run: str, result: dict[str, Any]) -> str:
    """The end of a start in a sentence; `result` is what `turn` returns."""
    if "ended_early" in result:
        return str(result["ended_early"])
    low, high = result["interval"]
    return (
        f"{run}: {result['gain_points']:+.1f} points of pass@1 [{low:+.1f}, {high:+.1f}] on middle and hard levels; "
        f"{result['promoted']} of {result['rounds']} rounds promoted"
    )
