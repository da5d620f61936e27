"""Charts as PNG, from what is committed: for whoever shows a run while it goes on.

Not here: the drawing (`charts.py`), the page of a run with the same charts and their queries (`report.py`).
"""

import json
from collections.abc import Mapping

from data import catalog
from data.records import Loss, Model
from data.schemas import rows
from data.store import At, Store
from tasks import _report_charts, charts

Curve = list[tuple[int, float]]
_NEEDS = {"accuracy": ["rounds"], "frontier": ["frontier"], "pass_at_k": ["at_k", "rounds"]}


def of_run(store: Store, run: str, name: str) -> bytes:
    """The chart `accuracy`, `frontier` or `pass_at_k` of the run's page, as far as the run has come."""
    queries = catalog.report()
    answers = {q: store.query(queries[q], {"run": run}, run=run).to_pylist() for q in _NEEDS[name]}
    return charts.png(_report_charts.CHARTS[name](answers))


def losses(store: Store, at: At) -> bytes | None:
    """The training loss of a round whose training is committed, a line for each objective; None without."""
    names = {m.id: m.objective for m in rows(store.read("models", at.run, [at.round]), Model)}
    curves: dict[str, Curve] = {}
    for p in rows(store.read("losses", at.run, [at.round]), Loss):
        curves.setdefault(names.get(p.model_id, p.model_id), []).append((p.step, p.loss))
    return _losses(curves, at)


def losses_now(store: Store, at: At) -> bytes | None:
    """The training loss of the objective that is trained at this moment, from what its process tells; None so far."""
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
