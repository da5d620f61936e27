"""The charts of a run's page, from the page's answers. Not here: how they are drawn (`charts.py`)."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from tasks import charts
from tasks.charts import Estimate, Level, Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def drawn(rows: Rows) -> dict[str, Markup]:
    """Every chart by its name as an element of the page; one that cannot be drawn says why."""
    return {name: _drawn(name, draw, rows) for name, draw in CHARTS.items()}


def accuracy(rows: Rows) -> "Figure":
    """pass@1 of each round's model, on the levels that the head speaks of."""
    known = [r for r in rows["rounds"] if r["pass1"] is not None]
    levels = known[0]["levels"] if known else "all"
    points = [Point(r["round"], r["pass1"], r["low"], r["high"], r["promoted"]) for r in known]
    return charts.accuracy(points, f"pass@1 per round, {levels} levels")


def frontier(rows: Rows) -> "Figure":
    """pass@1 by level, of the first and the last model."""
    levels = [Level(r["domain"], r["level"], r["before"], r["after"]) for r in rows["frontier"]]
    return charts.frontier(levels, "pass@1 by level, first and last model")


def pass_at_k(rows: Rows) -> "Figure":
    """Whether more problems are within reach."""
    return _at_k(rows, "pass@k", "pass@k: one of k tries is right")


def maj_at_k(rows: Rows) -> "Figure":
    """Whether the most frequent answer is right."""
    return _at_k(rows, "maj@k", "maj@k: the most frequent of k answers is right")


def funnel(rows: Rows) -> "Figure":
    """From attempts to examples, over all rounds."""
    total = next((r for r in rows["funnel"] if r["round"] is None), {})
    names = {"attempts": "attempts", "judged": "judged", "correct": "right", "sound": "no wrong step", "kept": "kept"}
    counts = {label: total[name] for name, label in names.items() if total.get(name) is not None}
    return charts.bars(counts, "From attempt to example, all rounds")


def dropped(rows: Rows) -> "Figure":
    """Why attempts were dropped, over all rounds."""
    counts = {r["reason"]: r["attempts"] for r in rows["dropped"][:12]}
    return charts.bars(counts, "Dropped attempts by reason", hatched=list(counts))


def stages(rows: Rows) -> "Figure":
    """Seconds of each kind of stage; start-up of engines and libraries is part of them."""
    known = [r for r in rows["stages"] if r["stage"] is not None and r["seconds"] >= 0.05]
    return charts.bars({r["stage"]: r["seconds"] for r in known}, "Seconds by stage, all rounds", " s")


def losses(rows: Rows) -> "Figure":
    """The loss of each training."""
    curves: dict[str, list[tuple[int, float]]] = defaultdict(list)
    several = len({r["model_id"] for r in rows["losses"]}) > len({r["round"] for r in rows["losses"]})
    for r in rows["losses"]:
        curves[f"round {r['round']}" + f" {r['model_id'][:4]}" * several].append((r["step"], r["loss"]))
    return charts.losses(curves)


def drift(rows: Rows) -> "Figure":
    """What held-out completions look like, round by round."""
    panels: dict[str, list[tuple[int, float]]] = {
        "tokens a completion": [(r["round"], r["tokens"]) for r in rows["drift"]]
    }
    names = {
        "truncated": "cut off, %",
        "no_answer": "no answer, %",
        "lucky": "right answer with a wrong step, %",
        "one_line": "right answer in a single line, %",
        "repeated_lines": "lines said before, %",
    }
    for name, label in names.items():
        panels[label] = [(r["round"], 100 * r[name]) for r in rows["drift"] if r[name] is not None]
    return charts.drift({label: line for label, line in panels.items() if line}, "Held-out completions, round by round")


def _at_k(rows: Rows, metric: str, title: str) -> "Figure":
    known = [r for r in rows["at_k"] if r["metric"] == metric and r["before"] is not None]
    curves = {"first": [Estimate(r["k"], r["before"], r["before_low"], r["before_high"]) for r in known]}
    if any(r["promoted"] for r in rows["rounds"]):
        last = [r for r in known if r["after"] is not None]
        curves["last"] = [Estimate(r["k"], r["after"], r["after_low"], r["after_high"]) for r in last]
    return charts.at_k(curves, title)


CHARTS: dict[str, Callable[[Rows], "Figure"]] = {
    "accuracy": accuracy,
    "frontier": frontier,
    "pass_at_k": pass_at_k,
    "maj_at_k": maj_at_k,
    "funnel": funnel,
    "dropped": dropped,
    "stages": stages,
    "losses": losses,
    "drift": drift,
}


def _drawn(name: str, draw: Callable[[Rows], "Figure"], rows: Rows) -> Markup:
    try:
        return Markup(charts.svg(draw(rows)))  # matplotlib escapes what it is given
    except Exception as e:  # a picture is never worth the page
        return Markup('<p class="soft">The chart {} could not be drawn: {}</p>').format(name, repr(e))
