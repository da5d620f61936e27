"""`flywheel quality`: what the quality gate found, as a table and as a page. Not here: the checks (`tasks/gate.py`)."""

import argparse

from flows.commands import _options

HELP = "the checks of a round, and their page"


def arguments(command: argparse.ArgumentParser) -> None:
    """Run, round, form of the output."""
    command.add_argument("run", nargs="?", help="show the checks of this run; without it: every gated round")
    command.add_argument("--round", type=_options.count, metavar="N", help="this round (default: the last one gated)")
    command.add_argument("--broken", action="store_true", help="only the checks that do not hold")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--open-path", action="store_true", help="print nothing but the path of the page")
    form.add_argument("--csv", dest="form", action="store_const", const="csv", default="table", help="comma-separated")
    form.add_argument("--json", dest="form", action="store_const", const="json", help="a JSON list of objects")


def run(args: argparse.Namespace) -> int:
    """0, or 1 when the round did not pass."""
    from flows import quality

    return quality.main(args.run, number=args.round, broken=args.broken, path_only=args.open_path, form=args.form)
