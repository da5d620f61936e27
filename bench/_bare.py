"""A run of one round without Prefect: the same functions, called directly. Not here: what it is compared with.

python -m bench._bare RECIPE RUN
"""

import sys
from contextlib import nullcontext

from flows import environment


def main(recipe: str, run: str) -> None:
    """Play it, with no server, no flow, no task and no slot of the device."""
    environment.prepare()
    from prefect import Task

    from data.store import Store, home
    from flows import rounds
    from flows._begin import begin
    from flows.alone import on_run
    from flows.course import NO_LIMIT, Course
    from flows.settings import load_settings

    modules = [value for value in vars(rounds).values() if getattr(value, "__name__", "").startswith("tasks.")]
    for module in modules:
        for name, value in list(vars(module).items()):
            if isinstance(value, Task):
                setattr(module, name, value.fn)
    vars(rounds)["play_round"] = rounds.play_round.fn
    vars(rounds.device)["slot"] = nullcontext
    store, settings = Store(home()), load_settings(recipe)
    with on_run(store, run):
        begin(store, run, settings)
        rounds.turn(settings, run, Course(1, NO_LIMIT, "nobody"))


if __name__ == "__main__":
    main(*sys.argv[1:])
