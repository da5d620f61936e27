"""`flywheel run`: turn the flywheel, or continue a run. Not here: what a run does (`flows/run.py`)."""

import argparse
import sys

from data.errors import UserError
from flows.commands import _options

HELP = "turn the flywheel: rounds of a recipe"

NO_TERMINAL = (
    "--ask needs a terminal to ask in: leave it out, or start the run from Prefect's UI (`flywheel up`), where it is "
    "paused until somebody answers"
)


def arguments(command: argparse.ArgumentParser) -> None:
    """Recipe, name, resume, settings; the budget, and who is asked."""
    command.add_argument("recipe", help="name of a recipe (smoke, demo, ...) or path of a TOML file")
    command.add_argument("--name", help="name of the run (default: recipe and date)")
    command.add_argument("--resume", action="store_true", help="continue the run where it was; finished work is kept")
    command.add_argument(
        "--minutes", type=minutes, default=0, metavar="N", help="end between two stages after so many minutes"
    )
    command.add_argument(
        "--tokens", type=tokens, default=0, metavar="N", help="... or after so many generated tokens, such as 2e6"
    )
    command.add_argument("--ask", action="store_true", help="ask here before a model is promoted")
    _options.settings(command)


def run(args: argparse.Namespace) -> int:
    """Exit code of the run. Raises UserError when a person is to be asked and there is no terminal."""
    if args.ask and not sys.stdin.isatty():
        raise UserError(NO_TERMINAL)
    _options.prepare_prefect()
    from flows.course import Budget
    from flows.run import run

    return run(
        args.recipe,
        overrides=args.overrides,
        run_seed=args.run_seed,
        name=args.name,
        resume=args.resume,
        budget=Budget(minutes=args.minutes, tokens=args.tokens),
        promotion="a person" if args.ask else "nobody",
    )


def minutes(text: str) -> float:
    """A time that is not negative; 0: no limit. Raises ValueError."""
    if not 0 <= (number := float(text)) < float("inf"):
        raise ValueError
    return number


def tokens(text: str) -> int:
    """A whole number that is not negative, also as 2e6; 0: no limit. Raises ValueError."""
    if not (number := minutes(text)).is_integer():
        raise ValueError
    return int(number)
