"""`flywheel import`: traces from outside, through the same verification. Not here: how (`flows/importing.py`)."""

import argparse
from pathlib import Path

from flows.commands import _options

HELP = "bring traces from outside in, through the same verification"


def arguments(command: argparse.ArgumentParser) -> None:
    """Files, where their golds are, name, settings."""
    command.add_argument(
        "files", nargs="+", type=Path, metavar="FILE",
        help="JSONL, Parquet or a datasets folder with prompt and completion (or messages), and answer or tests",
    )  # fmt: skip
    command.add_argument("--problems", type=Path, metavar="FILE", help="file of problems that has the answers or tests")
    command.add_argument("--name", help="name of the run that holds them (default: of the first file and its content)")
    _options.overrides(command)


def run(args: argparse.Namespace) -> int:
    """0, or 1 when the quality gate says no."""
    _options.prepare_prefect()
    from flows import importing

    return importing.main(args.files, args.problems, overrides=args.overrides, name=args.name)
