"""`flywheel up`: Prefect's UI, its schedules, and this machine at work for both. Not here: the work (`flows/up.py`)."""

import argparse

from data.errors import UserError
from flows.commands import _options

HELP = "start Prefect's UI and schedules, and run here what they ask for; Ctrl-C ends it"


def arguments(command: argparse.ArgumentParser) -> None:
    """Port, schedule, overlap, messages."""
    command.add_argument("--port", type=_port, help="of the server (default: that of PREFECT_API_URL, or 4200)")
    command.add_argument(
        "--nightly", metavar="RECIPE",
        help="what the nightly schedule runs (default: demo); it is switched on and off in the UI",
    )  # fmt: skip
    command.add_argument(
        "--overlap", choices=("cancel", "queue"), default="cancel",
        help="a run that is asked for while another goes on is cancelled with a reason (default), or waits",
    )  # fmt: skip
    command.add_argument("--notify", metavar="URL", help="a webhook that is told how each run ended, as JSON")


def run(args: argparse.Namespace) -> int:
    """0 when it was ended by a person."""
    _options.prepare_prefect(server=False)
    from flows.served import Options
    from flows.up import up

    if args.nightly:
        _known(args.nightly)
    return up(args.port, Options(args.nightly, args.overlap, args.notify))


def _known(recipe: str) -> None:
    from flows.forms import RECIPE_NAMES

    if recipe not in RECIPE_NAMES:
        raise UserError(f"no recipe {recipe!r} for the nightly schedule: known are {', '.join(RECIPE_NAMES)}")


def _port(text: str) -> int:
    if not 0 < (port := int(text)) < 65536:
        raise ValueError
    return port
