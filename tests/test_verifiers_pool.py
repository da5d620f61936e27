"""The pool: order, time-outs, killed workers, back-pressure; one lost check costs one `unverified` verdict."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from data import gold
from data.records import Problem
from verifiers._pool import Pool


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


def test_a_hung_check_is_killed_in_time_and_the_rest_are_judged() -> None:
    same = ("(x^2+2*x*y+y^2+z+w)^{150}", "((x+y)^2+z+w)^{150}")  # the algebra of it takes minutes
    slow = Problem("h", "d", 1, "?", gold.dump(gold.Answer(same[0])), "symbolic", "test", "train")
    batch = [("a", problem(), "#### 6"), ("b", slow, f"#### {same[1]}"), ("c", problem(), "#### 6")]
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
        assert taken["items"] < 2_000
        judged.close()  # type: ignore[attr-defined]
    assert not children()


def test_progress_ends_at_the_total() -> None:
    seen: list[int] = []
    with Pool(1) as pool:
        list(pool.judge(items(300), progress=lambda done, total, text: seen.append(done)))
    assert seen == sorted(seen) and seen[-1] == 300
