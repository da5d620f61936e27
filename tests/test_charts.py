"""Charts: a picture of any data, as PNG, and as SVG whose text is text and whose colours are those of its page."""

import re
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from tasks import charts
from tasks._canvas import COLOURS
from tasks.charts import Estimate, Level, Point

NASTY = "<script>alert(1)</script> $x^2$ 'a\"&\x1b\u202e"
POINTS = [Point(0, 0.4, 0.37, 0.43), Point(1, 0.53, 0.5, 0.56, True), Point(2, 0.52, 0.49, 0.55, False)]
LEVELS = [Level("sums", 1, 0.9, 1.0), Level("sums", 2, 0.5, 0.4), Level("file/own", 1, None, 0.2)]
CURVES = {"seed": [Estimate(1, 0.4), Estimate(2, 0.5)], "promoted": [Estimate(1, 0.6, 0.5, 0.7), Estimate(2, 0.7)]}
DRAWN: dict[str, tuple[Callable[[], object], list[str]]] = {
    "accuracy": (lambda: charts.accuracy(POINTS), ["40.0 %", "53.0 %", "given", "promoted", "not promoted", "round"]),
    "frontier": (lambda: charts.frontier(LEVELS), ["sums", "own", "before", "after", "level"]),
    "at_k": (lambda: charts.at_k(CURVES, "maj@k"), ["maj@k", "seed 50.0 %", "promoted 70.0 %"]),
    "bars": (lambda: charts.bars({"tried": 7174, "kept": 12.5}, "Funnel", " s", ["kept"]), ["7,174 s", "12.5 s"]),
    "losses": (lambda: charts.losses({"round 1": [(1, 2.0), (9, 1.0)], "round 2": [(1, 1.0)]}), ["round 1", "round 2"]),
    "drift": (lambda: charts.drift({"tokens": [(0, 30.0), (1, 41.5)]}), ["tokens", "41.5"]),
}
EMPTY: list[Callable[[], object]] = [
    lambda: charts.accuracy([]),
    lambda: charts.frontier([]),
    lambda: charts.at_k({"seed": []}),
    lambda: charts.bars({}, "Funnel"),
    lambda: charts.losses({}),
    lambda: charts.drift({}),
]


def texts(svg: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("text")]


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_says_its_numbers_in_text_and_takes_its_colours_from_the_page(name: str):
    draw, said = DRAWN[name]
    figure = draw()
    svg = charts.svg(figure)
    assert set(said) <= set(texts(svg))
    assert "--chart-after" in svg and "--chart-soft" in svg
    bare = re.sub(r"var\(--chart-\w+, #[0-9a-f]{6}\)", "", svg)
    assert not [c for c in COLOURS.values() if c in bare] and "<metadata" not in svg and "http" not in bare
    assert svg.startswith('<svg role="img" aria-label="') and "width=" not in svg.split(">", 1)[0]
    assert charts.png(figure).startswith(b"\x89PNG")
    assert charts.svg(draw()) == svg  # the same data, the same bytes


def test_ids_of_two_charts_differ_and_each_reference_is_its_own():
    pictures = [charts.svg(DRAWN[name][0]()) for name in DRAWN]
    ids = [i for p in pictures for i in re.findall(r'\bid="([^"]+)"', p)]
    assert len(ids) == len(set(ids))
    for picture in pictures:
        used = re.findall(r'(?:url\(#|href="#)([^)"]+)', picture)
        assert used and set(used) <= set(re.findall(r'\bid="([^"]+)"', picture))


@pytest.mark.parametrize("draw", EMPTY)
def test_no_data_is_said(draw: Callable[[], object]):
    assert "nothing measured yet" in texts(charts.svg(draw()))


def test_one_point_is_enough():
    assert "40.0 %" in texts(charts.svg(charts.accuracy(POINTS[:1])))
    assert "seed 40.0 %" in texts(charts.svg(charts.at_k({"seed": CURVES["seed"][:1]})))


def test_names_from_outside_are_text():
    for figure in (
        charts.bars({NASTY: 1.0}, NASTY),
        charts.losses({NASTY: [(1, 1.0)]}),
        charts.frontier([Level(NASTY, 1, 0.1, 0.2)]),
        charts.at_k({NASTY: [Estimate(1, 0.5)]}),
        charts.drift({NASTY: [(0, 1.0)]}),
    ):
        svg = charts.svg(figure)
        assert not [e for e in ElementTree.fromstring(svg).iter() if "script" in e.tag]
        assert any("script" in t for t in texts(svg)) and "\x1b" not in svg and charts.png(figure)


def test_importing_it_is_cheap():
    code = "import sys, tasks.charts; assert not {'matplotlib', 'numpy'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
