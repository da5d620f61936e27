"""The command `flywheel`: every file in `flows/commands/` is a command; a failure the user can mend is one sentence.

A command imports what it needs only when it runs, so that help is instant. Not here: what the commands do, and how
results are shown (`show.py`). Exit codes: 0 done, 1 a check failed, 2 bad input, 130 interrupted.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from data import registry
from data.errors import UserError

DESCRIPTION = "A small reasoning model improves itself on problems whose answers a machine can check."
COMMANDS = "flows.commands"
EPILOG = "Results lie under $FLYWHEEL_HOME (default: runs/ beside the code)."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives the exit code of the process."""
    args = parser().parse_args(argv)
    try:
        code: int = args.command(args)
        sys.stdout.flush()
        return code
    except UserError as e:
        print(f"flywheel: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nflywheel: interrupted; what is committed stays, --resume continues a run", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as e:
        if e.errno != errno.ENOSPC:
            raise
        print(
            f"flywheel: no space left on the disk of {e.filename or 'the run'}: free some and --resume", file=sys.stderr
        )
        return 2


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser("flywheel", description=DESCRIPTION, epilog=EPILOG)
    commands = top.add_subparsers(metavar="command", required=True)
    for name in registry.known(COMMANDS):
        module = registry.load(COMMANDS, name)
        command = commands.add_parser(name.rstrip("_").replace("_", "-"), help=module.HELP)
        module.arguments(command)
        command.set_defaults(command=module.run)
    return top


if __name__ == "__main__":
    sys.exit(main())
