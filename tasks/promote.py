"""The decision that ends a round: does the challenger replace the incumbent? A test on paired held-out samples.

The challenger wins when all three hold, on the same problems with the same request seeds:
    1. its mean pass@1 is higher,
    2. the 95 % interval of the paired difference does not reach below zero,
    3. pass@k at the largest k has not fallen: the 95 % interval of its paired difference is not wholly below zero.
A person who is asked may keep the incumbent though the challenger passes, never promote one that does not.
Not here: what a passing challenger is used for, how a person is asked.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from data.errors import UserError
from data.ids import content_id, derived_seed
from data.records import RoundResult
from data.store import At, Stage, Store
from tasks.curriculum import Key
from tasks.evaluate import samples_of
from tasks.finished import STAGES, stages
from tasks.scores import Measured, measured
from tasks.statistics import Interval, bootstrap, paired

VERSION = 1
RESAMPLES = 4000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said to a promotion; `words` become part of the reason in the ledger, empty where nobody spoke."""

    promote: bool
    words: str = ""
    waited_s: float = 0.0  # from question to answer


Ask = Callable[[str], Answer]  # why it would be promoted -> the answer


def nobody(why: str) -> Answer:
    """Ask nobody."""
    return Answer(True)


def promote(
    store: Store, at: At, incumbent_id: str, challenger_id: str, ask: Ask = nobody, resamples: int = RESAMPLES
) -> RoundResult:
    """Stage `promote`: compares two evaluated models of this run and writes `rounds`.

    `ask` is called when the challenger passes and nothing is committed yet: a committed decision is asked for once.
    Raises UserError when the two were not measured on a common problem.
    """
    inputs = store.inputs(at.run, range(at.round + 1), ("eval_samples", "verdicts", "decisions"))
    fingerprint = content_id("promote", VERSION, incumbent_id, challenger_id, resamples, inputs)
    stage = store.stage(at, "promote", fingerprint)
    if stage.done:
        return RoundResult(**stage.meta["result"])
    before = measured(samples_of(store, at.run, incumbent_id))
    after = measured(samples_of(store, at.run, challenger_id))
    seed = derived_seed("promote", at.seed, at.round)
    gain = difference(before, after, "pass@k", 1, resamples, seed)
    k = min(before.largest_k, after.largest_k)
    gain_k = difference(before, after, "pass@k", k, resamples, seed)
    promoted, why = judge(gain, gain_k, k)
    answer = Answer(False)
    if promoted:
        answer = ask(why)
        promoted, why = answered(answer, why)
        stage = store.stage(at, "promote", fingerprint)  # its seconds are work, not waiting
    result = RoundResult(
        incumbent_id,
        challenger_id,
        promoted,
        why,
        mean(before, "pass@k", 1),
        mean(after, "pass@k", 1),
        gain.low,
        gain.high,
        **_counts(store, at),
    )
    return _decided(store, at, stage, result, waited_seconds=round(answer.waited_s, 3))


def answered(answer: Answer, why: str) -> tuple[bool, str]:
    """The decision on a challenger that passed, and the sentence that says so: the test's, with what a person said."""
    if not answer.promote:
        return False, f"not promoted: {answer.words} (the test had {why})"
    return True, f"{why}; {answer.words}" if answer.words else why


def refuse(store: Store, at: At, incumbent_id: str, why: str) -> RoundResult:
    """Stage `promote` of a round that trained nothing: the incumbent stays, the gain is zero, `why` says the cause."""
    stage = store.stage(at, "promote", content_id("refuse", VERSION, incumbent_id, why))
    if stage.done:
        return RoundResult(**stage.meta["result"])
    pass1 = mean(measured(samples_of(store, at.run, incumbent_id)), "pass@k", 1)
    why = f"not promoted: nothing was trained, because {why}"
    result = RoundResult(incumbent_id, "", False, why, pass1, pass1, 0.0, 0.0, **_counts(store, at))
    return _decided(store, at, stage, result)


def judge(gain: Interval, gain_k: Interval, k: int) -> tuple[bool, str]:
    """The rule, and a sentence that says how it was decided; differences are shown in points."""
    shown = f"pass@1 {_points(gain)}, pass@{k} {_points(gain_k)}"
    if np.isnan(gain.value):
        return False, "not promoted: no held-out problem was verified for both models"
    if gain.value <= 0:
        return False, f"not promoted: it is not better on average ({shown})"
    if gain.low < 0:
        return False, f"not promoted: the 95 % interval of the gain does not exclude a loss ({shown})"
    if gain_k.high < 0:
        return False, f"not promoted: it solves fewer problems at all, pass@{k} has fallen ({shown})"
    return True, f"promoted: better with 95 % confidence, and pass@{k} has not fallen ({shown})"


def difference(
    before: Measured, after: Measured, metric: str, k: int, resamples: int, seed: int, among: set[Key] | None = None
) -> Interval:
    """Paired difference of a metric on the problems both were measured on, `among` these strata (default: all)."""
    strata = dict(zip(before.problems, before.strata, strict=True))
    old, new = before.column(metric, k), after.column(metric, k)
    shared = sorted(p for p in old.keys() & new.keys() if among is None or strata[p] in among)
    if not shared:
        raise UserError("the two models were not measured on a common held-out problem: evaluate both in this run")
    first, second = (np.array([column[p] for p in shared]) for column in (old, new))
    return paired(first, second, [strata[p] for p in shared], resamples, seed)


def mean(table: Measured, metric: str, k: int, among: set[Key] | None = None) -> float:
    """Mean over levels of a metric, `among` these strata (default: all); NaN without samples."""
    if (metric, k) not in table.metrics:
        return float("nan")
    strata = None if among is None else list(among)
    return bootstrap(table.values, table.strata, 1, 0).interval(table.metrics.index((metric, k)), strata).value


def _decided(store: Store, at: At, stage: Stage, result: RoundResult, **meta: float) -> RoundResult:
    """Commit the decision, with the names of the stages that it stands on."""
    before = [name for name in stages(store, at.run, at.round) if name != "promote"]
    stage.write("rounds", "all", [result])
    stage.commit({"result": asdict(result), STAGES: before, **meta})
    return result


def _points(i: Interval) -> str:
    return f"{100 * i.value:+.1f} [{100 * i.low:+.1f}, {100 * i.high:+.1f}] points"


def _counts(store: Store, at: At) -> dict[str, int]:
    outcomes = store.read("verdicts", at.run, [at.round])["outcome"].to_pylist()
    kept = store.read("decisions", at.run, [at.round])["kept"].to_pylist()
    return {
        "generated": len(store.read("attempts", at.run, [at.round])),
        "correct": outcomes.count("correct"),
        "kept": sum(kept),
    }


promote_task = task(name="promote", cache_policy=NO_CACHE)(promote)
refuse_task = task(name="promote", cache_policy=NO_CACHE)(refuse)
