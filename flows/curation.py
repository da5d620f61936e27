"""Curating the judged attempts of a run again, by other rules, in a run of its own. Nothing of that run changes.

Begun again with the same rules it goes on, or does nothing. Not here: what starts it (`entries.py`), and the rules.
"""

from collections.abc import Mapping
from typing import Any

from data import manifest
from data.ids import content_id
from data.store import SETTINGS, At, Store, home
from flows._answers import Told
from flows.alone import on_run
from flows.importing import USUAL
from flows.settings import FlywheelSettings, existing, merge, validated
from flows.stages import stage
from tasks import curate, gate, import_traces, recurate


def curate_again(source: str, changes: Mapping[str, Any]) -> Told:
    """Datasets of the judged rounds of `source`, round by round, by its settings with the changes over them."""
    store = Store(home())
    settings = validated(merge(_own(store, source).model_dump(), dict(changes)), "the changes")
    rounds = recurate.judged_rounds(store, source)
    run = f"{source}-curated-{content_id(settings.curate.model_dump(), settings.gate.model_dump())[:8]}"
    with on_run(store, run):
        for number in rounds:
            at = At(run, number, settings.run_seed)
            recurate.take_over_task(store, at, source, rounds)
            with stage(store, at, "curate"):
                curated = curate.curate_task(store, at, settings.curate)
                gated = gate.gate_task(store, at, settings.curate, settings.gate)
        store.publish()
    counted = f"{curated.examples:,} examples and {curated.pairs:,} pairs"
    verdict = "the gate lets them pass" if gated.passed else f"the gate says no: {gated.why}"
    return Told(
        f"{run}, round {number}: {counted}; {verdict}",
        {"run": run, "dataset": curated.dataset_id, "examples": curated.examples, "pairs": curated.pairs,
         "passed": gated.passed, "reasons": curated.reasons},
    )  # fmt: skip


def _own(store: Store, run: str) -> FlywheelSettings:
    """The settings of a run; an import has those it usually has."""
    imported = any(m.stage == import_traces.STAGE for m in manifest.committed(store.home, run, [0]))
    if imported and not (store.home / run / SETTINGS).exists():
        return validated(USUAL, "import")
    return existing(store.home, run)
