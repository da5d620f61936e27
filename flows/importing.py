"""Traces from outside, as a Prefect flow of its own (`flywheel import`): judged, curated and gated like a model's own.

A run of its own, whose only round is 0. Run again with the same files it continues, or does nothing. Not here: what a
row may look like, and how it is judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from prefect import flow

from data.records import Problem
from data.schemas import rows
from data.store import At, Store, home
from flows import show, temporary
from flows.alone import on_run
from flows.settings import FlywheelSettings, merge, parse_override, validated
from flows.terminal import say, watch
from tasks import curate, decontaminate, gate, import_traces, verify
from tasks.curate import Curated
from tasks.gate import Gated
from tasks.import_traces import Taken
from tasks.verify import Verified

USUAL = {"recipe": "import", "curate": {"min_examples": 1}}  # how many traces are enough is for the user to say


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows, stage by stage."""

    taken: Taken
    verified: Verified
    curated: Curated
    gated: Gated


@flow(name="import", flow_run_name="{at.run}", validate_parameters=False)
def bring_in(settings: FlywheelSettings, at: At, sources: Sequence[Path], problem_file: Path | None) -> Imported:
    """Rows of files, through the stages of a round that judge and choose."""
    store = Store(home())
    with watch("import") as progress:
        taken = import_traces.take_task(store, at, sources, problem_file, progress)
    with watch("verify") as progress:
        verified = verify.verify_task(store, at, settings.verify, progress)
    own = rows(store.read("problems", at.run, [at.round]), Problem)
    decontaminate.decontaminate_task(store, at, settings.decontaminate, own)
    curated = curate.curate_task(store, at, settings.curate)
    gated = gate.gate_task(store, at, settings.curate, settings.gate)
    store.publish()
    return Imported(taken, verified, curated, gated)


def main(sources: Sequence[Path], problem_file: Path | None, *, overrides: Sequence[str], name: str | None) -> int:
    """`flywheel import`; 1 when the gate says no."""
    table = USUAL
    for text in overrides:
        table = merge(table, parse_override(text))
    settings = validated(table, "--set")
    at = At(name or import_traces.run_name(sources), 0, settings.run_seed)
    store = Store(home())
    temporary.ready()
    with on_run(store, at.run):
        found = bring_in(settings, at, sources, problem_file)
    _show(store, at, found)
    return 0 if found.gated.passed else 1


def _show(store: Store, at: At, found: Imported) -> None:
    """A table from the rows to the dataset; what the files claimed; what to do next."""
    taken, kept = found.taken, found.curated.kept
    aside = taken.rows - taken.attempts
    lines = [("rows read", taken.rows), *((f"set aside: {why}", n) for why, n in taken.reasons.items())]
    lines += [(f"judged {outcome}", n) for outcome, n in found.verified.outcomes.items()]
    reasons = {why: n for why, n in found.curated.reasons.items() if why != "kept"}
    lines += [*((f"dropped: {why}", n) for why, n in reasons.items()), ("kept", kept)]
    show.write(pa.table({"": [text for text, _ in lines], "rows": [n for _, n in lines]}))
    claims = import_traces.agreement(store, at)
    if len(claims):
        show.console().print("What the files claim, beside the verdicts:")
        show.write(claims)
    if aside:
        say(f"{aside:,} rows were set aside: see {store.run_dir(at.run) / import_traces.REJECTED}")
    if found.gated.passed:
        say(f"Dataset {found.curated.dataset_id} of {found.curated.examples:,} examples: `flywheel export {at.run}`,")
        say(f"or `flywheel run RECIPE --name {at.run}`, whose first rounds replay it")
    else:
        say(f"The quality gate says no: {found.gated.why}")
