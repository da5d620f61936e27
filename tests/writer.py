"""A writing run in small: every stage of the loop by the real tasks, one after the other, with the scripted engine.

What `flows/rounds.py` does, without Prefect, so that it can be killed and run again within seconds.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import great_expectations  # noqa: F401 (seconds, spent once in the fork server)

from data.records import Problem
from data.schemas import rows
from data.store import At, Store
from tasks import (
    audit,
    curate,
    decontaminate,
    distill,
    evaluate,
    first_model,
    gate,
    generate,
    problems,
    promote,
    propose,
)
from tasks.engines.scripted import Scripted
from tasks.first_model import ModelRef
from tasks.settings import (
    AuditSettings,
    CurateSettings,
    DecontaminateSettings,
    DistillSettings,
    EngineSettings,
    EvaluateSettings,
    GateSettings,
    GenerateSettings,
    SamplingSettings,
    VerifySettings,
)
from tasks.verify import judge_with, verify

LEVELS = {"chain_sum": [1, 2, 3], "equations": [1, 2]}
SHORT = SamplingSettings(max_tokens=300)
ENGINE = EngineSettings(name="scripted", skill=0.6)
GENERATE = GenerateSettings(problems=24, samples=4, shard=6, proposals=8, sampling=SHORT)
EVALUATE = EvaluateSettings(problems=3, samples=3, bootstrap=100, sampling=SHORT)
VERIFY = VerifySettings(workers=1, timeout_s=60)  # on a busy machine too, a verdict is not a time-out
AUDIT = AuditSettings(probes=20)
DECONTAMINATE = DecontaminateSettings()
CURATE = CurateSettings(min_examples=1)
GATE = GateSettings()
DISTILL = DistillSettings(objectives=["scripted"])
_START = multiprocessing.get_context("forkserver")
_START.set_forkserver_preload(["tests.writer"])


def engine_of(model: ModelRef) -> Callable[[], Scripted]:
    return lambda: Scripted(model.path, ENGINE)


def write_run(home: Path, run: str, seed: int, rounds: int) -> None:
    """The whole run; called again, it goes on where it was."""
    store, at = Store(home), At(run, 0, seed)
    first = first_model.resolve("scripted", ENGINE.skill, store.run_dir(run) / first_model.FIRST)
    incumbent = first_model.register(store, at, first)
    measure(store, at, incumbent)
    store.publish()
    for number in range(1, rounds + 1):
        incumbent = write_round(store, At(run, number, seed), incumbent)


def write_round(store: Store, at: At, incumbent: ModelRef) -> ModelRef:
    """One round; returns the model that the next one starts with."""
    problems.draw(store, at, LEVELS, problems.pass_rates(store, at, incumbent.id), GENERATE)
    assert audit.audit(store, at, AUDIT, VERIFY).passed
    propose.propose(store, at, incumbent.id, engine_of(incumbent), GENERATE)
    decontaminate.decontaminate(store, at, DECONTAMINATE)
    tried = decontaminate.clean(store, at, rows(store.read("problems", at.run, [at.round]), Problem))
    generate.generate(store, at, tried, incumbent.id, engine_of(incumbent), judge_with(VERIFY), GENERATE)
    verify(store, at, VERIFY)
    curated = curate.curate(store, at, CURATE)
    assert gate.gate(store, at, CURATE, GATE).passed
    datasets = {"examples": curated.dataset_id, "pairs": curated.pairs_id}
    trained = distill.distill(store, at, DISTILL, incumbent, datasets)
    measure(store, at, trained)
    decision = promote.promote(store, at, incumbent.id, trained.id)
    store.publish()
    return trained if decision.promoted else incumbent


def measure(store: Store, at: At, model: ModelRef) -> None:
    held_out = problems.held_out(LEVELS, EVALUATE.problems, EVALUATE.seed)
    evaluate.evaluate(store, at, model.id, engine_of(model), held_out, EVALUATE, VERIFY)


def write_till_renames(home: Path, most: int, run: str, seed: int, rounds: int) -> None:
    """Like `write_run`, but the process is killed right before it would commit a further part or manifest."""
    replace, done = Path.replace, 0

    def counting(self: Path, target: Path) -> Path:
        nonlocal done
        if {"lake", "manifests"} & set(Path(target).relative_to(home).parts):
            if done == most:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
        return replace(self, target)

    Path.replace = counting  # type: ignore[method-assign, assignment]
    write_run(home, run, seed, rounds)


def start(work: Callable[..., None], *given: Any) -> BaseProcess:
    """The work in a process of its own, whose imports were done before."""
    process = _START.Process(target=work, args=given)
    process.start()
    return process
