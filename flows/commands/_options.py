"""Options that several commands share, and what some do before they start. Not a command."""

import argparse
import time


def settings(command: argparse.ArgumentParser) -> None:
    """`--run-seed` and `--set`."""
    command.add_argument("--run-seed", type=int, metavar="N", help="seed of every random choice")
    overrides(command)


def overrides(command: argparse.ArgumentParser) -> None:
    """`--set`."""
    command.add_argument(
        "--set", dest="overrides", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
        help="settings over the recipe's, such as generate.samples=8",
    )  # fmt: skip


def workers(command: argparse.ArgumentParser) -> None:
    """`--workers` and `--timeout` of the verifiers."""
    command.add_argument("--workers", type=count, default=0, help="worker processes; 0: one per core (default)")
    command.add_argument(
        "--timeout", type=_seconds, default=5.0, help="longest a verdict may take, in seconds (default: %(default)s)"
    )


def as_json(command: argparse.ArgumentParser) -> None:
    """`--json`."""
    command.add_argument("--json", dest="form", action="store_const", const="json", default="table", help="as JSON")


def output(command: argparse.ArgumentParser) -> None:
    """`--csv` and `--json`."""
    form = command.add_mutually_exclusive_group()
    form.add_argument("--csv", dest="form", action="store_const", const="csv", default="table", help="comma-separated")
    form.add_argument("--json", dest="form", action="store_const", const="json", help="a JSON list of objects")


def count(text: str) -> int:
    """A whole number that is not negative. Raises ValueError."""
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _seconds(text: str) -> float:
    if not 0 < (number := float(text)) <= 3600:
        raise ValueError
    return number


def dated(what: str) -> str:
    """A name for a run that got none."""
    return f"{what}-{time.strftime('%Y%m%d-%H%M%S')}"


def prepare_prefect(server: bool = True) -> None:
    """Before anything imports prefect. `server`: one is started where there is none; `temporary.ready` waits for it."""
    from flows import environment, temporary

    environment.prepare()
    environment.hide_tracebacks()
    if server:
        temporary.start()
