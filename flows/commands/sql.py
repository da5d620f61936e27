"""`flywheel sql`: ask the ledger, also while a run writes. Not here: the database (`data/duck.py`)."""

import argparse
import sys

from flows.commands import _options

HELP = "ask the ledger, also while a run writes"


def arguments(command: argparse.ArgumentParser) -> None:
    """Query, most rows shown, form of the output."""
    command.add_argument("query", help='a SELECT, for example "SELECT * FROM outcomes"; - reads it from standard input')
    command.add_argument("--limit", type=int, default=100, help="most rows shown in a table (default: %(default)s)")
    _options.output(command)


def run(args: argparse.Namespace) -> int:
    """0."""
    query = sys.stdin.read() if args.query == "-" else args.query
    from data import duck
    from data.store import home
    from flows import show

    show.write(duck.sql(home(), query), args.form, args.limit)
    return 0
