"""`flywheel bootstrap`: train the seed policy. Not here: how (`flows/bootstrap.py`)."""

import argparse
from pathlib import Path

from flows.commands import _options

HELP = "train the seed policy from solver-written solutions"


def arguments(command: argparse.ArgumentParser) -> None:
    """Where to, name, settings."""
    command.add_argument("--out", type=Path, help="folder of the new model (default: the shipped one's)")
    command.add_argument("--name", help="name of the run; that of a killed one continues it")
    _options.settings(command)


def run(args: argparse.Namespace) -> int:
    """0 when the model was written."""
    _options.prepare_prefect()
    from flows import temporary
    from flows.bootstrap import ship
    from flows.entries import bootstrap
    from flows.forms import SeedChanges, given

    changes = SeedChanges(**given("bootstrap", args.overrides))
    temporary.ready()
    done = bootstrap(run=args.name or _options.dated("bootstrap"), run_seed=args.run_seed or 0, changes=changes)
    ship(Path(done["model"]), args.out)
    return 0
