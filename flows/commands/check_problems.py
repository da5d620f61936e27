"""`flywheel check-problems`: are these problems fit to be trained on? Not here: how (`flows/hygiene.py`)."""

import argparse

from flows.commands import _options

HELP = "are these problems fit to be trained on?"


def arguments(command: argparse.ArgumentParser) -> None:
    """Sources, how many problems, workers, form of the output."""
    command.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="generated domains, or files of your own problems"
    )
    command.add_argument(
        "--levels", type=_options.count, default=8, help="highest generated level (default: %(default)s)"
    )
    command.add_argument(
        "--n", type=_options.count, default=50, help="problems per level and split (default: %(default)s)"
    )
    command.add_argument("--seed", type=int, default=0, help="seed of the generated problems (default: %(default)s)")
    command.add_argument(
        "--repeats", type=_options.count, default=3, help="verdicts on each right answer (default: %(default)s)"
    )
    _options.workers(command)
    _options.as_json(command)


def run(args: argparse.Namespace) -> int:
    """0, or 1 when a problem is unfit."""
    from flows import hygiene
    from tasks.check_problems import Sample

    sample = Sample(args.levels, args.n, args.seed, args.repeats)
    return hygiene.main(args.sources, sample, workers=args.workers, timeout_s=args.timeout, form=args.form)
