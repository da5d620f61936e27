"""`flywheel report`: the page of a run. Not here: what it shows (`tasks/report.py`)."""

import argparse

HELP = "what a run learned, as a page to open in a browser"


def arguments(command: argparse.ArgumentParser) -> None:
    """Run."""
    command.add_argument("run", nargs="?", help="the run it is about (default: the one that committed last)")


def run(args: argparse.Namespace) -> int:
    """0. Raises UserError when there is no such run."""
    from data.store import Store, home
    from tasks import report

    store = Store(home())
    name = report.newest(store, args.run)
    store.publish()  # what is committed since, by a run that crashed or goes on
    print(report.write_report(store, name))
    return 0
