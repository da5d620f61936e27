"""`flywheel reverify`: judge stored attempts again. Not here: how (`flows/reverification.py`)."""

import argparse

from flows.commands import _options

HELP = "judge stored attempts again with the verifiers as they are now"


def arguments(command: argparse.ArgumentParser) -> None:
    """What to judge again, workers, form of the output."""
    command.add_argument("--verifier", nargs="+", default=[], metavar="NAME", help="only what these have judged")
    command.add_argument("--runs", nargs="+", default=[], metavar="RUN", help="only these runs")
    command.add_argument("--rounds", nargs="+", type=int, default=[], metavar="N", help="only these rounds")
    command.add_argument("--held-out", action="store_true", help="held-out samples too, and what it does to scores")
    command.add_argument("--fail-on-flips", action="store_true", help="exit with 1 when a kept attempt has flipped")
    _options.workers(command)
    _options.as_json(command)


def run(args: argparse.Namespace) -> int:
    """0, or 1 when a kept attempt has flipped and that is asked for."""
    _options.prepare_prefect()
    from data.store import Store, home
    from flows import temporary
    from flows.entries import reverify
    from flows.reverification import show_report
    from tasks.reverify import Chosen, report
    from tasks.settings import VerifySettings

    settings = VerifySettings(workers=args.workers, timeout_s=args.timeout)
    temporary.ready()
    done = reverify(args.verifier, args.runs, args.rounds, args.held_out, settings)
    show_report(report(Store(home()), Chosen(args.verifier, args.runs, args.rounds, args.held_out)), args.form)
    return 1 if args.fail_on_flips and done["flipped"] else 0
