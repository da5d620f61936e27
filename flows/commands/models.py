"""`flywheel models`: every model with its parent, data and scores. Not here: the table (`flows/show.py`)."""

import argparse

from flows.commands import _options

HELP = "every model with its parent, data and scores"


def arguments(command: argparse.ArgumentParser) -> None:
    """Run, form of the output."""
    command.add_argument("run", nargs="?", help="only the models of this run")
    _options.output(command)


def run(args: argparse.Namespace) -> int:
    """0."""
    from data.store import home
    from flows import show

    show.write(show.models(home(), args.run), args.form)
    return 0
