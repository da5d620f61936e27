"""The pool: order, time-outs, killed workers, back-pressure, balance; a lost check costs at most one verdict."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from data import gold
from data.errors import UserError
from data.records import Problem
from verifiers._child import START_TRIES
from verifiers._pool import AHEAD, Pool


def problem(value: str = "6", verifier: str = "symbolic") -> Problem:
    answer = gold.dump(gold.Answer(value, gold.StepRule("same_value", value)))
    return Problem("p", "d", 1, "?", answer, verifier, "test", "train")


def items(count: int) -> Iterator[tuple[str, Problem, str]]:
    return ((str(i), problem(str(i % 7)), f"{i % 7}\n#### {i % 5}") for i in range(count))


def expected(count: int) -> list[str]:
    return ["correct" if i % 7 == i % 5 else "incorrect" for i in range(count)]


def children() -> list[int]:
    """Worker processes of this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and b"verifiers._worker" in command:
            found.append(int(path.parent.name))
    return found


CHAOS = """
import os, time
from data.errors import UserError
import verifiers._judge as module
real = module.judge
def judge(problem, text):
    word, *rest = text.split()
    if word == "die" or (word == "once" and not os.path.exists({marker!r})):
        open({marker!r}, "w").close()
        os.kill(os.getpid(), 9)
    if word == "lost":
        raise UserError("the sandbox is gone")
    while word == "spin":
        pass
    if word == "sleep":
        time.sleep(float(rest[0]))
    return real(problem, text)
module.judge = judge
"""


@pytest.fixture
def chaos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Workers that die at a text `die ...`, once at `once ...`, hang at `spin ...`, sleep at `sleep <seconds> ...`."""
    (tmp_path / "sitecustomize.py").write_text(CHAOS.format(marker=str(tmp_path / "died")))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_order_ids_steps_and_milliseconds() -> None:
    with Pool(2) as pool:
        judged = list(pool.judge(items(1_000)))
        assert [j.verdict.attempt_id for j in judged] == [str(i) for i in range(1_000)]
        assert [j.verdict.outcome for j in judged] == expected(1_000)
        assert all(j.verdict.ms > 0 and [s.attempt_id for s in j.steps] == [j.verdict.attempt_id] for j in judged)
        assert list(pool.judge([])) == []
    assert not children()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_worker_costs_one_verdict(blow: signal.Signals) -> None:
    total, hit = 3_000, threading.Event()

    def strike() -> None:
        hit.wait()
        os.kill(children()[0], blow)

    thread = threading.Thread(target=strike)
    thread.start()
    with Pool(2, timeout_s=1.0) as pool:
        judged = []
        for found in pool.judge(items(total)):
            judged.append(found)
            if len(judged) == 500:
                hit.set()
                thread.join()
    wrong = [i for i, (j, e) in enumerate(zip(judged, expected(total), strict=True)) if j.verdict.outcome != e]
    assert len(wrong) <= 1, wrong
    assert all(judged[i].verdict.outcome == "unverified" for i in wrong)
    assert [j.verdict.attempt_id for j in judged] == [str(i) for i in range(total)]
    assert not children()


def test_a_hung_check_is_killed_in_time_and_the_rest_are_judged(chaos: Path) -> None:
    batch = [("a", problem(), "#### 6"), ("b", problem(), "spin\n#### 6"), ("c", problem(), "#### 6")]
    began = time.monotonic()
    with Pool(1, timeout_s=1.5) as pool:
        outcomes = [j.verdict.outcome for j in pool.judge(batch)]
    assert outcomes == ["correct", "unverified", "correct"]
    assert time.monotonic() - began < 15


def test_leaving_the_pool_does_not_wait_for_a_hung_check() -> None:
    with Pool(1, timeout_s=60) as pool:
        judged = pool.judge(items(10**6))
        next(judged)
        os.kill(children()[0], signal.SIGSTOP)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert not children()


def test_an_endless_source_is_read_no_further_than_needed() -> None:
    taken = Counter[str]()

    def endless() -> Iterator[tuple[str, Problem, str]]:
        for item in items(10**9):
            taken["items"] += 1
            yield item

    with Pool(2) as pool:
        judged = pool.judge(endless())
        for _ in range(100):
            next(judged)
        assert taken["items"] <= 100 + AHEAD
        judged.close()  # type: ignore[attr-defined]
    assert not children()


def test_progress_ends_at_the_total() -> None:
    seen: list[int] = []
    with Pool(1) as pool:
        list(pool.judge(items(300), progress=lambda done, total, text: seen.append(done)))
    assert seen == sorted(seen) and seen[-1] == 300


def test_who_pays_for_a_death(chaos: Path) -> None:
    texts = ["#### 6", "once\n#### 6", "#### 6", "die\n#### 6", "#### 6", "die\n#### 5", "#### 5"]
    with Pool(1) as pool:
        judged = [j.verdict for j in pool.judge((str(i), problem(), text) for i, text in enumerate(texts))]
    correct, lost = "correct", "unverified"
    assert [v.outcome for v in judged] == [correct, correct, correct, lost, correct, lost, "incorrect"]
    assert {(v.reason, v.attempt_id) for v in judged if v.outcome == lost} == {
        ("fault: the worker died (signal 9)", "3"), ("fault: the worker died (signal 9)", "5"),
    }  # fmt: skip


def test_a_verifier_that_lost_what_it_needs_ends_its_worker(chaos: Path) -> None:
    with Pool(1) as pool:
        texts = ["#### 6", "lost\n#### 6", "#### 6"]
        judged = [j.verdict for j in pool.judge((str(i), problem(), text) for i, text in enumerate(texts))]
    assert [v.outcome for v in judged] == ["correct", "unverified", "correct"]
    assert judged[1].reason == "fault: the worker died (exit code 1, data.errors.UserError: the sandbox is gone)"


def test_a_time_out_is_not_tried_again(chaos: Path) -> None:
    with Pool(1, timeout_s=0.7) as pool:
        list(pool.judge(items(1)))
        began = time.monotonic()
        (judged,) = pool.judge([("a", problem(), "sleep 20\n#### 6")])
        assert time.monotonic() - began < 1.3
    assert (judged.verdict.outcome, judged.verdict.reason) == ("unverified", "fault: no verdict within 0.7 s")


def test_workers_share_slow_checks_evenly(chaos: Path) -> None:
    texts = [f"sleep 0.05\n#### {i % 7}" for i in range(40)]
    with Pool(2) as pool:
        list(pool.judge(items(200)))
        began = time.monotonic()
        outcomes = [j.verdict.outcome for j in pool.judge((str(i), problem(), t) for i, t in enumerate(texts))]
        spent = time.monotonic() - began
    assert outcomes == ["correct" if i % 7 == 6 else "incorrect" for i in range(40)]
    assert spent < 1.5  # 1 s of sleep for each worker; 2 s for one of them


def test_the_others_go_on_past_a_slow_check(chaos: Path) -> None:
    texts = ["sleep 1.5\n#### 6", *["sleep 0.01\n#### 6"] * 120]
    with Pool(2) as pool:
        list(pool.judge(items(200)))
        began = time.monotonic()
        judged = list(pool.judge((str(i), problem(), t) for i, t in enumerate(texts)))
        spent = time.monotonic() - began
    assert [j.verdict.attempt_id for j in judged] == [str(i) for i in range(121)]
    assert spent < 2.3  # the one sleeps 1.5 s, meanwhile the other does all of 1.2 s


def test_slow_checks_in_a_row_among_quick_ones_are_shared(chaos: Path) -> None:
    texts = [f"#### {i % 7}" for i in range(500)]
    texts[200:220] = ["sleep 0.1\n#### 6"] * 20
    with Pool(2) as pool:
        list(pool.judge(items(200)))
        began = time.monotonic()
        judged = list(pool.judge((str(i), problem(), t) for i, t in enumerate(texts)))
        spent = time.monotonic() - began
    assert Counter(j.verdict.outcome for j in judged)["correct"] == sum(t.endswith(" 6") for t in texts)
    assert spent < 1.7  # 2 s for one worker


@pytest.mark.parametrize(
    ("module", "says"), [("raise ImportError('no such library')", "no such library"), ("import os; os._exit(3)", "3")]
)
def test_workers_that_cannot_start_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, says: str
) -> None:
    (tmp_path / "ctypes.py").write_text(module)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Pool(2) as pool, pytest.raises(UserError, match=f"ended {START_TRIES} times in a row .*{says}.*doctor") as e:
        list(pool.judge(items(10)))
    assert "\n" not in str(e.value)
    assert not children()


def test_a_reader_that_leaves_early_leaves_no_work_behind(chaos: Path) -> None:
    with Pool(1) as pool:
        first = pool.judge((str(i), problem(), "sleep 0.02\n#### 6") for i in range(1000))
        next(first)
        first.close()  # type: ignore[attr-defined]
        began = time.monotonic()
        assert [j.verdict.outcome for j in pool.judge(items(5))] == expected(5)
        assert time.monotonic() - began < 10


def test_two_readers_at_a_time_get_their_own() -> None:
    with Pool(2) as pool:
        one, two = pool.judge(items(500)), pool.judge(items(300))
        both = [(next(one).verdict, next(two).verdict) for _ in range(300)]
        rest = [j.verdict for j in one]
    assert [v.outcome for v, _ in both] + [v.outcome for v in rest] == expected(500)
    assert [v.outcome for _, v in both] == expected(300)


def test_a_source_that_fails_says_so_and_the_pool_goes_on() -> None:
    def failing() -> Iterator[tuple[str, Problem, str]]:
        yield from items(100)
        raise KeyError("the source is broken")

    with Pool(2) as pool:
        with pytest.raises(KeyError, match="broken"):
            list(pool.judge(failing()))
        assert [j.verdict.outcome for j in pool.judge(items(20))] == expected(20)
