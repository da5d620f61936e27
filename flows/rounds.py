"""The flywheel as Prefect flows: a run is rounds, a round is its stages in order.

Only when things happen. Every stage is idempotent on the ledger, so running a flow again with the same run name
continues it: finished stages are read back, an unfinished one goes on from its last committed part.
"""

from pathlib import Path
from typing import Any

from prefect import flow

from data.records import Problem
from data.schemas import rows
from data.store import At, Store, home
from flows.settings import FlywheelSettings
from flows.terminal import say, watch
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
    summary,
    verify,
)
from tasks.first_model import ModelRef
from tasks.own_problems import load_own
from tasks.serving import Serving


@flow(name="flywheel", flow_run_name="{run}")
def flywheel(settings: FlywheelSettings, run: str) -> dict[str, Any]:
    """Turn the flywheel for `settings.rounds` rounds; returns what `summary.json` holds."""
    store = Store(home())
    start = first_model.resolve(settings.model, settings.engine.skill, store.run_dir(run) / first_model.FIRST)
    with Serving(settings.engine) as serving:
        incumbent = first_model.register_task(store, At(run, 0, settings.run_seed), start)
        measure(store, At(run, 0, settings.run_seed), settings, incumbent, serving)
        store.publish()
        for number in range(1, settings.rounds + 1):
            incumbent = play_round(settings, run, number, incumbent, start, serving)
    result = summary.write_summary(store, run, settings.run_seed)
    summary.show(result, store.run_dir(run))
    return result


@flow(name="round", flow_run_name="{run}/{number}", validate_parameters=False)
def play_round(
    settings: FlywheelSettings, run: str, number: int, incumbent: ModelRef, base: Path, serving: Serving
) -> ModelRef:
    """One round; returns the model that the next one starts with."""
    store, at = Store(home()), At(run, number, settings.run_seed)
    say(f"Round {number} of {settings.rounds}: {incumbent.id} tries")
    own = load_own(store, run, settings.problem_files)
    levels = problems.levels_of(settings.domains, settings.levels)
    rates = problems.pass_rates(store, at, incumbent.id)
    problems.draw_task(store, at, levels, rates, settings.generate, own)
    with watch("audit") as progress:  # as soon as it is known which verifiers will judge: nothing was generated yet
        audited = audit.audit_task(store, at, settings.audit, settings.verify, progress)
    if not audited.passed:
        return refuse(store, at, incumbent, audited.why)
    if settings.generate.proposals:
        with watch("propose") as progress:
            propose.propose_task(store, at, incumbent.id, serving.of(incumbent.path), settings.generate, progress)
    compared = decontaminate.decontaminate_task(store, at, settings.decontaminate, own)
    if compared.remark:
        say(compared.remark)
    tried = rows(store.read("problems", run, [number]), Problem)
    if settings.curate.rules.contaminated:  # nothing is spent on what cannot be used
        tried = decontaminate.clean(store, at, tried)
    with watch("generate") as progress:
        engine, judge = serving.of(incumbent.path), verify.judge_with(settings.verify)
        generate.generate_task(store, at, tried, incumbent.id, engine, judge, settings.generate, progress)
    with watch("verify") as progress:
        verify.verify_task(store, at, settings.verify, progress)
    curated = curate.curate_task(store, at, settings.curate)
    report = gate.gate_task(store, at, settings.curate, settings.gate)
    if report.remark:
        say(report.remark)
    if not report.passed:
        return refuse(store, at, incumbent, report.why)
    serving.make_room()
    with watch("distill") as progress:
        parent = incumbent if settings.distill.start_from == "incumbent" else ModelRef("base", base)
        trained = distill.distill_task(store, at, settings.distill, parent, curated, progress)
    measure(store, at, settings, trained, serving)
    decision = promote.promote_task(store, at, incumbent.id, trained.id)
    store.publish()
    summary.show_round(store, at)
    return trained if decision.promoted else incumbent


def refuse(store: Store, at: At, incumbent: ModelRef, why: str) -> ModelRef:
    """End a round that trains nothing; returns the incumbent, which the next one starts with."""
    promote.refuse_task(store, at, incumbent.id, why)
    store.publish()
    summary.show_round(store, at)
    return incumbent


def measure(store: Store, at: At, settings: FlywheelSettings, model: ModelRef, serving: Serving) -> None:
    """Evaluate a model on the held-out problems of this run."""
    own = load_own(store, at.run, settings.problem_files)
    levels = problems.levels_of(settings.domains, settings.levels)
    held_out = problems.held_out(levels, settings.evaluate.problems, settings.evaluate.seed, own)
    with watch(f"evaluate {model.id}") as progress:
        engine = serving.of(model.path)
        evaluate.evaluate_task(store, at, model.id, engine, held_out, settings.evaluate, settings.verify, progress)
