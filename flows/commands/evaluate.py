"""`flywheel evaluate`: measure one model. Not here: how (`flows/evaluation.py`)."""

import argparse

from flows.commands import _options

HELP = "measure a model on held-out problems"


def arguments(command: argparse.ArgumentParser) -> None:
    """Model, recipe, name, settings."""
    command.add_argument("--model", required=True, help="folder or hub id of a model, or 'seed'")
    command.add_argument("--recipe", default="demo", help="where the settings come from (default: demo)")
    command.add_argument("--name", help="name under which the scores are kept")
    _options.settings(command)


def run(args: argparse.Namespace) -> int:
    """0 when the scores are in the ledger."""
    _options.prepare_prefect()
    from flows import temporary
    from flows.entries import evaluate
    from flows.forms import MeasuredChanges, given

    changes = MeasuredChanges(**given(args.recipe, args.overrides))
    run = args.name or _options.dated("evaluate")
    temporary.ready()
    evaluate(args.model, args.recipe, run, args.run_seed or 0, changes)
    return 0
