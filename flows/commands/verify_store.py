"""`flywheel verify-store`: is the ledger as it was committed? Not here: the checks (`data/integrity.py`)."""

import argparse

from flows.commands import _options

HELP = "is the ledger whole and unchanged? --repair sets aside what is not"


def arguments(command: argparse.ArgumentParser) -> None:
    """Repair, unfinished parts, form of the output."""
    command.add_argument(
        "--repair", action="store_true",
        help="move what is damaged or stray to quarantine/ (nothing is deleted) and publish the rest anew",
    )  # fmt: skip
    command.add_argument(
        "--unfinished", action="store_true", help="finished parts that wait for a run to be resumed count as stray too"
    )
    _options.as_json(command)


def run(args: argparse.Namespace) -> int:
    """0, or 1 when something was found, also when it was repaired."""
    from flows import upkeep

    return upkeep.verify(repair=args.repair, unfinished=args.unfinished, form=args.form)
