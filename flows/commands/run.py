"""`flywheel run`: turn the flywheel, or continue a run. Not here: what a run does (`flows/run.py`)."""

import argparse

from flows.commands import _options

HELP = "turn the flywheel: rounds of a recipe"


def arguments(command: argparse.ArgumentParser) -> None:
    """Recipe, name, resume, settings."""
    command.add_argument("recipe", help="name of a recipe (smoke, demo, ...) or path of a TOML file")
    command.add_argument("--name", help="name of the run (default: recipe and date)")
    command.add_argument("--resume", action="store_true", help="continue the run where it was; finished work is kept")
    _options.settings(command)


def run(args: argparse.Namespace) -> int:
    """Exit code of the run."""
    _options.prepare_prefect()
    from flows.run import run

    return run(args.recipe, overrides=args.overrides, run_seed=args.run_seed, name=args.name, resume=args.resume)
