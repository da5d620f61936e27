"""`flywheel doctor`: can this machine do all it needs to? Not here: the checks (`tasks/doctor.py`)."""

import argparse

HELP = "check environment, engine, sandbox, ledger and disk"


def arguments(command: argparse.ArgumentParser) -> None:
    """Quick."""
    command.add_argument("--quick", action="store_true", help="import no heavy library, start no sandbox")


def run(args: argparse.Namespace) -> int:
    """0, or 1 when a check failed."""
    from flows import show
    from tasks import doctor

    return 0 if show.findings(doctor.examine(quick=args.quick)) else 1
