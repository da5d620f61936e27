"""`flywheel schema`: what the relations, columns and macros are. Not here: the words (`data/meanings.py`)."""

import argparse

from flows.commands import _options

HELP = "relations, columns and macros of the ledger, with what they mean"


def arguments(command: argparse.ArgumentParser) -> None:
    """Relation or macro, form of the output."""
    command.add_argument("relation", nargs="?", help="only this relation or macro")
    _options.output(command)


def run(args: argparse.Namespace) -> int:
    """0. Raises UserError when there is no such relation."""
    import pyarrow.compute as pc

    from data import duck
    from data.errors import UserError
    from flows import show

    table = duck.described()
    if args.relation:
        names = pc.replace_substring_regex(table["relation"], r"\(.*", "")  # of macros: without their arguments
        if args.relation not in names.to_pylist():
            known = ", ".join(sorted(set(names.to_pylist())))
            raise UserError(f"no relation or macro {args.relation!r}: known are {known}")
        table = table.filter(pc.equal(names, args.relation))
    if args.form == "table":
        show.schema(table)
    else:
        show.write(table, args.form)
    return 0
