"""What every chart is drawn on: the house look, and figures as PNG or as SVG. The only file that imports matplotlib.

The SVG takes its colours from the page that shows it (`--chart-ink`, ...; see `COLOURS`), so one picture serves light
and dark; its text stays text. Not here: what is drawn (`charts.py`).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from html import escape
from io import BytesIO, StringIO
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 400  # pixels of a figure, of which its text is 11
COLOURS = {  # as they are in a PNG; in an SVG each is the CSS variable `--chart-<name>`
    "ground": "#fffffe",
    "ink": "#1c1e21",
    "soft": "#5c6168",
    "line": "#d9dbd6",
    "before": "#8a9099",
    "after": "#0a5fb4",
    "good": "#1d6b3a",
    "bad": "#a3211b",
}
_drawing = RLock()
_LOOK: Any = {
    "font.size": 11,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "svg.hashsalt": "flywheel",
    "path.simplify": True,
    "hatch.linewidth": 1.0,
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["soft"],
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlecolor": COLOURS["ink"],
    "axes.axisbelow": True,
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["line"],
    "xtick.labelcolor": COLOURS["soft"],
    "xtick.labelsize": 10,
    "ytick.left": False,
    "ytick.labelcolor": COLOURS["soft"],
    "ytick.labelsize": 10,
    "figure.facecolor": COLOURS["ground"],
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.markersize": 6.5,
    "legend.frameon": False,
    "legend.fontsize": 10,
}


@contextmanager
def look() -> Iterator[None]:
    """The house look, for as long as something is drawn or saved: by one thread at a time, matplotlib has one look."""
    from matplotlib import rc_context

    with _drawing, rc_context(_LOOK):
        yield


def figure(title: str, height: int, rows: int = 1, *, share_x: bool = False) -> "tuple[Figure, list[Axes]]":
    """A figure of so many pixels' height with a heading, and its axes from top to bottom; draw on it in `look()`."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(h_pad=4 / 72, w_pad=4 / 72)
    drawn = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, layout=layout, label=title)
    drawn.suptitle(_clean(title), x=0.012, ha="left", fontsize=12, fontweight="bold")
    axes = drawn.subplots(rows, 1, squeeze=False, sharex=share_x)
    return drawn, [row[0] for row in axes]


def png(drawn: "Figure") -> bytes:
    """The figure as a PNG, light, sharp on dense screens."""
    out = BytesIO()
    with look():
        drawn.savefig(out, format="png", dpi=180, metadata={"Software": None})
    return out.getvalue()


def svg(drawn: "Figure") -> str:
    """The figure as an `<svg>` element for a page: its ids are its own, its heading is its label for screen readers."""
    out = StringIO()
    with look():
        drawn.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", out.getvalue(), flags=re.DOTALL)
    _, attributes, body = re.split(r"<svg\b([^>]*)>", text, maxsplit=1)
    box = re.search(r'viewBox="([^"]*)"', attributes)
    own = "c" + sha256(body.encode()).hexdigest()[:8] + "-"
    body = re.sub(r'\bid="', f'id="{own}', body)
    body = re.sub(r"url\(#", f"url(#{own}", body)
    body = re.sub(r'xlink:href="#', f'href="#{own}', body)
    body = re.sub(r"(font(?:-family)?:[^;\"]*?)'[^;\"]*(?=[;\"])", r"\1sans-serif", body)
    for name, colour in COLOURS.items():
        body = body.replace(colour, f"var(--chart-{name}, {colour})")
    label = escape(_clean(str(drawn.get_label())))
    return f'<svg role="img" aria-label="{label}" viewBox="{box[1] if box else ""}">{body}'


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
