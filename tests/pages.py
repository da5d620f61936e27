"""Prefect's UI as a person uses it: what is on a page, by its visible words, and what is clicked.

Not here: what came of it (`test_browser.py` asks the server and the ledger).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect, sync_playwright

SIZE = {"width": 1400, "height": 900}
CHROMIUM = which("chromium")
LOCAL = ("127.0.0.1", "localhost")
ITS_OWN = ("(reading 'position')", "(reading 'scale')", "TaskInputResponse")  # of Prefect's graph of a run, on leaving


class Prefect:
    """One person at Prefect's UI at `address`. `wishes` and `complaints`: hosts asked for and errors in the console."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.wishes: set[str] = set()
        self.complaints: list[str] = []
        page.on("request", lambda request: self.wishes.add(urlsplit(request.url).hostname or ""))
        page.on("console", lambda said: self._note(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self._note(str(error)))

    def _note(self, complaint: str) -> None:
        if not any(known in complaint for known in ITS_OWN):
            self.complaints.append(complaint)

    def strangers(self) -> set[str]:
        """Hosts beyond this machine that a page asked for."""
        return {host for host in self.wishes if host and host not in LOCAL}

    def go_to(self, name: str) -> None:
        """A page by its name in the bar on the left."""
        self.page.locator("nav, .p-context-sidebar").get_by_text(name, exact=True).click()

    def deployment(self, name: str) -> None:
        """From the first page to that of a deployment."""
        self.page.goto(self.address)
        self.go_to("Deployments")
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.page.get_by_role("button", name="Run", exact=True).wait_for()

    def form(self, name: str) -> None:
        """From the first page to the form of a deployment."""
        self.deployment(name)
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_text("Custom run").click()
        self.page.get_by_role("button", name="Submit").wait_for()

    def field(self, title: str, within: Locator | None = None) -> Locator:
        """A field of a form by its title, of the outermost form unless `within` is given."""
        labelled = self.page.locator(".schema-form-property__label", has_text=_exactly(title, " (Optional)"))
        return (within or self.page).locator(".schema-form-property").filter(has=labelled).last

    def fill(self, title: str, value: str, within: Locator | None = None) -> None:
        """Type into a field."""
        self.field(title, within).locator("input, textarea").first.fill(value)

    def choose(self, title: str, value: str, within: Locator | None = None) -> None:
        """Pick from a dropdown; it is opened by its arrow, a click on the word closes it at once again."""
        self.field(title, within).locator(".p-select-button__icon").click()
        self.page.locator(".p-select-options__options").get_by_text(value, exact=True).click()

    def submit(self) -> None:
        """Send the form, and go to the flow run by the link in the message that comes up."""
        self.page.get_by_role("button", name="Submit").click()
        self.page.wait_for_url(re.compile("tab=Runs"))  # Prefect goes back to the deployment by itself
        message = self.page.locator(".toast-flow-run-create").first  # Prefect shows two, one over the other
        message.get_by_role("button", name="View run").dispatch_event("click")
        self.page.wait_for_url(re.compile("/runs/flow-run/"))

    def flow_run(self) -> str:
        """The id of the flow run on the page."""
        return self.page.url.partition("/flow-run/")[2][:36]

    def reach(self, state: str, seconds: float) -> None:
        """Wait until the page of a flow run shows a state."""
        badge = self.page.locator(".page-heading-flow-run .state-badge")
        expect(badge).to_have_text(re.compile(f"^\\s*{state}\\s*$"), timeout=1000 * seconds)

    def tab(self, name: str) -> None:
        """Open a tab of a page."""
        self.page.locator(".p-tab", has_text=name).first.click()

    def cards(self) -> Locator:
        """The artifacts of the flow run on the page: kind, name, first line of what it says."""
        return self.page.locator(".artifact-card")

    def open_card(self, name: str) -> None:
        """Look at an artifact."""
        self.cards().filter(has_text=name).first.click()
        self.page.wait_for_url(re.compile("/artifacts/"))

    def sees_a_picture(self) -> None:
        """Wait for a picture that was loaded and has a size."""
        picture = self.page.locator("img[src^='data:image']").first
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.complete && image.naturalWidth") > 100

    def press(self, name: str) -> None:
        """Click a button that is no part of a dialogue."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def confirm(self, name: str) -> None:
        """Click a button of the dialogue that is open."""
        self.dialogue().get_by_role("button", name=name, exact=True).click()

    def dialogue(self) -> Locator:
        """What is open in front of the page."""
        return self.page.locator(".p-modal").last


def _exactly(words: str, perhaps: str = "") -> re.Pattern[str]:
    """These words, whatever their case, with nothing but `perhaps` after them."""
    return re.compile(rf"^\s*{re.escape(words)}({re.escape(perhaps)})?\s*$", re.IGNORECASE)


@contextmanager
def a_person(address: str) -> Iterator[Prefect]:
    """A person at a browser of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, locale="en-GB")
        page.add_init_script("localStorage.setItem('color-scheme', '\"light\"')")
        page.set_default_timeout(120_000)  # a busy machine
        yield Prefect(page, address)
        browser.close()


def photograph(page: Page, folder: str | None, name: str) -> None:
    """A picture of the page for the README, when a folder for them is given."""
    if folder:
        path = Path(folder) / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(2000)  # for what moves to come to rest
        page.screenshot(path=path)
