"""`flywheel curate`: training data of a run, chosen again by other rules. Not here: how (`flows/curation.py`)."""

import argparse

from flows.commands import _options

HELP = "choose training data again from the judged attempts of a run, by other rules"


def arguments(command: argparse.ArgumentParser) -> None:
    """Run, settings."""
    command.add_argument("source", metavar="run", help="the run whose attempts are chosen from; nothing of it changes")
    _options.overrides(command)


def run(args: argparse.Namespace) -> int:
    """0, or 1 when the quality gate says no."""
    _options.prepare_prefect()
    from flows import temporary
    from flows.entries import curate_only
    from flows.forms import CurationChanges, given
    from flows.terminal import say

    changes = CurationChanges(**given("demo", args.overrides))
    temporary.ready()
    done = curate_only(args.source, changes)
    for reason, attempts in done["reasons"].items():
        say(f"{attempts:>9,} {reason}")
    say(f"Dataset {done['dataset']} of {done['examples']:,} examples: `flywheel export {done['run']}`")
    return 0 if done["passed"] else 1
