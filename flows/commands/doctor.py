"""`flywheel doctor`: can this machine do all it needs to? Not here: checks (`tasks/doctor.py`, `flows/mending.py`)."""

import argparse
from typing import TYPE_CHECKING

from flows.commands import _options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks._findings import Finding

HELP = "check environment, engine, sandbox, Prefect, ledger and disk; --mend sets right what it can"
RECIPE = "demo"


def arguments(command: argparse.ArgumentParser) -> None:
    """Quick, mend, recipe, JSON."""
    command.add_argument("--quick", action="store_true", help="start no engine and no sandbox, and do not import torch")
    command.add_argument(
        "--mend", action="store_true",
        help="let killed runs go on, free slots nobody uses, set aside damaged parts; without it nothing is changed",
    )  # fmt: skip
    command.add_argument(
        "--recipe", default=RECIPE, help="recipe whose engine is started, with the shipped seed policy (%(default)s)"
    )
    _options.overrides(command)
    command.add_argument("--json", dest="form", action="store_const", const="json", help="a JSON object per check")


def run(args: argparse.Namespace) -> int:
    """0, or 1 when a check failed and was not mended."""
    from flows import show
    from flows.settings import load_settings
    from tasks import doctor
    from tasks._findings import mended

    settings = load_settings(args.recipe, args.overrides)
    _options.prepare_prefect(server=False)

    def found() -> "Iterator[Finding]":
        yield from doctor.examine(args.quick)
        from flows import mending

        yield from mending.examine(None if args.quick else settings.engine)

    return 0 if show.findings((mended(f) if args.mend else f for f in found()), args.form) else 1
