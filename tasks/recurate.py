"""Choosing again: a round's judged attempts, taken as they are into a run of their own, to be curated by other rules.

The stage `source` has the parts of the other run under second names, so nothing is judged, copied or changed; its
summary says where they are from. Not here: the rules (`curate.py`) and the gate (`gate.py`), which come next.
"""

from collections.abc import Iterator

from prefect import task
from prefect.cache_policies import NO_CACHE

from data import manifest
from data.errors import UserError
from data.ids import content_id
from data.manifest import Manifest
from data.store import At, Store

VERSION = 1
STAGE = "source"
TAKEN = {
    "problems", "attempts", "verdicts", "step_verdicts", "contaminations", "imports", "models", "eval_problems",
}  # fmt: skip


def judged_rounds(store: Store, run: str) -> list[int]:
    """The rounds of a run whose attempts were judged. Raises UserError when there is none."""
    found = {m.round for m in manifest.committed(store.home, run) if any(p.relation == "verdicts" for p in m.parts)}
    if not found:
        raise UserError(f"no attempt of run {run!r} has been judged: `flywheel status` shows what there is")
    return sorted(found)


def take_over(store: Store, at: At, source: str, rounds: list[int]) -> None:
    """Stage `source`: what round `at.round` of `source` was curated from. Does nothing twice.

    The first of the `rounds` also takes what belongs to no round of them: held-out problems, the first model.
    """
    earlier = range(at.round) if at.round == rounds[0] else range(0)
    taken = list(_taken(store, source, {at.round, *earlier}))
    stage = store.stage(
        at, STAGE, content_id(STAGE, VERSION, source, [(m.round, m.stage, m.fingerprint) for m in taken])
    )
    if stage.done:
        return
    for m in taken:
        for part in m.parts:
            if part.relation in TAKEN:
                stage.adopt(part)
    stages = {f"{m.round}/{m.stage}": m.fingerprint for m in taken}
    stage.commit({"source": source, "stages": stages})


def _taken(store: Store, source: str, rounds: set[int]) -> Iterator[Manifest]:
    for m in manifest.committed(store.home, source, rounds):
        if any(p.relation in TAKEN for p in m.parts):
            yield m


take_over_task = task(name=STAGE, cache_policy=NO_CACHE)(take_over)
