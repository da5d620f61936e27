"""`flywheel contamination`: training problems that are like a benchmark's, and clearing one.

Not here: what is alike (`tasks/decontaminate.py`).
"""

import argparse

from flows.commands import _options

HELP = "training problems that are like a held-out or benchmark one; clear those that are not"


def arguments(command: argparse.ArgumentParser) -> None:
    """Run, what to clear and why, form of the output."""
    command.add_argument("run", nargs="?", help="only the problems of this run")
    command.add_argument("--clear", metavar="PROBLEM", help="id of a problem that is no copy: later rounds may use it")
    command.add_argument("--because", default="", metavar="WHY", help="why it is none; kept with your name")
    command.add_argument("--limit", type=int, default=100, help="most rows shown in a table (default: %(default)s)")
    _options.output(command)


def run(args: argparse.Namespace) -> int:
    """0."""
    from data.errors import UserError
    from data.store import Store, home
    from flows import show
    from flows.terminal import say
    from tasks import clearances

    store = Store(home())
    if args.clear:
        given = clearances.clear(store, args.clear, args.because)
        say(f"Problem {given.problem_id} may be trained on from the next round on: {given.because} ({given.who})")
        return 0
    if args.because:
        raise UserError("--because says why a problem is cleared: name it with --clear")
    show.write(clearances.table(store, args.run, whole=args.form != "table"), args.form, args.limit)
    return 0
