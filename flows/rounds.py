"""The flywheel: a run is rounds, a round is its stages in order.

Only when things happen. Every stage is idempotent on the ledger, so turning it again with the same run name continues
it: finished rounds stand, finished stages are read back, an unfinished one goes on from its last committed part. Not
here: what starts a run, on the command line (`flows/run.py`) or from Prefect (`flows/entries.py`).
"""

from pathlib import Path
from typing import Any

from prefect import flow

from data.records import Problem
from data.schemas import rows
from data.store import At, Store, home
from flows import artifacts, device, live, reporting, server
from flows.approval import asking
from flows.course import Course, Spent, farewell
from flows.logs import of_run
from flows.settings import FlywheelSettings
from flows.stages import stage
from flows.terminal import say
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
from tasks.finished import finished
from tasks.first_model import ModelRef
from tasks.own_problems import load_own
from tasks.serving import Serving


def turn(settings: FlywheelSettings, run: str, course: Course) -> dict[str, Any]:
    """Turn the flywheel as far as `course` goes; returns what `summary.json` holds, nothing where nothing was measured.

    Where the budget ended it, `ended_early` is a sentence that says what was used, what was reached and how to go on.
    The caller holds the run (`flows/alone.py`).
    """
    store, spent = Store(home()), ""
    with of_run(run), live.board():
        start = first_model.resolve(settings.model, settings.engine.skill, store.run_dir(run) / first_model.FIRST)
        try:
            with Serving(settings.engine, device.slot) as serving:
                incumbent = first_model.register_task(store, At(run, 0, settings.run_seed), start)
                measure(store, At(run, 0, settings.run_seed), settings, incumbent, serving, course)
                store.publish()
                done, incumbent = finished(store, run, incumbent)
                for number in range(done + 1, course.until + 1):
                    server.await_answer()  # Prefect cannot begin a sub-flow without it, and does not ask twice
                    played = play_round(settings, run, number, incumbent, start, serving, course)
                    if isinstance(played, Spent):
                        raise played
                    incumbent = played
        except Spent as e:
            spent = str(e)
        result: dict[str, Any] = {}
        if store.read("eval_samples", run).num_rows:
            result = summary.write_summary(store, run, settings.run_seed)
            summary.show(result, store.run_dir(run))
            artifacts.show_run(store, run, result)
        reporting.show(store, run)
    if spent:
        result = result | {"ended_early": farewell(spent, run, result)}
        say(result["ended_early"])
    return result


@flow(name="round", flow_run_name="{run}/{number}", validate_parameters=False)
def play_round(
    settings: FlywheelSettings,
    run: str,
    number: int,
    incumbent: ModelRef,
    base: Path,
    serving: Serving,
    course: Course,
) -> ModelRef | Spent:
    """One round; returns the model that the next one starts with, or how the budget ended it."""
    store, at = Store(home()), At(run, number, settings.run_seed)
    try:
        return _stages(store, at, settings, incumbent, base, serving, course)
    except Spent as e:
        store.publish()
        return e


def _stages(
    store: Store,
    at: At,
    settings: FlywheelSettings,
    incumbent: ModelRef,
    base: Path,
    serving: Serving,
    course: Course,
) -> ModelRef:
    run, number = at.run, at.round
    course.check(store, at, "problems")
    say(f"Round {number} of {course.until}: {incumbent.id} tries")
    own = load_own(store, run, settings.problem_files)
    levels = problems.levels_of(settings.domains, settings.levels)
    rates = problems.pass_rates(store, at, incumbent.id)
    problems.draw_task(store, at, levels, rates, settings.generate, own)
    with stage(store, at, "audit", course) as progress:  # nothing was generated yet
        audited = audit.audit_task(store, at, settings.audit, settings.verify, progress)
    if not audited.passed:
        return refuse(store, at, incumbent, audited.why)
    if settings.generate.proposals:
        with stage(store, at, "propose", course) as progress:
            propose.propose_task(store, at, incumbent.id, serving.of(incumbent.path), settings.generate, progress)
    compared = decontaminate.decontaminate_task(store, at, settings.decontaminate, own)
    if compared.remark:
        say(compared.remark)
    tried = rows(store.read("problems", run, [number]), Problem)
    if settings.curate.rules.contaminated:  # nothing is spent on what cannot be used
        tried = decontaminate.clean(store, at, tried)
    with stage(store, at, "generate", course) as progress:
        engine, judge = serving.of(incumbent.path), verify.judge_with(settings.verify)
        generate.generate_task(store, at, tried, incumbent.id, engine, judge, settings.generate, progress)
    with stage(store, at, "verify", course) as progress:
        verify.verify_task(store, at, settings.verify, progress)
    with stage(store, at, "curate", course):
        curated = curate.curate_task(store, at, settings.curate)
        report = gate.gate_task(store, at, settings.curate, settings.gate)
    if report.remark:
        say(report.remark)
    if not report.passed:
        return refuse(store, at, incumbent, report.why)
    with stage(store, at, "distill", course) as progress, serving.training():
        parent = incumbent if settings.distill.start_from == "incumbent" else ModelRef("base", base)
        trained = distill.distill_task(store, at, settings.distill, parent, curated, progress)
    measure(store, at, settings, trained, serving, course)
    ask = asking(store, at, course, incumbent.id, trained.id, serving)
    decision = promote.promote_task(store, at, incumbent.id, trained.id, ask)
    end(store, at)
    return trained if decision.promoted else incumbent


def refuse(store: Store, at: At, incumbent: ModelRef, why: str) -> ModelRef:
    """End a round that trains nothing; returns the incumbent, which the next one starts with."""
    promote.refuse_task(store, at, incumbent.id, why)
    end(store, at)
    return incumbent


def end(store: Store, at: At) -> None:
    """Publish a finished round and show it."""
    store.publish()
    summary.show_round(store, at)
    artifacts.show_round(store, at)
    reporting.report(store, at.run)


def measure(
    store: Store,
    at: At,
    settings: FlywheelSettings,
    model: ModelRef,
    serving: Serving,
    course: Course | None = None,
) -> None:
    """Evaluate a model on the held-out problems of this run."""
    own = load_own(store, at.run, settings.problem_files)
    levels = problems.levels_of(settings.domains, settings.levels)
    held_out = problems.held_out(levels, settings.evaluate.problems, settings.evaluate.seed, own)
    with stage(store, at, f"evaluate {model.id}", course) as progress:
        engine = serving.of(model.path)
        evaluate.evaluate_task(store, at, model.id, engine, held_out, settings.evaluate, settings.verify, progress)
