"""The command `flywheel`. Parses arguments, calls one function, turns a failure the user can mend into one sentence.

Imports what a command needs only when it runs, so that help is instant. Not here: what the commands do, and how results
are shown (`show.py`). Exit codes: 0 done, 1 a check failed, 2 bad input, 130 interrupted.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from data.errors import UserError

DESCRIPTION = "A small reasoning model improves itself on problems whose answers a machine can check."
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

    run = commands.add_parser("run", help="turn the flywheel: rounds of a recipe")
    run.add_argument("recipe", help="name of a recipe (smoke, demo, ...) or path of a TOML file")
    run.add_argument("--name", help="name of the run (default: recipe and date)")
    run.add_argument("--resume", action="store_true", help="continue the run where it was; finished work is kept")
    _settings_options(run)
    run.set_defaults(command=_run)

    bootstrap = commands.add_parser("bootstrap", help="train the seed policy from solver-written solutions")
    bootstrap.add_argument("--out", type=Path, help="folder of the new model (default: the shipped one's)")
    bootstrap.add_argument("--name", help="name of the run; that of a killed one continues it")
    _settings_options(bootstrap)
    bootstrap.set_defaults(command=_bootstrap)

    evaluate = commands.add_parser("evaluate", help="measure a model on held-out problems")
    evaluate.add_argument("--model", required=True, help="folder or hub id of a model, or 'seed'")
    evaluate.add_argument("--recipe", default="demo", help="where the settings come from (default: demo)")
    evaluate.add_argument("--name", help="name under which the scores are kept")
    _settings_options(evaluate)
    evaluate.set_defaults(command=_evaluate)

    status = commands.add_parser("status", help="runs, rounds and their committed stages")
    status.add_argument("run", nargs="?", help="show the stages of this run")
    _output_options(status)
    status.set_defaults(command=_status)

    models = commands.add_parser("models", help="every model with its parent, data and scores")
    models.add_argument("run", nargs="?", help="only the models of this run")
    _output_options(models)
    models.set_defaults(command=_models)

    sql = commands.add_parser("sql", help="ask the ledger, also while a run writes")
    sql.add_argument("query", help='a SELECT, for example "SELECT * FROM outcomes"; - reads it from standard input')
    sql.add_argument("--limit", type=int, default=100, help="most rows shown in a table (default: %(default)s)")
    _output_options(sql)
    sql.set_defaults(command=_sql)

    reverify = commands.add_parser("reverify", help="judge stored attempts again with the verifiers as they are now")
    reverify.add_argument("--verifier", nargs="+", default=[], metavar="NAME", help="only what these have judged")
    reverify.add_argument("--runs", nargs="+", default=[], metavar="RUN", help="only these runs")
    reverify.add_argument("--rounds", nargs="+", type=int, default=[], metavar="N", help="only these rounds")
    reverify.add_argument("--held-out", action="store_true", help="held-out samples too, and what it does to scores")
    reverify.add_argument("--fail-on-flips", action="store_true", help="exit with 1 when a kept attempt has flipped")
    _workers_options(reverify)
    _json_option(reverify)
    reverify.set_defaults(command=_reverify)

    check = commands.add_parser("check-problems", help="are these problems fit to be trained on?")
    check.add_argument("sources", nargs="+", metavar="SOURCE", help="generated domains, or files of your own problems")
    check.add_argument("--levels", type=_count, default=8, help="highest generated level (default: %(default)s)")
    check.add_argument("--n", type=_count, default=50, help="problems per level and split (default: %(default)s)")
    check.add_argument("--seed", type=int, default=0, help="seed of the generated problems (default: %(default)s)")
    check.add_argument("--repeats", type=_count, default=3, help="verdicts on each right answer (default: %(default)s)")
    _workers_options(check)
    _json_option(check)
    check.set_defaults(command=_check_problems)

    doctor = commands.add_parser("doctor", help="check environment, engine, sandbox, ledger and disk")
    doctor.add_argument("--quick", action="store_true", help="import no heavy library, start no sandbox")
    doctor.set_defaults(command=_doctor)
    return top


def _settings_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--run-seed", type=int, metavar="N", help="seed of every random choice")
    command.add_argument(
        "--set", dest="overrides", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
        help="settings over the recipe's, such as generate.samples=8",
    )  # fmt: skip


def _workers_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workers", type=_count, default=0, help="worker processes; 0: one per core (default)")
    command.add_argument(
        "--timeout", type=_seconds, default=5.0, help="longest a verdict may take, in seconds (default: %(default)s)"
    )


def _count(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _seconds(text: str) -> float:
    if not 0 < (number := float(text)) <= 3600:
        raise ValueError
    return number


def _json_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", dest="form", action="store_const", const="json", default="table", help="as JSON")


def _output_options(command: argparse.ArgumentParser) -> None:
    form = command.add_mutually_exclusive_group()
    form.add_argument("--csv", dest="form", action="store_const", const="csv", default="table", help="comma-separated")
    form.add_argument("--json", dest="form", action="store_const", const="json", help="a JSON list of objects")


def _prepare_prefect() -> None:
    """Before anything imports prefect."""
    from flows import environment

    environment.prepare()
    environment.hide_tracebacks()


def _run(args: argparse.Namespace) -> int:
    _prepare_prefect()
    from flows.run import run

    return run(args.recipe, overrides=args.overrides, run_seed=args.run_seed, name=args.name, resume=args.resume)


def _bootstrap(args: argparse.Namespace) -> int:
    _prepare_prefect()
    from flows import bootstrap

    return bootstrap.main(out=args.out, overrides=args.overrides, run_seed=args.run_seed, name=args.name)


def _evaluate(args: argparse.Namespace) -> int:
    _prepare_prefect()
    from flows import evaluation

    return evaluation.main(
        args.model, recipe=args.recipe, overrides=args.overrides, run_seed=args.run_seed, name=args.name
    )


def _status(args: argparse.Namespace) -> int:
    from data.store import home
    from flows import show

    rows = show.stages(home(), args.run) if args.run else show.runs(home())
    show.write(rows, args.form)
    return 0


def _models(args: argparse.Namespace) -> int:
    from data.store import home
    from flows import show

    show.write(show.models(home(), args.run), args.form)
    return 0


def _sql(args: argparse.Namespace) -> int:
    from data import duck
    from data.store import home
    from flows import show

    query = sys.stdin.read() if args.query == "-" else args.query
    show.write(duck.sql(home(), query), args.form, args.limit)
    return 0


def _reverify(args: argparse.Namespace) -> int:
    _prepare_prefect()
    from flows import reverification
    from tasks.reverify import Chosen

    chosen = Chosen(args.verifier, args.runs, args.rounds, args.held_out)
    return reverification.main(
        chosen, workers=args.workers, timeout_s=args.timeout, form=args.form, fail_on_flips=args.fail_on_flips
    )


def _check_problems(args: argparse.Namespace) -> int:
    from flows import hygiene
    from tasks.check_problems import Sample

    sample = Sample(args.levels, args.n, args.seed, args.repeats)
    return hygiene.main(args.sources, sample, workers=args.workers, timeout_s=args.timeout, form=args.form)


def _doctor(args: argparse.Namespace) -> int:
    from flows import show
    from tasks import doctor

    return 0 if show.findings(doctor.examine(quick=args.quick)) else 1


if __name__ == "__main__":
    sys.exit(main())
