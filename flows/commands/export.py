"""`flywheel export`: a dataset of the ledger as a folder of files. Not here: how (`tasks/export.py`)."""

import argparse
from pathlib import Path

HELP = "write a dataset of the ledger to a folder, with its lineage and a card"


def arguments(command: argparse.ArgumentParser) -> None:
    """Which dataset, form, where to."""
    command.add_argument("dataset", help="id of a dataset or the beginning of one, RUN/ROUND, RUN, or latest")
    command.add_argument("--to", choices=["hf", "parquet", "jsonl"], default="hf", help="form (default: %(default)s)")
    command.add_argument("--out", type=Path, help="folder to make (default: KIND-ID-FORM in the current folder)")
    command.add_argument("--pairs", action="store_true", help="preference pairs instead of examples")
    command.add_argument("--golds", action="store_true", help="with the golds: answers and hidden tests")
    command.add_argument("--force", action="store_true", help="replace an earlier export")


def run(args: argparse.Namespace) -> int:
    """0 when the folder is there."""
    from data.store import Store, home
    from flows.terminal import say, watch
    from tasks import export

    store = Store(home())
    dataset = export.find(store, args.dataset, "pairs" if args.pairs else "examples")
    folder = args.out or Path(f"{dataset.kind}-{dataset.id}-{args.to}")
    with watch("export") as progress:
        done = export.export(store, dataset, args.to, folder, golds=args.golds, force=args.force, progress=progress)
    say(f"Dataset {dataset}: {done.bytes:,} bytes in {done.files} files of rows, and a card")
    print(done.folder)
    return 0
