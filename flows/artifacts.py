"""What Prefect's UI shows of a run beside its states: how far a stage is, and of each round its table, its quality gate
and pictures; of the run a summary with what to do next.

All of it belongs to the flow run that somebody started. Nothing of it is needed later: it is made from the ledger, and
a run without Prefect's UI misses nothing. Not here: how it is sent (`live.py`), terminals, files.
"""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pyarrow as pa

from data.records import Check, RoundResult
from data.schemas import rows
from data.store import At, Store
from flows import live
from flows.live import Look, Shown
from flows.pace import Pace, clock
from flows.prose import code, plain, table
from tasks import pictures, summary

MOST = 200  # rows of a table
PICTURE_S = 15.0  # between two pictures of a training


@contextmanager
def show_stage(store: Store, at: At, name: str, pace: Pace) -> Iterator[None]:
    """A progress bar of one stage, kept up to date while the block runs; of a training also its loss, as a picture."""
    loss = live.key(at.run, "round", at.round, "loss")
    with live.board() as board, show_work(live.key(at.run, "round", at.round, name), f"{name}, round {at.round}", pace):
        if board and name == "distill":
            board.show(loss, _losses_now(store, at), again=True)
        try:
            yield
        finally:
            if board:
                board.forget(loss)


@contextmanager
def show_work(key: str, what: str, pace: Pace) -> Iterator[None]:
    """A progress bar of a piece of work, kept up to date while the block runs."""
    with live.board() as board:
        if board is None:
            yield
            return
        board.show(key, lambda: _progress(what, pace), again=True)
        try:
            yield
        except BaseException:
            said = f"{what}: stopped at {clock(time.time(), time.time())} · {pace.words}".removesuffix(" · ")
            stopped = Shown("progress", said, pace.percent)
            board.show(key, lambda: stopped)
            raise
        else:
            done = Shown("progress", f"{what}: {pace.words or 'done'} · took {pace.seconds:.1f} s", 100.0)
            board.show(key, lambda: done)


def show_rows(key: str, says: str, found: pa.Table) -> None:
    """A table, of at most `MOST` rows."""
    with live.board() as board:
        if board is not None:
            text = json.dumps(found.slice(0, MOST).to_pylist(), ensure_ascii=False, default=str)
            board.show(key, lambda: Shown("table", says, text))


def show_round(store: Store, at: At) -> None:
    """The artifacts of a finished round: its table, the quality gate, and the pictures of the run so far."""
    with live.board() as board:
        if board is None:
            return
        for result in rows(store.read("rounds", at.run, [at.round]), RoundResult):
            board.show(live.key(at.run, "round", at.round), partial(_round, store, at, result))
        board.show(live.key(at.run, "round", at.round, "quality"), partial(_quality, store, at))
        loss = f"Training loss of round {at.round}"
        board.show(live.key(at.run, "round", at.round, "loss"), _picture(loss, partial(pictures.losses, store, at)))
        for name, says in PICTURES.items():
            board.show(live.key(at.run, name), _picture(says, partial(pictures.of_run, store, at.run, name)))


def show_run(store: Store, run: str, result: dict[str, Any]) -> None:
    """The summary of a run that has ended; `result` is what `summary.json` holds."""
    with live.board() as board:
        if board is not None:
            board.show(live.key(run, "summary"), lambda: Shown("markdown", f"Run {run}", summary_text(result)))


PICTURES = {
    "accuracy": "Held-out pass@1 per round with 95 % intervals",
    "frontier": "Held-out pass@1 by level: the first model and the last one that was promoted",
    "pass_at_k": "Held-out pass@k of the first model and of the last one that was promoted",
}


def summary_text(result: dict[str, Any]) -> str:
    """The end of a run as Markdown: what was gained, whether it is real, what each round decided, what to do next."""
    low, high = result["interval"]
    k, (first, last) = list(result["pass_k"].items())[-1]
    models = [
        ["", "pass@1", f"pass@{k}"],
        ["first model", f"{100 * result['seed_pass1']:.1f} %", f"{100 * first:.1f} %"],
        ["last promoted", f"{100 * result['final_pass1']:.1f} %", f"{100 * last:.1f} %"],
    ]
    rounds = [f"{i}. {plain(why)}" for i, why in enumerate(result["why"], 1)]
    return "\n\n".join(
        [
            f"# {result['gain_points']:+.1f} points of pass@1",
            f"{_real(low, high)} The 95 % interval, paired over held-out problems of the middle and hard levels, is "
            f"{low:+.1f} to {high:+.1f} points. Largest loss on a mastered level: "
            f"{result['mastered_loss_points']:.1f} points.",
            table(models),
            f"{result['promoted']} of {result['rounds']} rounds promoted, {result['seconds']:,.0f} s:",
            "\n".join(rounds) or "No round was played yet.",
            "## Next",
            code(_next(result)),
        ]
    )


def _real(low: float, high: float) -> str:
    if low > 0:
        return "**More than chance**: the interval lies above zero."
    return "**A loss**: the interval lies below zero." if high < 0 else "**Not proven**: the interval contains zero."


def _next(result: dict[str, Any]) -> str:
    run = result["run"]
    steps = [
        (f"flywheel report {run}", "its page: where it lies"),
        (f"flywheel status {run}", "its stages, seconds and tokens"),
        (f"flywheel tour {run}", "ten questions about it, answered by SQL"),
        (f"flywheel quality {run}", "what the quality gate found"),
        (f"flywheel export {run} --to hf", "the verified traces as a dataset"),
        (f"flywheel models {run}", "its models, their data and scores"),
    ]
    wide = max(len(command) for command, _ in steps)
    return "\n".join(f"{command:<{wide}}  # {why}" for command, why in steps)


def _progress(what: str, pace: Pace) -> Shown:
    since = f"since {clock(pace.began, time.time())}"
    return Shown("progress", f"{what}: {pace.words or since}", round(pace.percent, 1))


def _losses_now(store: Store, at: At) -> Look:
    drawn, last = None, 0.0

    def look() -> Shown | None:
        nonlocal drawn, last
        if time.monotonic() - last >= PICTURE_S:
            last = time.monotonic()
            drawn = _picture(f"Training loss of round {at.round}, so far", partial(pictures.losses_now, store, at))()
        return drawn

    return look


def _picture(says: str, draw: Callable[[], bytes | None]) -> Look:
    def look() -> Shown | None:
        png = draw()
        return Shown("image", says, f"data:image/png;base64,{b64encode(png).decode()}") if png else None

    return look


def _round(store: Store, at: At, result: RoundResult) -> Shown:
    """The table of a round as the terminal shows it; of one that trained nothing, the incumbent alone."""
    header, *cells = summary.round_table(store, at, result.incumbent_id, result.challenger_id or result.incumbent_id)
    counts = f"{result.generated:,} attempts, {result.correct:,} correct, {result.kept:,} kept"
    says = f"Round {at.round}: {plain(result.why)}. {counts}"
    return Shown("table", says, json.dumps([dict(zip(header, row, strict=True)) for row in cells], ensure_ascii=False))


def _quality(store: Store, at: At) -> Shown | None:
    """What the gate found, broken expectations first; None for a round that was not gated."""
    checks = rows(store.read("checks", at.run, [at.round]), Check)
    if not checks:
        return None
    broken = sorted((c for c in checks if not c.success), key=lambda c: c.severity)
    failed = sum(c.severity == "critical" for c in broken)
    says = f"Quality gate of round {at.round}: {'failed' if failed else 'passed'}"
    signs = {"critical": "✗ failed", "warning": "! warning"}
    found = [["", "relation", "expectation", "found"]]
    found += [[signs[c.severity], *map(plain, (c.relation, c.expectation, c.observed))] for c in broken]
    text = (
        f"# {says}\n\n{len(checks)} expectations, {failed} critical ones failed, {len(broken) - failed} warnings.\n\n"
    )
    text += table(found) + "\n\n" if broken else ""
    return Shown("markdown", says, text + code(f"flywheel quality {at.run} --round {at.round}"))
