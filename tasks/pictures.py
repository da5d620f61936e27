"""The charts of a run as PNG, read from the ledger: for whoever shows a run while it goes on.

Each is None while there is nothing to draw. Not here: the drawing (`charts.py`), the page of a run (`report.py`).
"""

import json
from collections.abc import Mapping, Sequence

from data.records import Loss, Model, RoundResult, Score
from data.schemas import rows
from data.store import At, Store
from tasks import charts

Curve = list[tuple[int, float]]


def accuracy(store: Store, run: str) -> bytes | None:
    """pass@1 of the first model and of each round's challenger, with intervals, on the middle and hard levels."""
    results = _results(store, run)
    known = _scores(store, run)
    models: list[tuple[int, str, bool | None]] = [(0, r.incumbent_id, None) for _, r in results[:1]]
    models += [(number, r.challenger_id, r.promoted) for number, r in results]
    points = [
        charts.Point(number, s.value, s.low, s.high, promoted)
        for number, model, promoted in models
        for s in _overall(known.get(model, []))
        if s.k == 1
    ]
    return charts.png(charts.accuracy(points)) if points else None


def frontier(store: Store, run: str) -> bytes | None:
    """pass@1 of every level: the first model beside the one that the next round starts with."""
    first, last = (_levels(found) for found in _ends(store, run))
    levels = [charts.Level(*key, first.get(key), last.get(key)) for key in sorted({*first, *last})]
    return charts.png(charts.frontier(levels)) if levels else None


def at_k(store: Store, run: str) -> bytes | None:
    """pass@k of the same two on the middle and hard levels."""
    ends = dict(zip(("first", "last"), _ends(store, run), strict=True))
    curves = {name: _estimates(found) for name, found in ends.items() if found}
    return charts.png(charts.at_k(curves)) if any(curves.values()) else None


def losses(store: Store, at: At) -> bytes | None:
    """The training loss of a round whose training is committed, a line for each objective."""
    names = {m.id: m.objective for m in rows(store.read("models", at.run, [at.round]), Model)}
    curves: dict[str, Curve] = {}
    for p in rows(store.read("losses", at.run, [at.round]), Loss):
        curves.setdefault(names.get(p.model_id, p.model_id), []).append((p.step, p.loss))
    return _losses(curves, at)


def losses_now(store: Store, at: At) -> bytes | None:
    """The training loss of the objective that is trained at this moment, from what its process tells."""
    curves: dict[str, Curve] = {}
    for path in (store.run_dir(at.run) / "models").glob(f"round-{at.round}-*.work/progress.jsonl"):
        name = path.parent.name.removesuffix(".work").rpartition("-")[2]
        text = path.read_text()
        told = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        curves[name] = sorted({p["step"]: p["loss"] for p in told}.items())  # a continued training tells steps again
    return _losses(curves, at)


def _losses(curves: Mapping[str, Curve], at: At) -> bytes | None:
    title = f"Training loss, round {at.round}"
    return charts.png(charts.losses(curves, title)) if any(len(c) > 1 for c in curves.values()) else None


def _results(store: Store, run: str) -> list[tuple[int, RoundResult]]:
    table = store.read("rounds", run)
    return list(zip(table["round"].to_pylist(), rows(table, RoundResult), strict=True))


def _scores(store: Store, run: str) -> dict[str, list[Score]]:
    found: dict[str, list[Score]] = {}
    for s in rows(store.read("scores", run), Score):
        found.setdefault(s.model_id, []).append(s)
    return found


def _ends(store: Store, run: str) -> list[list[Score]]:
    """Scores of the first model of a run, and of the last one that was promoted: none while none was."""
    results, known = [r for _, r in _results(store, run)], _scores(store, run)
    first = [r.incumbent_id for r in results[:1]] or list(known)[:1]
    last = [r.challenger_id for r in results if r.promoted][-1:]
    return [known.get(model[0], []) if model else [] for model in (first, last)]


def _levels(found: Sequence[Score]) -> dict[tuple[str, int], float]:
    return {(s.domain, s.level): s.value for s in found if s.level and (s.metric, s.k) == ("pass@k", 1)}


def _estimates(found: Sequence[Score]) -> list[charts.Estimate]:
    return [charts.Estimate(s.k, s.value, s.low, s.high) for s in sorted(_overall(found), key=lambda s: s.k)]


def _overall(found: Sequence[Score]) -> list[Score]:
    """pass@k over all domains: of the middle and hard levels, of all levels where there are none of those."""
    chosen = [s for s in found if (s.domain, s.metric) == ("all", "pass@k")]
    return [s for s in chosen if s.band == "middle+hard"] or [s for s in chosen if s.band == "all"]
