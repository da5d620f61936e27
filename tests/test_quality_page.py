"""The page of a gated round: whole and harmless whatever the rows hold, from the ledger alone, and its command."""

import json
import re
from pathlib import Path

import pytest

from data.errors import UserError
from data.records import Check
from data.store import At, Store
from flows import cli
from tasks import quality_page
from tests.markup import Markup

AT = At("night", 2, 0)
NASTY = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(2)'>",
    "</td></table><style>*{display:none}</style>",
    "&lt;b&gt; {{ 7*7 }} {% raw %} javascript:alert(3)",
    "a\0b\x1b[31mc\u202ed\ud7ff\ufffe",
    "ümläut 数 \n two lines",
]
CHECKS = [
    Check(
        "attempts",
        "finish is known",
        "critical",
        False,
        "6 in 9 rows",
        json.dumps([{"text": t, "n": None} for t in NASTY]),
    ),
    Check("attempts", "attempt_id is unique", "critical", True, "none in 9 rows", "[]"),
    Check("examples", "the truncated share is between 0% and 20%", "warning", False, "0.3", "[]"),
    Check(
        "ex<b>amples", "a & b", "warning", False, "<1>", json.dumps([{"<th>": [1, {"x": "<i>"}], "other": True}, {}])
    ),
]
OURS = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "em", "div", "strong"}
OURS |= {"table", "caption", "thead", "tbody", "tr", "th", "td", "section", "span", "a"}


class Seen(Markup):
    """What a page holds; raises when elements are not nested properly."""

    def __init__(self, html: str) -> None:
        self.cells: list[str] = []
        super().__init__(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if self.open and self.open[-1] == "td":
            self.cells[-1] += data

    def all(self, attribute: str) -> list[str]:
        return [str(found[attribute]) for _, found in self.tags if attribute in found]


def gated(home: Path, checks: list[Check] = CHECKS) -> Store:
    store = Store(home)
    stage = store.stage(AT, "gate", "f")
    stage.write("checks", "all", checks)
    stage.commit()
    return store


def seen(home: Path, checks: list[Check] = CHECKS) -> Seen:
    return Seen(quality_page.write(gated(home, checks), AT.run, AT.round).read_text(encoding="utf-8"))


def test_whatever_a_model_wrote_is_text(home: Path):
    page = seen(home)
    assert {tag for tag, _ in page.tags} <= OURS
    assert not [name for _, found in page.tags for name in found if name.startswith("on") or name in ("src", "style")]
    for text in NASTY[:4] + NASTY[5:]:
        assert text in page.cells
    (odd,) = [cell for cell in page.cells if cell.startswith("a\N{REPLACEMENT CHARACTER}b")]
    assert all(c.isprintable() for c in odd)
    assert '[1, {"x": "<i>"}]' in page.cells and "(null)" in page.cells
    assert "<th>" in page.text and "ex<b>amples: a & b" in page.text


def test_it_needs_nothing_else_and_links_only_within(home: Path):
    page = seen(home)
    raw = (home / "night" / "quality" / "round-2.html").read_text()
    assert re.findall(r"https?:|//[a-z]|url\(|@import", re.sub(r"<td.*?</td>", "", raw, flags=re.DOTALL)) == []
    links, ids = page.all("href"), page.all("id")
    assert links and all(link.startswith("#") and link[1:] in ids for link in links)
    assert len(ids) == len(set(ids)) and not any(re.search(r"\s", name) for name in ids)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page.all("content")
    assert "prefers-color-scheme: dark" in page.text and "width=device-width" in " ".join(page.all("content"))


def test_each_check_is_there_with_its_state_in_words(home: Path):
    page = seen(home)
    for check in CHECKS:
        assert page.text.count(check.expectation) == (1 if check.success else 2)
        assert check.observed in page.text and check.severity in page.text
    assert [page.text.count(sign) for sign in ("✓ holds", "✗ failed", "! warning")] == [1, 2, 4]
    assert "Failed: 1 critical expectation broken" in page.text and "trained nothing" in page.text


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ([CHECKS[1]], "Passed"),
        (CHECKS[1:3], "Passed with 1 warning"),
        (CHECKS[1:], "Passed with 2 warnings"),
        ([], "Passed"),
    ],
)
def test_the_verdict(home: Path, checks: list[Check], verdict: str):
    page = quality_page.page(gated(home, checks), AT.run, AT.round)
    assert page.verdict == verdict
    Seen(quality_page.render(page))


def test_the_same_ledger_gives_the_same_bytes(home: Path):
    store = gated(home)
    path = quality_page.write(store, AT.run, AT.round)
    first = path.read_bytes()
    path.unlink()
    assert quality_page.write(store, AT.run, AT.round).read_bytes() == first
    with pytest.raises(UserError, match="round 3 of run 'night' has no checks"):
        quality_page.write(store, AT.run, 3)


def test_the_command(home: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["quality"]) == 2
    assert "no round in" in capsys.readouterr().err
    gated(home)
    assert cli.main(["quality", "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert {k: row[k] for k in ("run", "round", "state", "checks", "failed", "warnings")} == {
        "run": "night", "round": 2, "state": "failed", "checks": 4, "failed": 1, "warnings": 2,
    }  # fmt: skip
    page = home / "night" / "quality" / "round-2.html"
    assert cli.main(["quality", "night", "--open-path"]) == 1
    assert capsys.readouterr().out == f"{page}\n" and page.exists()
    assert cli.main(["quality", "night", "--broken", "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert [r["state"] for r in shown] == ["failed", "warning", "warning"] and "<script>" in shown[0]["first rows"]
    assert cli.main(["quality", "night", "--round", "2"]) == 1
    out = capsys.readouterr().out
    assert str(page) in out and "Failed: 1 critical expectation broken" in out and "\x1b[31m" not in out
    for argv, why in (
        (["nobody"], "no round of run 'nobody' was gated"),
        (["night", "--round", "9"], "round 9 of run 'night' has no checks"),
        (["--round", "2"], "which run?"),
    ):
        assert cli.main(["quality", *argv]) == 2
        assert why in capsys.readouterr().err


def test_a_round_that_passed_exits_with_zero(home: Path):
    gated(home, CHECKS[1:3])
    assert cli.main(["quality"]) == cli.main(["quality", "night"]) == cli.main(["quality", "night", "--broken"]) == 0
