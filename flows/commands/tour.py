"""`flywheel tour`: ten questions answered from the ledger. Not here: the questions (data/sql/tour)."""

import argparse
from pathlib import Path

HELP = "ten questions about the ledger, with the SQL that answers them"


def arguments(command: argparse.ArgumentParser) -> None:
    """Where a page is written."""
    command.add_argument("--write", type=Path, metavar="FILE", help="write a Markdown page instead of printing")


def run(args: argparse.Namespace) -> int:
    """0."""
    from data.store import home
    from flows import show, tour

    if args.write:
        tour.write_page(args.write.absolute(), tour.answers(home()))
        print(args.write)
    else:
        show.tour(tour.answers(home()))
    return 0
