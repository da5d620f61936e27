"""Rounds that are over: how many of a run stand, and the model that the next one starts with. Not here: playing one.

A finished round stands whatever has changed since, code and verifiers too; one whose manifests are not all there any
more (`flywheel verify-store --repair` sets damaged ones aside) does not, and what is missing of it is done again.
"""

from pathlib import Path
from typing import Any

from data import manifest
from data.manifest import Manifest
from data.store import Store
from tasks.first_model import ModelRef

STAGES = "stages"  # in what the last stage of a round committed: the stages before it


def stages(store: Store, run: str, number: int) -> list[str]:
    """The stages of a round that are committed."""
    return [path.stem for path in manifest.paths(store.home, run, [number])]


def finished(store: Store, run: str, first: ModelRef) -> tuple[int, ModelRef]:
    """The last of the rounds that stand one after another (0: none does), and the model after it."""
    number, model = 0, first
    while found := _standing(store, run, number + 1):
        number += 1
        decided: dict[str, Any] = found["promote"].meta["result"]
        if decided["promoted"]:
            made = found["distill"].meta["trained"]
            model = ModelRef(made["id"], Path(made["path"]))
    return number, model


def _standing(store: Store, run: str, number: int) -> dict[str, Manifest]:
    """The manifests of a round that stands, by stage; nothing of another."""
    found = {m.stage: m for m in manifest.committed(store.home, run, [number])}
    if "promote" not in found:
        return {}
    before = found["promote"].meta.get(STAGES)
    return found if before is not None and found.keys() >= set(before) else {}
