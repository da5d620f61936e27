"""Promise: a finished round stands and is not played again; one of which a stage is missing does not stand."""

import shutil
from pathlib import Path

import pytest

from data import manifest
from data.records import RoundResult
from data.schemas import rows
from data.store import Store
from tasks.finished import finished
from tasks.first_model import ModelRef

FIRST = ModelRef("first", Path("first"))


@pytest.fixture
def store(small_runs: Path, tmp_path: Path) -> Store:
    """The manifests of a run of two rounds, to be damaged."""
    shutil.copytree(small_runs / "manifests" / "night", tmp_path / "manifests" / "night")
    return Store(tmp_path)


def test_the_next_round_starts_with_the_model_of_the_last_promotion(small_runs: Path, store: Store) -> None:
    number, model = finished(store, "night", FIRST)
    decided = rows(Store(small_runs).read("rounds", "night"), RoundResult)
    promoted = [result.challenger_id for result in decided if result.promoted]
    assert (number, model.id) == (2, [FIRST.id, *promoted][-1])
    assert promoted and model.path.name
    assert finished(store, "another", FIRST) == (0, FIRST)


def test_a_round_without_one_of_its_stages_does_not_stand(store: Store) -> None:
    stages = list(manifest.paths(store.home, "night", [2]))
    assert len(stages) > 5
    for path in stages:
        kept = path.read_bytes()
        path.unlink()
        assert finished(store, "night", FIRST)[0] == 1, path.stem
        path.write_bytes(kept)
    next(manifest.paths(store.home, "night", [1])).unlink()
    assert finished(store, "night", FIRST) == (0, FIRST)
