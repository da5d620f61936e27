"""The page of a run in a browser: on a phone and on a desk, by day, by night and on paper. Not here: what it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from data.store import Store
from tasks import report
from tests.pages import CHROMIUM

pytestmark = [
    pytest.mark.operations,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: apt-get install chromium"),
]
TOO_WIDE = """() => [...document.querySelectorAll('main *')].filter(e => {
    for (let up = e; up; up = up.parentElement) {  // what scrolls by itself, and headers for screen readers alone
        const style = getComputedStyle(up);
        if (['auto', 'scroll'].includes(style.overflowX) || style.clipPath.startsWith('inset(50%')) return false;
    }
    return e.getBoundingClientRect().right > innerWidth + 1;
}).map(e => e.tagName + ' ' + e.className)"""
COLOURS = "() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"


@pytest.fixture(scope="module")
def path(small_runs: Path) -> Path:
    store = Store(small_runs)
    store.publish()
    return report.write_report(store, "night")


@pytest.fixture
def page(path: Path) -> Iterator[Page]:
    """The page, which asks for nothing but itself and complains of nothing."""
    asked: list[str] = []
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        yield page
        browser.close()
    assert (asked, said) == ([path.as_uri()], [])


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_cut_off(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for details in page.locator("details").all():
        details.evaluate("element => { element.open = true }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(TOO_WIDE) == []
    charts = [chart.bounding_box() for chart in page.locator("figure svg").all()]
    assert charts and all(box and box["width"] > 0.6 * min(width, 600) and box["height"] > 60 for box in charts)


def test_the_night_is_dark_and_as_readable(page: Page) -> None:
    contrast = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        text, ground = (_luminance(colour) for colour in page.evaluate(COLOURS))
        assert (text < ground) == (scheme == "light")
        contrast[scheme] = (max(text, ground) + 0.05) / (min(text, ground) + 0.05)
    assert min(contrast.values()) >= 7, "level AAA of WCAG 2.1, 1.4.6"


def test_it_goes_on_paper(page: Page) -> None:
    page.emulate_media(media="print")
    text, ground = (_luminance(colour) for colour in page.evaluate(COLOURS))
    assert text < 0.1 and (ground > 0.9 or ground == 0.0)
    assert page.pdf(format="A4").startswith(b"%PDF")


def _luminance(colour: str) -> float:
    """Relative luminance of `rgb(…)`, as WCAG 2.1 defines it."""
    channels = [int(part) / 255 for part in colour.strip("rgba()").split(",")[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
