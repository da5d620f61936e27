"""The page of a run: each of its numbers is in the answer to the query beneath it, and it is whole and harmless."""

import re
from pathlib import Path
from statistics import fmean, variance
from typing import Any

import pytest

from data import catalog, duck, meanings
from data.store import At, Store
from flows import cli, reporting
from tasks import _report_charts, _report_words, report, summary
from tasks.evaluate import samples_of
from tests.markup import Markup
from tests.rows import fill

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }} </pre></svg> a\0\x1b[31m\u202e$x$"
OURS = """html head meta title style body main section h1 h2 h3 p dl div dt dd details summary pre code figure
table thead tbody tr th td ul li span b svg g path defs clippath rect use text tspan pattern"""
CLOSED = {"path", "use", "rect"}
NUMBER = re.compile(r"(?<![\w@.#])[+-]?\d[\d,]*(?:\.\d+)?(?![\w.]*[a-z])")


class Page(Markup):
    """A page in pieces; raises when elements are not nested properly."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.tables: list[tuple[str, list[str]]] = []
        self.queries: dict[str, str] = {}
        self.head: list[str] = []
        super().__init__(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "table":
            self.tables.append((str(dict(attrs)["data-query"]), []))
        if tag == "td":
            self.tables[-1][1].append("")
        if self.open[-2:] == ["pre", "code"]:
            self.queries[self.name] = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if self.open[-1:] == ["td"]:
            self.tables[-1][1][-1] += data
        if self.open[-1:] == ["summary"] and data.startswith("the query: "):
            self.name = data.removeprefix("the query: ")
        if self.open[-2:] == ["pre", "code"]:
            self.queries[self.name] += data
        if self.open[:4] == ["html", "body", "main", "section"] and data.strip():
            self.head.append(data)


def page_of(home: Path, run: str) -> Page:
    store = Store(home)
    store.publish()
    return Page(report.write_report(store, run).read_text())


@pytest.fixture(scope="module")
def ledger(small_runs: Path) -> Path:
    return small_runs


@pytest.fixture(scope="module")
def page(ledger: Path) -> Page:
    return page_of(ledger, "night")


@pytest.fixture(scope="module")
def asked(ledger: Path, page: Page) -> dict[str, list[dict[str, Any]]]:
    """What the shown queries answer, asked as a reader would."""
    found = {}
    for name, command in page.queries.items():
        sql = re.fullmatch(r'flywheel sql "([^"$`!]*)"', command, re.DOTALL)
        assert sql and "'night'" in sql[1], name
        found[name] = duck.sql(ledger, sql[1]).to_pylist()
    return found


def values(rows: list[dict[str, Any]]) -> list[float]:
    """Every number in an answer, also those in its sentences; of the columns, their counts."""
    flat = [v for row in rows for v in row.values()] + [len(rows)]
    said = [float(n.replace(",", "")) for v in flat if isinstance(v, str) for n in NUMBER.findall(v)]
    return said + [float(v) for v in flat if isinstance(v, int | float)]


def answered(number: str, known: list[float]) -> bool:
    """Whether a number as it is shown is one of these, or a hundred times one, rounded as it is shown."""
    digits = len(number.partition(".")[2])
    shown = abs(float(number.replace(",", "")))
    return any(abs(round(abs(v * times), digits) - shown) < 1e-9 for v in known for times in (1, 100))


def test_every_number_of_a_table_is_in_the_answer_to_the_query_beneath_it(page: Page, asked):
    assert {name for name, _ in page.tables} >= {"rounds", "frontier", "at_k", "funnel", "drift", "stages", "lineage"}
    for name, cells in page.tables:
        known = values(asked[name])
        numbers = [n for cell in cells for n in NUMBER.findall(cell)]
        assert numbers, name
        assert [n for n in numbers if not answered(n, known)] == [], name


def test_every_number_of_the_head_is_in_an_answer(page: Page, asked):
    known = [v for name in ("gain", "at_k", "seeds", "rounds", "stages") for v in values(asked[name])]
    known += [sum(r["round"] > 0 for r in asked["rounds"]), sum(bool(r["promoted"]) for r in asked["rounds"]), 95, 90]
    end = next(i for i, text in enumerate(page.head) if text == "tokens")
    numbers = [n for text in page.head[:end] for n in NUMBER.findall(text)]
    assert len(numbers) > 12 and [n for n in numbers if not answered(n, known)] == []


def test_the_charts_show_the_answers(page: Page, asked):
    drawn = [re.sub(r"<[^>]+>", "\n", svg) for svg in re.findall(r"<svg.*?</svg>", page.html, re.DOTALL)]
    assert len(drawn) == len(_report_charts.CHARTS) and "could not be drawn" not in page.text
    accuracy, _, pass_at_k, maj_at_k, funnel, *_ = drawn
    assert all(f"{100 * r['pass1']:.1f} %" in accuracy for r in asked["rounds"])
    for metric, svg in (("pass@k", pass_at_k), ("maj@k", maj_at_k)):
        last = [r for r in asked["at_k"] if r["metric"] == metric][-1]
        assert f"first {100 * last['before']:.1f} %" in svg and f"last {100 * last['after']:.1f} %" in svg
    (total,) = [r for r in asked["funnel"] if r["round"] is None]
    assert all(f"\n{total[k]:,}\n" in funnel for k in ("attempts", "judged", "correct", "sound", "kept"))


def test_the_gain_is_what_the_summary_says(ledger: Path, asked):
    said = summary.summarise(Store(ledger), "night", 7)
    gain = asked["gain"][0]
    assert gain["before"] == pytest.approx(said["seed_pass1"]) and gain["after"] == pytest.approx(said["final_pass1"])
    assert 100 * gain["gain"] == pytest.approx(said["gain_points"]) and gain["gain"] > 0
    every = next(g for g in asked["gain"] if g["levels"] == "all")
    lost = [100 * max(0, v["pass1"][0] - v["pass1"][1]) for v in said["levels"] if v["pass1"][0] >= 0.9]
    assert every["mastered"] == len(lost) and 100 * (every["most_lost"] or 0) == pytest.approx(max(lost, default=0))


def test_the_interval_of_the_gain_is_that_of_a_paired_mean_over_levels(ledger: Path, asked):
    store = Store(ledger)
    first, last = (samples_of(store, "night", asked["rounds"][i]["model_id"]) for i in (0, -1))
    assert asked["rounds"][-1]["promoted"]
    right: dict[tuple[Any, ...], list[list[bool]]] = {}
    for i, samples in enumerate((first, last)):
        for s in samples:
            right.setdefault((s.domain, s.level, s.problem_id), [[], []])[i].append(s.outcome == "correct")
    levels: dict[tuple[str, int], list[float]] = {}
    for (domain, level, _), (before, after) in right.items():
        levels.setdefault((domain, level), []).append(fmean(after) - fmean(before))
    every = next(g for g in asked["gain"] if g["levels"] == "all")
    half = 1.959964 * sum(variance(d) / len(d) for d in levels.values()) ** 0.5 / len(levels)
    middle = fmean(fmean(d) for d in levels.values())
    assert (every["gain"], every["low"], every["high"]) == pytest.approx((middle, middle - half, middle + half))


def test_it_needs_nothing_else(page: Page):
    assert {tag for tag, _ in page.tags} <= set(OURS.split())
    attributes = {name for _, found in page.tags for name in found}
    assert not {a for a in attributes if a.startswith("on")} and "src" not in attributes
    links = [str(v) for _, found in page.tags for name, v in found.items() if name in ("href", "xlink:href")]
    ids = [str(found["id"]) for _, found in page.tags if "id" in found]
    assert links and {link[1:] for link in links} <= set(ids) and len(ids) == len(set(ids))
    bare = re.sub(r"xmlns[:\w]*=\"[^\"]*\"", "", page.html)
    assert re.findall(r"https?:|@import|url\((?!#)", bare) == [] and len(page.html) < 3_000_000
    assert "prefers-color-scheme: dark" in page.text and "@media print" in page.text


def test_whatever_a_model_or_a_file_wrote_is_text(home: Path):
    problem = {"id": "p", "domain": NASTY, "level": 1, "prompt": NASTY, "verifier": "exact"}
    step = {"attempt_id": "a", "index": 0, "outcome": "incorrect", "kind": "same_value", "reason": NASTY}
    fill(
        Store(home), At("night", 1, 0), "all", problems=[problem],
        attempts=[{"id": "a", "problem_id": "p", "text": NASTY}], verdicts=[{"attempt_id": "a", "reason": NASTY}],
        step_verdicts=[step], decisions=[{"attempt_id": "a", "reason": NASTY}],
        proposals=[{"id": "q", "reason": NASTY, "text": NASTY}], imports=[{"attempt_id": "a", "file": NASTY}],
        checks=[{"relation": "x", "expectation": NASTY, "severity": "warning", "observed": NASTY}],
        rounds=[{"incumbent_id": "m", "why": NASTY}],
        scores=[{"model_id": "m", "domain": d, "level": n, "band": "all", "metric": "pass@k", "k": 1}
                for d, n in ((NASTY, 1), ("all", 0))],
        models=[{"id": "m", "objective": NASTY}], losses=[{"model_id": "m", "step": 1}],
    )  # fmt: skip
    page = page_of(home, "night")
    assert {tag for tag, _ in page.tags} <= set(OURS.split())
    assert not [name for _, found in page.tags for name in found if name.startswith("on") or name == "src"]
    clean = NASTY.replace("\0", "\ufffd").replace("\x1b", "\ufffd").replace("\u202e", "\ufffd")
    assert page.text.count(clean) >= 9 and "49" not in page.head
    assert not {"\0", "\x1b", "\u202e"} & set(page.html)


SCORE = {"model_id": "m", "domain": "all", "band": "all", "metric": "pass@k", "k": 1, "value": 0.25}
SAMPLES = [
    {"problem_id": p, "domain": "sums", "level": 1, "outcome": o, "model_id": "m"}
    for p, o in (("a", "correct"), ("b", "incorrect"), ("c", "incorrect"), ("d", "incorrect"))
]
MEASURED = {"scores": [SCORE, {**SCORE, "domain": "sums", "level": 1, "band": "easy"}], "eval_samples": SAMPLES}


def test_what_moves_away_from_the_first_model_raises_an_alarm(home: Path):
    as_first = {"outcome": "correct", "finish": "stop", "tokens": 10, "steps_ok": True, "text": "1 + 1 = 2\n#### 2"}
    moved = as_first | {"tokens": 30, "finish": "length", "steps_ok": False, "text": "二"}
    for number, texts in enumerate([[as_first] * 4, [as_first] * 4, [as_first, moved, moved, moved]]):
        samples = [{"problem_id": str(i), "model_id": f"m{number}", **text} for i, text in enumerate(texts)]
        fill(Store(home), At("night", number, 0), "held-out", eval_samples=samples)
    page = page_of(home, "night")
    (cells,) = (cells for name, cells in page.tables if name == "drift")
    alarms = [cell for cell in cells if "," in cell]
    assert alarms == ["twice as long, cut off, lucky, one line, not ASCII"]


def test_a_run_that_has_only_begun(home: Path):
    fill(Store(home), At("night", 0, 0), "held-out", eval_problems=[{"id": "p"}])
    page = page_of(home, "night")
    assert "Nothing is measured yet" in page.head and "nothing measured yet" in page.text


def said(home: Path) -> list[str]:
    Store(home).publish()
    found = _report_words.head({name: a.rows for name, a in report.answers(home, "night").items()})
    return [found.state, found.title, *found.sentences]


def test_a_run_before_its_first_decision(home: Path):
    fill(Store(home), At("night", 0, 0), "evaluate", **MEASURED)
    state, title, *_ = said(home)
    assert state == "open" and "No round is decided yet" in title and "25.0\xa0%" in title


def test_a_round_that_trained_nothing(home: Path):
    fill(Store(home), At("night", 0, 0), "evaluate", **MEASURED)
    fill(Store(home), At("night", 1, 0), "promote", rounds=[{"incumbent_id": "m", "why": "nothing was trained"}])
    state, title, none, *_ = said(home)
    assert state == "bad" and "No better model was found" in title and "None of 1 round was promoted" in none


def test_a_gain_that_may_be_chance(home: Path):
    worse = [
        {**s, "model_id": "n", "outcome": o} for s, o in zip(SAMPLES, ["incorrect", *["correct"] * 3], strict=True)
    ]
    fill(Store(home), At("night", 0, 0), "evaluate", **MEASURED)
    fill(Store(home), At("night", 1, 0), "evaluate", eval_samples=worse, scores=[{**SCORE, "model_id": "n"}])
    fill(Store(home), At("night", 1, 0), "promote", rounds=[
        {"incumbent_id": "m", "challenger_id": "n", "promoted": True}])  # fmt: skip
    state, title, *sentences = said(home)
    assert (
        state == "open" and title.startswith("+50.0 points: 25.0") and any("it may be chance" in s for s in sentences)
    )


def test_a_chart_that_fails_is_said(ledger: Path, page: Page, monkeypatch: pytest.MonkeyPatch):
    def fail(rows: Any) -> Any:
        raise ZeroDivisionError("<no> ink")

    for name in _report_charts.CHARTS:
        monkeypatch.setitem(_report_charts.CHARTS, name, fail)
    found = Page(report.render("night", report.answers(ledger, "night")))
    assert "The chart drift could not be drawn: ZeroDivisionError('<no> ink')" in found.text
    assert found.tables == page.tables


def test_a_report_that_fails_ends_no_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    reporting.show(Store(home), "night")
    assert "There is no report: nothing of run 'night' is published" in "".join(capsys.readouterr())
    (home / "flywheel.duckdb").write_bytes(b"not a database")
    assert reporting.report(Store(home), "night") is None
    monkeypatch.setattr(report, "TEMPLATE", home / "gone.html")
    report._template.cache_clear()
    fill(Store(home), At("night", 0, 0), "held-out", eval_problems=[{"id": "p"}])
    reporting.show(Store(home), "night")
    assert "The report could not be written (TemplateNotFound" in "".join(capsys.readouterr())
    report._template.cache_clear()


def test_an_attempt_is_cut_at_its_steps():
    steps = [{"text": t, "outcome": o} for t, o in (("1+1", "correct"), ("3", "incorrect"), (None, "incorrect"))]
    assert [(p.text, p.outcome) for p in report.pieces("1+1\n3\n#### 3", steps)] == [
        ("1+1", "correct"), ("\n", None), ("3", "incorrect"), ("\n#### 3", None),
    ]  # fmt: skip
    assert [p.text for p in report.pieces("2", steps)] == ["2"] and report.pieces("", []) == []


@pytest.mark.parametrize("name", catalog.report())
def test_each_query_is_one_select_with_its_grain(name: str):
    text = catalog.report()[name]
    assert text.startswith("-- grain: one row") and [*meanings.header(text)] == ["grain"] and "$run" in text
    assert not set('"`!;') & set(text) and max(map(len, text.splitlines())) <= 120


def test_the_command(ledger: Path, page: Page, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("FLYWHEEL_HOME", str(ledger))
    assert cli.main(["report"]) == 0
    written = ledger / "night" / "report.html"
    assert capsys.readouterr().out == f"{written}\n" and written.read_text() == page.html  # the same ledger
    assert cli.main(["report", "nobody"]) == 2
    said = capsys.readouterr().err
    assert "there is no run nobody" in said and "known are night, other" in said and not (ledger / "nobody").exists()
