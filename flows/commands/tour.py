"""`flywheel tour`: ten questions answered from the ledger. Not here: the questions (data/sql/tour)."""

import argparse
from pathlib import Path

HELP = "ten questions about a run, with the SQL that answers them"


def arguments(command: argparse.ArgumentParser) -> None:
    """Run, where a page is written."""
    command.add_argument("run", nargs="?", help="the run it is about (default: the one that generated last)")
    command.add_argument("--write", type=Path, metavar="FILE", help="write a Markdown page instead of printing")


def run(args: argparse.Namespace) -> int:
    """0. Raises UserError when there is no such run."""
    from data.store import home
    from flows import show, tour

    if args.write:
        tour.write_page(args.write.absolute(), tour.answers(home(), args.run))
        print(args.write)
    else:
        show.tour(tour.answers(home(), args.run))
    return 0
