"""`flywheel status`: runs, or the stages of one. Not here: the tables (`flows/show.py`)."""

import argparse

from flows.commands import _options

HELP = "runs, rounds and their committed stages"


def arguments(command: argparse.ArgumentParser) -> None:
    """Run, form of the output."""
    command.add_argument("run", nargs="?", help="show the stages of this run")
    _options.output(command)


def run(args: argparse.Namespace) -> int:
    """0."""
    from data.store import home
    from flows import show

    rows = show.stages(home(), args.run) if args.run else show.runs(home())
    show.write(rows, args.form)
    return 0
