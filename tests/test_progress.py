"""Progress, logs and what Prefect's UI is told: right, quiet where nobody looks, and never in the way of a run."""

import html
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from data.errors import UserError
from data.store import At, Store
from flows import artifacts, live, logs, prose, terminal
from flows.pace import Pace, clock
from flows.stages import stage
from tasks import pictures

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_pace_knows_when_a_stage_ends() -> None:
    now = Clock()
    pace = Pace(now)
    assert (pace.words, pace.percent, pace.ends) == ("", 0, None)
    pace.tell(0, 100, "starting the engine")
    now.now += 500  # a slow start does not count
    pace.tell(10, 100, "7 tokens/s")
    assert pace.ends is None
    now.now += 10
    pace.tell(30, 100, "7 tokens/s")
    assert pace.ends == now.now + 35
    assert pace.words == f"30 of 100 · 7 tokens/s · until {clock(now.now + 35, now.now)}"
    assert (pace.percent, pace.seconds) == (30, 510)


def test_pace_of_another_piece_of_work_begins_anew() -> None:
    now = Clock()
    pace = Pace(now)
    for done, total in ((1, 10), (2, 10), (10, 10), (0, 1), (20, 400)):
        now.now += 1
        pace.tell(done, total, "")
    assert (pace.ends, pace.percent) == (None, 5)  # a second objective of a training: its speed is not known yet
    now.now += 1
    pace.tell(40, 400, "dpo")
    assert pace.ends is None
    now.now += 1
    pace.tell(60, 400, "dpo")
    assert pace.ends == now.now + 17


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))))
def test_pace_takes_whatever_it_is_told(told: list[tuple[int, int]]) -> None:
    now = Clock()
    pace = Pace(now)
    for done, total in told:
        now.now += 0.5
        pace.tell(done, total, "x")
        assert 0 <= pace.percent <= 100
        assert pace.ends is None or pace.done > pace.total or pace.ends >= now.now
        assert isinstance(pace.words, str)


def test_clock_names_another_day() -> None:
    now = 1_000_000.0
    assert re.fullmatch(r"\d\d:\d\d", clock(now, now))
    assert re.fullmatch(r"\w+ \d\d:\d\d", clock(now + 86_400, now))


def test_a_file_gets_lines_now_and_then_and_no_control_characters(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "EVERY_S", 0.0)
    with terminal.watch("generate") as progress:
        for done in (0, 10, 20):
            progress(done, 40, "7 tokens/s")
    out, err = capfd.readouterr()
    assert not out and not CONTROL.search(err)
    lines = err.splitlines()
    assert lines[0] == "  generate: 0 of 40 · 7 tokens/s"
    assert re.fullmatch(r"  generate: 20 of 40 · 7 tokens/s · until (\w+ )?\d\d:\d\d", lines[2])
    assert re.fullmatch(r"generate: 20 of 40 .* \(\d\.\d s\)", lines[3])
    monkeypatch.setattr(terminal, "EVERY_S", 60.0)
    with terminal.watch("verify") as progress:
        for done in range(1000):
            progress(done, 1000, "")
    assert len(capfd.readouterr().err.splitlines()) == 1


def test_a_terminal_gets_one_moving_line() -> None:
    """A real pseudo terminal; text in brackets is text."""
    program = (
        "from flows.terminal import watch\n"
        "with watch('evaluate [m1]') as progress:\n"
        "    for done in range(41): progress(done, 40, '[red]7 tokens/s')\n"
    )
    ours, theirs = pty.openpty()
    env = os.environ | {"TERM": "xterm", "COLUMNS": "140"}
    done = subprocess.Popen([sys.executable, "-c", program], stdout=theirs, stderr=theirs, stdin=theirs, env=env)
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    assert done.wait(60) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
    last = [line for line in re.split(r"[\r\n]+", text) if line.strip()][-1]
    assert last.startswith("evaluate [m1]") and "40/40" in last
    assert b"\x1b[" in seen


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_record_is_a_line_with_its_ids(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = Store(home)
    store.run_dir("a")
    with logs.of_run("a"):
        terminal.say("with 100 % and\na line break")
        with stage(store, At("a", 2, 7), "verify") as progress:
            progress(3, 3, "attempts judged")
    terminal.say("outside a run")
    lines = read(home / "a" / logs.FILE)
    assert [(n.get("round"), n.get("stage")) for n in lines] == [(None, None), (None, None), (2, "verify")]
    assert lines[1]["message"] == "with 100 % and\na line break"
    assert lines[2]["message"].startswith("verify: 3 of 3 · attempts judged (0.") and lines[2]["seconds"] >= 0
    assert {n["run"] for n in lines} == {"a"} and {n["level"] for n in lines} == {"info"}
    assert "outside a run" in capfd.readouterr().err


def test_what_ends_a_run_is_in_its_log(home: Path) -> None:
    store = Store(home)
    store.run_dir("a")
    for failure in (ValueError("no such thing"), UserError("set x to 1"), KeyboardInterrupt()):
        with pytest.raises(type(failure)), logs.of_run("a"), stage(store, At("a", 1, 7), "curate"):
            raise failure
    lines = read(home / "a" / logs.FILE)
    assert [n["message"] for n in lines if "stage" in n] == [
        "curate stopped: ValueError: no such thing",
        "curate stopped: set x to 1",
        "curate stopped: KeyboardInterrupt",
    ]
    ends = [n for n in lines if n["message"].startswith("run a ") and n["level"] != "info"]
    assert [n["level"] for n in ends] == ["error", "error", "warning"]
    assert ["test_progress.py" in n.get("traceback", "") for n in ends] == [True, False, False]


def test_a_line_that_a_kill_cut_short_spoils_no_other(home: Path) -> None:
    Store(home).run_dir("a")
    (home / "a" / logs.FILE).write_text('{"run": "a"}\n{"time": "2026-')
    with logs.context(run="a"):
        terminal.say("on again")
    whole, torn, after = (home / "a" / logs.FILE).read_text().splitlines()
    assert json.loads(whole) == {"run": "a"} and torn == '{"time": "2026-'
    assert json.loads(after)["message"] == "on again"


def test_outside_a_flow_run_nothing_is_sent(home: Path) -> None:
    store = Store(home)
    with live.board() as board, stage(store, At("a", 1, 7), "distill"):
        assert board is None
    artifacts.show_round(store, At("a", 1, 7))


@given(st.text(max_size=80) | st.text("#*_`[]()<>&|~!\\-+.:/ \n\t1ahtps", max_size=40))
def test_what_a_model_wrote_is_shown_as_it_is(text: str) -> None:
    shown = MarkdownIt("gfm-like", {"linkify": False}).render("x " + prose.plain(text))
    inside = re.fullmatch(r"<p>(.*)</p>\n", shown)
    assert inside and "<" not in inside[1]
    assert html.unescape(inside[1]).split() == ["x", *"".join(c if c.isprintable() else " " for c in text).split()]


def test_no_cell_of_a_table_can_break_it() -> None:
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(
        prose.table([["a", "b"], [prose.plain("x | y\n| z |"), "1"]])
    )
    assert re.findall(r"<td>(.*)</td>", shown) == ["x | y | z |", "1"]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_keys_are_as_prefect_wants_them(parts: list[str]) -> None:
    assert re.fullmatch(r"[a-z0-9-]*", live.key(*parts))


RESULT: dict[str, Any] = {
    "run": "night",
    "seed_pass1": 0.4,
    "final_pass1": 0.7,
    "gain_points": 30.0,
    "interval": [25.0, 34.0],
    "pass_k": {"1": [0.4, 0.7], "16": [0.7, 0.8]},
    "mastered_loss_points": 3.125,
    "rounds": 2,
    "promoted": 1,
    "seconds": 1234.5,
    "why": ["promoted: better", "not trained: <img src=x> | `rm` $1"],
}


@pytest.mark.parametrize(
    ("interval", "says"), [([25, 34], "More than chance"), ([-3, 4], "Not proven"), ([-9, -2], "A loss")]
)
def test_the_summary_says_whether_the_gain_is_real(interval: list[float], says: str) -> None:
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(artifacts.summary_text({**RESULT, "interval": interval}))
    assert says in shown and "<h1>+30.0 points of pass@1</h1>" in shown
    assert "<li>not trained: &lt;img src=x&gt; | `rm` $1</li>" in shown
    assert "flywheel tour night" in shown


def test_the_loss_is_drawn_while_it_is_written(home: Path) -> None:
    """Also when a continued training tells steps again, and in the middle of a line."""
    store, at = Store(home), At("a", 2, 7)
    assert pictures.losses_now(store, at) is None
    work = store.run_dir("a") / "models" / "round-2-sft.work"
    work.mkdir(parents=True)
    told = [json.dumps({"step": s, "steps": 40, "loss": 1 / s}) for s in (10, 20, 10, 30)]
    (work / "progress.jsonl").write_text("\n".join(told) + '\n{"step": 4')
    drawn = pictures.losses_now(store, at)
    assert drawn and drawn.startswith(b"\x89PNG")
