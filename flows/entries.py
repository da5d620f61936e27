"""What starts a run as a Prefect flow: one flow for each thing a person, a schedule or the command line may ask for.

Each is a few lines: parameters, what does the work, what came of it. A process of ours that died (an engine, a
training) lets Prefect try again from the last committed part; what the user has to mend fails at once, in one sentence.
Not here: forms (`forms.py`), deployments of these flows, and the work.
"""

from typing import Annotated

from prefect import flow

from flows import bootstrap as seeding
from flows import curation, evaluation, processes, reverification, starting
from flows._answers import Figures, answered
from flows.course import NO_LIMIT, Asked, Budget
from flows.forms import (
    Count,
    CurationChanges,
    Folded,
    MeasuredChanges,
    Name,
    Recipe,
    RunChanges,
    SeedChanges,
    Verifier,
    filled_in,
)
from tasks.reverify import Chosen
from tasks.settings import VerifySettings

processes.die_with_runner()


@flow(name="flywheel", flow_run_name=starting.flow_run_name, persist_result=False)
def flywheel(
    recipe: Recipe = starting.USUAL,
    run: Name = "",
    run_seed: Count = 0,
    rounds: Count = 0,
    budget: Budget = NO_LIMIT,
    promotion: Asked = "nobody",
    changes: Annotated[RunChanges | None, Folded()] = None,
) -> Figures:
    """Let a model improve itself on problems whose answers a machine can check, or go on with a run.

    Args:
        recipe: what a new run does; each is a file in flows/recipes
        run: name of the run; that of an existing run goes on with it; empty: a new one, named by recipe and date
        run_seed: seed of every random choice of a new run
        rounds: further rounds to play; 0: those that are left, of a finished run as many more as its recipe has
        budget: what this start may use up; then the run ends between two stages, and can be gone on with
        promotion: who is asked before a better model takes the place of the current one
        changes: what is to differ from the recipe in a new run; what is left empty stays as the recipe says
    """
    return answered(lambda: starting.play(recipe, run, run_seed, rounds, budget, promotion, filled_in(changes)))


@flow(name="one-round", flow_run_name=starting.flow_run_name, persist_result=False)
def one_round(run: Name, budget: Budget = NO_LIMIT, promotion: Asked = "nobody") -> Figures:
    """Play one more round of a run.

    Args:
        run: name of the run
        budget: what this start may use up; then the run ends between two stages, and can be gone on with
        promotion: who is asked before a better model takes the place of the current one
    """
    return answered(lambda: starting.play_one(run, budget, promotion))


@flow(name="bootstrap", flow_run_name=starting.flow_run_name, persist_result=False)
def bootstrap(run: Name = "", run_seed: Count = 0, changes: Annotated[SeedChanges | None, Folded()] = None) -> Figures:
    """Train a seed policy from solver-written solutions, into a folder of its run; the one that ships stays.

    Args:
        run: name of the run; that of a killed one goes on with it; empty: a new one, named by the date
        run_seed: seed of every random choice
        changes: what is to differ from the recipe of the shipped seed policy
    """
    return answered(lambda: seeding.train(run or starting.name_of("bootstrap"), run_seed, filled_in(changes)))


@flow(name="evaluate", flow_run_name=starting.flow_run_name, persist_result=False)
def evaluate(
    model: str = "seed",
    recipe: Recipe = starting.USUAL,
    run: Name = "",
    run_seed: Count = 0,
    changes: Annotated[MeasuredChanges | None, Folded()] = None,
) -> Figures:
    """Measure a model on held-out problems.

    Args:
        model: folder of a model, a hub id, or 'seed', which ships with the project
        recipe: where problems, engine and sampling come from
        run: name under which the scores are kept; empty: one made of the date
        run_seed: seed of every random choice
        changes: what is to differ from the recipe; what is left empty stays as the recipe says
    """
    return answered(
        lambda: evaluation.measure_model(
            model, recipe, run or starting.name_of("evaluate"), run_seed, filled_in(changes)
        )
    )


@flow(name="reverify", flow_run_name=starting.flow_run_name, persist_result=False)
def reverify(
    verifiers: list[Verifier] = [],  # noqa: B006 - never changed; Prefect shows it as the default
    runs: list[str] = [],  # noqa: B006
    rounds: list[int] = [],  # noqa: B006
    held_out: bool = False,
    settings: VerifySettings = VerifySettings(),  # noqa: B008 - frozen
) -> Figures:
    """Judge stored attempts again, with the verifiers as they are today; the new verdicts stand beside the old.

    Args:
        verifiers: only what these have judged; empty: all
        runs: only attempts of these runs; empty: all
        rounds: only attempts of these rounds; empty: all
        held_out: held-out samples too, and what that does to scores
        settings: worker processes and time limit of the verifiers
    """
    return answered(lambda: reverification.judge_again(Chosen(verifiers, runs, rounds, held_out), settings))


@flow(name="curate-only", flow_run_name="{run} curated again", persist_result=False)
def curate_only(run: Name, changes: Annotated[CurationChanges | None, Folded()] = None) -> Figures:
    """Choose training data again from the judged attempts of a run, by other rules; nothing of that run changes.

    Args:
        run: name of the run whose attempts are chosen from
        changes: rules of curation and bounds of the gate that are to differ from those of the run
    """
    return answered(lambda: curation.curate_again(run, filled_in(changes)))


for _entry in (flywheel, one_round, bootstrap, evaluate, reverify, curate_only):
    _entry.description = (_entry.description or "").partition("\n\nArgs:")[0]  # parameters are described in the form
