"""The charts of a run, each a function from plain data to a figure; `png` and `svg` make pictures of them.

Every chart can be read without colour: markers, hatches and dashes differ, and what matters is labelled where it is.
Shares are from 0 to 1 and shown in percent. Importing this is cheap, matplotlib is imported when something is drawn.
Not here: where the data comes from (`report.py`), the look (`_canvas.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import nan
from typing import TYPE_CHECKING

from tasks._canvas import COLOURS, figure, look, png, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Estimate", "Level", "Point", "accuracy", "at_k", "bars", "drift", "frontier", "losses", "png", "svg"]

_DASHES = ["-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (3, 1.5))]
_MARKS = ["o", "s", "^", "D", "v", "P", "X"]


@dataclass(frozen=True, slots=True)
class Point:
    """The model of one round: its score with its 95 % interval; `promoted` is None for the model that was given."""

    round: int
    value: float
    low: float
    high: float
    promoted: bool | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a domain: share of right answers before and after; None: not measured."""

    domain: str
    level: int
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share at one k, with its 95 % interval where it is known."""

    k: int
    value: float
    low: float = nan
    high: float = nan


def accuracy(points: Sequence[Point], title: str = "Accuracy per round") -> "Figure":
    """What each round's model scored, with intervals; the line goes through the models that a round started with."""
    if not points:
        return _nothing(title)
    with look():
        drawn, (axes,) = figure(title, 270)
        best = [p for p in points if p.promoted is not False]
        axes.step(
            [*(p.round for p in best), max(p.round for p in points) + 0.35],
            [*(p.value for p in best), *(p.value for p in best[-1:])],
            where="post", color=COLOURS["after"], alpha=0.35, linewidth=5, solid_capstyle="butt",
        )  # fmt: skip
        kinds = (("given", None, "s", "ink"), ("promoted", True, "o", "after"), ("not promoted", False, "X", "bad"))
        for name, promoted, mark, colour in kinds:
            chosen = [p for p in points if p.promoted is promoted]
            if chosen:
                axes.errorbar(
                    [p.round for p in chosen], [p.value for p in chosen],
                    yerr=[[max(0, p.value - p.low) for p in chosen], [max(0, p.high - p.value) for p in chosen]],
                    fmt=mark, color=COLOURS[colour], markerfacecolor=COLOURS["ground" if promoted is False else colour],
                    capsize=4, elinewidth=1.4, label=name,
                )  # fmt: skip
        for p in points:
            axes.annotate(_percent(p.value), (p.round, p.value), (7, 5), textcoords="offset points", fontsize=10)
        axes.set_xticks([p.round for p in points])
        axes.set_xlim(-0.3, max(p.round for p in points) + 0.7)
        axes.set_xlabel("round")
        _share_axis(axes, [v for p in points for v in (p.low, p.high)])
        _legend(axes)
    return drawn


def frontier(levels: Sequence[Level], title: str = "Accuracy by level, before and after") -> "Figure":
    """One panel a domain: what each level scored before (hollow square) and after (filled circle)."""
    domains = list(dict.fromkeys(v.domain for v in levels))
    if not levels:
        return _nothing(title)
    with look():
        drawn, panels = figure(title, 62 + 132 * len(domains), len(domains), share_x=True)
        for axes, domain in zip(panels, domains, strict=True):
            inside = [v for v in levels if v.domain == domain]
            both = [v for v in inside if v.before is not None and v.after is not None]
            axes.vlines(
                [v.level for v in both], [v.before or 0 for v in both], [v.after or 0 for v in both],
                color=[COLOURS["after" if (v.after or 0) >= (v.before or 0) else "bad"] for v in both], linewidth=2,
            )  # fmt: skip
            axes.plot(
                [v.level for v in inside], [_known(v.before) for v in inside], "s", label="before",
                color=COLOURS["soft"], markerfacecolor=COLOURS["ground"], markeredgewidth=1.4,
            )  # fmt: skip
            axes.plot(
                [v.level for v in inside], [_known(v.after) for v in inside], "o", label="after", color=COLOURS["after"]
            )
            axes.set_title(_plain(domain.rsplit("/", 1)[-1]))
            _share_axis(axes, [0, 1])
        ticks = sorted({v.level for v in levels})
        panels[-1].set_xticks(ticks[:: max(1, len(ticks) // 16)])
        panels[-1].set_xlabel("level")
        panels[0].tick_params(labelbottom=len(panels) == 1)
        _legend(panels[0])
    return drawn


def at_k(curves: Mapping[str, Sequence[Estimate]], title: str = "pass@k") -> "Figure":
    """A curve over k = 1, 2, 4, ... samples for each model, labelled at its end."""
    if not any(curves.values()):
        return _nothing(title)
    with look():
        drawn, (axes,) = figure(title, 250)
        values: list[float] = []
        ends: list[tuple[int, float, str, str]] = []
        for i, (name, curve) in enumerate(curves.items()):
            ks, shares = [e.k for e in curve], [e.value for e in curve]
            colour = _colour(i, len(curves))
            known = [e for e in curve if e.low == e.low]
            axes.fill_between(
                [e.k for e in known], [e.low for e in known], [e.high for e in known],
                color=colour, alpha=0.13, linewidth=0,
            )  # fmt: skip
            axes.plot(ks, shares, linestyle=_DASHES[-(i + 1) % 2], marker=_MARKS[(i + 1) % 2], color=colour)
            values += [*shares, *(v for e in known for v in (e.low, e.high))]
            ends += [
                (k, share, f"{_plain(name)} {_percent(share)}", colour) for k, share in zip(ks, shares, strict=True)
            ][-1:]
        ticks = sorted({e.k for curve in curves.values() for e in curve})
        axes.set_xscale("log", base=2)
        axes.set_xticks(ticks, [str(k) for k in ticks], minor=False)
        axes.set_xlim(ticks[0] / 1.15, max(ticks[-1], 2) ** 1.42)
        axes.set_xlabel("k, samples a problem")
        _share_axis(axes, values)
        low, high = axes.get_ylim()
        ends.reverse()
        depths = _apart([-share for _, share, _, _ in ends], 0.08 * (high - low))
        for (k, _, label, colour), depth in zip(ends, depths, strict=True):
            axes.annotate(label, (k * 1.1, -depth), color=colour, va="center", annotation_clip=False)
    return drawn


def bars(rows: Mapping[str, float], title: str, unit: str = "", hatched: Sequence[str] = ()) -> "Figure":
    """Horizontal bars from top to bottom, each with its number: a funnel, drop reasons, seconds of stages.

    `hatched` names those that are lost or idle.
    """
    if not rows:
        return _nothing(title)
    with look():
        drawn, (axes,) = figure(title, 46 + 25 * len(rows))
        places = range(len(rows))
        drawn_bars = axes.barh(places, list(rows.values()), height=0.66, color=COLOURS["after"])
        for bar, name in zip(drawn_bars, rows, strict=True):
            if name in hatched:
                bar.set(facecolor=COLOURS["ground"], edgecolor=COLOURS["soft"], hatch="////")
        axes.bar_label(drawn_bars, [_number(v) + unit for v in rows.values()], padding=4, fontsize=10)
        axes.set_yticks(places, [_plain(name) for name in rows])
        axes.tick_params(axis="y", labelcolor=COLOURS["ink"])
        axes.invert_yaxis()
        axes.set_xlim(0, max(rows.values()) * 1.2 or 1)
        axes.spines["bottom"].set_visible(False)
        axes.set_xticks([])
    return drawn


def losses(curves: Mapping[str, Sequence[tuple[int, float]]], title: str = "Training loss") -> "Figure":
    """Loss over optimizer steps, a line for each model, labelled at its end."""
    if not any(curves.values()):
        return _nothing(title)
    with look():
        drawn, (axes,) = figure(title, 250)
        ends: list[tuple[float, float, str, str]] = []
        for i, (name, curve) in enumerate(curves.items()):
            colour = _colour(i, len(curves))
            steps, values = [s for s, _ in curve], [v for _, v in curve]
            dash = _DASHES[(len(curves) - 1 - i) % len(_DASHES)]
            axes.plot(steps, values, linestyle=dash, color=colour, linewidth=1.6)
            ends += [(steps[-1], values[-1], _plain(name), colour)] if curve else []
        low, high = axes.get_ylim()
        heights = _apart([y for _, y, _, _ in ends], 0.075 * (high - low))
        for (x, y, name, colour), height in zip(ends, heights, strict=True):
            axes.annotate(
                name, (x, y), (max(e[0] for e in ends) * 1.03, height), color=colour, fontsize=10, va="center",
                arrowprops={"arrowstyle": "-", "color": COLOURS["line"], "linewidth": 0.8, "shrinkA": 0, "shrinkB": 2},
                annotation_clip=False,
            )  # fmt: skip
        axes.set_xlim(0, max(e[0] for e in ends) * 1.24)
        axes.set_xlabel("optimizer steps")
        axes.grid(axis="y")
    return drawn


def drift(panels: Mapping[str, Sequence[tuple[int, float]]], title: str = "Drift per round") -> "Figure":
    """Small panels below each other over the same rounds, one for each measure, the last value labelled."""
    if not any(panels.values()):
        return _nothing(title)
    with look():
        drawn, all_axes = figure(title, 50 + 76 * len(panels), len(panels), share_x=True)
        for axes, (name, line) in zip(all_axes, panels.items(), strict=False):
            rounds, values = [r for r, _ in line], [v for _, v in line]
            axes.plot(rounds, values, marker="o", markersize=4.5, color=COLOURS["after"], clip_on=False)
            top = max([v for v in values if v == v] or [0])
            axes.set_ylim(0, top * 1.35 or 1)
            axes.set_yticks([0, top] if top else [0], ["0", _number(top)] if top else ["0"])
            axes.set_title(_plain(name, 48), fontsize=10, color=COLOURS["soft"])
            axes.grid(axis="y")
        all_axes[-1].set_xticks(sorted({r for line in panels.values() for r, _ in line}))
        all_axes[-1].set_xlabel("round")
    return drawn


def _nothing(title: str) -> "Figure":
    with look():
        drawn, (axes,) = figure(title, 90)
        axes.set_axis_off()
        axes.text(0, 0.5, "nothing measured yet", color=COLOURS["soft"], transform=axes.transAxes)
    return drawn


def _share_axis(axes: "Axes", values: Sequence[float]) -> None:
    """A vertical axis in percent with few lines, as tall as the values need."""
    known = [v for v in values if v == v] or [0, 1]
    low, high = min(known), max(known)
    room = max(0.04, 0.08 * (high - low))
    axes.set_ylim(max(-0.06, low - room), min(1.09, high + room))
    step = next(s for s in (0.02, 0.05, 0.1, 0.25, 0.5) if (high - low) / s <= 5)
    first = int(max(0, low - room) / step)
    ticks = [i * step for i in range(first, int(1 / step) + 2) if low - room <= i * step <= min(1.0001, high + room)]
    axes.set_yticks(ticks, [f"{100 * t:.0f} %" for t in ticks])
    axes.grid(axis="y")


def _legend(axes: "Axes") -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0, handletextpad=0.3, columnspacing=1
        )


def _apart(values: Sequence[float], room: float) -> list[float]:
    """Heights for labels that belong at these values, each at least `room` above the next lower one."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    placed = list(values)
    for below, i in pairwise(order):
        placed[i] = max(placed[i], placed[below] + room)
    return placed


def _colour(i: int, of: int) -> str:
    """The last one stands out, those before it are grey."""
    return COLOURS["after" if i == of - 1 else "soft"]


def _known(value: float | None) -> float:
    return nan if value is None else value


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _plain(text: str, most: int = 28) -> str:
    """A name as one short line: some come from files of the user's own, or from a model."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= most else line[: most - 1] + "…"
