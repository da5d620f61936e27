"""The head of a run's page in plain words: what was gained, and whether it is real. Pure, from the page's answers.

Not here: the queries (data/sql/report), and all other words of the page (`report.html`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Head:
    """The headline and what there is to say about it; `state` is good, open or bad."""

    state: str
    title: str
    sentences: list[str]


def head(rows: Rows) -> Head:
    """What the run learned."""
    decided = [r for r in rows["rounds"] if r["round"] > 0]
    promoted = sum(bool(r["promoted"]) for r in decided)
    if not rows["gain"]:
        return Head("open", "Nothing is measured yet", ["The run has not come as far as its first evaluation."])
    gain = rows["gain"][0]
    before, after, levels = _percent(gain["before"]), _percent(gain["after"]), _levels(gain["levels"])
    if not decided:
        title = f"No round is decided yet: the model that it begins with solves {before} of {levels}"
        return Head("open", title, [_measured(gain)])
    if not promoted:
        title = f"No better model was found: it still solves {before} of {levels}"
        return Head(
            "bad", title, [f"None of {_rounds(len(decided))} was promoted; why, is said below.", _measured(gain)]
        )
    title = f"{_points(gain['gain'])} points: {before} of {levels} solved before, {after} after"
    sentences = [_measured(gain), _real(gain), *_seeds(rows["seeds"]), *_wiser(rows["at_k"]), *_kept(rows["gain"])]
    return Head("good" if gain["low"] > 0 else "open", title, sentences)


def _measured(gain: Mapping[str, Any]) -> str:
    return (
        f"Measured on {gain['problems']:,} held-out problems that are never trained on, every level counting alike. "
        "Solved means that a single try is right (pass@1)."
    )


def _real(gain: Mapping[str, Any]) -> str:
    interval = f"The 95 % interval of the gain is {_points(gain['low'])} to {_points(gain['high'])} points"
    if gain["low"] <= 0:
        return f"{interval}: it may be chance."
    return (
        f"{interval}: more than chance. The same problems decided what was promoted, which flatters it a little; "
        "problems that are drawn anew would not."
    )


def _seeds(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    gains = [r["gain"] for r in runs[1:] if r["rounds"] and r["gain"] is not None]
    if not gains:
        return ["It is one run: others, each with a run seed of its own, show how much of it is luck."]
    if len(gains) == 1:
        return [f"One other run from the same model, on the same problems, gained {_points(gains[0])} points."]
    least, most = _points(min(gains)), _points(max(gains))
    return [f"{len(gains)} other runs from the same model, on the same problems, gained {least} to {most} points."]


def _wiser(at_k: Sequence[Mapping[str, Any]]) -> list[str]:
    last = [r for r in at_k if r["metric"] == "pass@k" and r["k"] > 1 and r["after"] is not None][-1:]
    return [
        f"With {r['k']} tries a problem it solves {_percent(r['after'])}, before {_percent(r['before'])}: "
        + ("problems came within reach that were not." if r["after_low"] > r["before"] else
           "it is surer of what it could solve, rather than wiser.")
        for r in last
    ]  # fmt: skip


def _kept(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    every = next((g for g in groups if g["levels"] == "all"), None)
    if every is None or not every["mastered"]:
        return []
    lost = f"the one that lost most lost {100 * every['most_lost']:.1f} points" if every["most_lost"] else "none lost"
    return [f"Of {every['mastered']} levels that it had mastered (at least 90 %), {lost}."]


def _levels(name: str) -> str:
    return "all problems" if name == "all" else f"the {name} problems"


def _rounds(n: int) -> str:
    return f"{n} round{'s' * (n != 1)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"
