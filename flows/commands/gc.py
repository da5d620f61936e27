"""`flywheel gc`: what could go from the disk. Not here: what that is, and why (`data/garbage.py`)."""

import argparse

from flows.commands import _options

HELP = "what could go from the disk; --apply deletes it"


def arguments(command: argparse.ArgumentParser) -> None:
    """Apply, how long things are kept, form of the output."""
    command.add_argument("--apply", action="store_true", help="delete it (without: only show it)")
    command.add_argument(
        "--keep", type=_days, default=14.0, metavar="DAYS",
        help="keep what somebody needed in the last DAYS, temporary files aside (default: %(default)g)",
    )  # fmt: skip
    _options.as_json(command)


def run(args: argparse.Namespace) -> int:
    """0."""
    from flows import upkeep

    return upkeep.clear(apply=args.apply, keep_days=args.keep, form=args.form)


def _days(text: str) -> float:
    if not 0 <= (days := float(text)) <= 36_500:
        raise ValueError
    return days
