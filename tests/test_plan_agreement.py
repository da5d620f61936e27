"""The verdict on a plan is unified-planning's too: on valid, broken and truncated plans, to the failing action.

With `PLANS=1000` in the environment it judges that many of each world.
"""

import os
from itertools import product
from random import Random

import pytest

from tests.plans import WORLDS
from verifiers import _pddl
from verifiers._strips import Action, Task, carry_out, unmet

PLANS = int(os.environ.get("PLANS", "24"))  # of each world; unified-planning takes some 10 ms for one
LONGEST = 10  # actions of a walk


def every_action(task: Task) -> list[Action]:
    """All actions on objects of fitting types."""
    fitting = {kind: [o for o, kinds in task.objects.items() if kind in kinds] for kind in {*_kinds(task)}}
    return [
        (name, *objects)
        for name, schema in task.schemas.items()
        for objects in product(*(fitting[kind] for kind in schema.types))
    ]


def _kinds(task: Task) -> set[str]:
    return {kind for schema in task.schemas.values() for kind in schema.types}


def walk(task: Task, actions: list[Action], rng: Random) -> list[Action]:
    """Some applicable actions in a row."""
    plan: list[Action] = []
    for _ in range(rng.randint(1, LONGEST)):
        able = [a for a in actions if not carry_out(task, [*plan, a]).fault]
        plan += [rng.choice(able)] if able else []
    return plan


def goal_of(task: Task, plan: list[Action], rng: Random, negative: bool) -> str:
    """Some literals that hold after the plan, in PDDL."""
    state = carry_out(task, plan).state
    came, gone = sorted(state - task.init), sorted(task.init - state)
    holding = rng.sample(came, min(2, len(came))) + rng.sample(sorted(state), 1)
    lacking = [atom for atom in gone[:2] if negative]
    return " ".join([f"({' '.join(a)})" for a in holding] + [f"(not ({' '.join(a)}))" for a in lacking])


def variants(plan: list[Action], actions: list[Action], rng: Random) -> list[list[Action]]:
    """The plan, and plans near it, most of them broken."""
    at, other = rng.randrange(len(plan)), rng.randrange(len(plan))
    swapped = list(plan)
    swapped[at], swapped[other] = plan[other], plan[at]
    return [
        plan,
        plan[:at],
        plan[:at] + plan[at + 1 :],
        swapped,
        [*plan[:at], rng.choice(actions), *plan[at + 1 :]],
        [*plan[:at], rng.choice(actions), *plan[at:]],
        rng.choices(actions, k=rng.randint(1, 4)),
        [],
    ]


@pytest.mark.parametrize("name", WORLDS)
def test_agrees_with_unified_planning(name: str) -> None:
    pytest.importorskip("unified_planning")
    from unified_planning.engines import SequentialPlanValidator
    from unified_planning.engines.results import FailedValidationReason, ValidationResultStatus
    from unified_planning.io import PDDLReader
    from unified_planning.plans import ActionInstance, SequentialPlan

    rng, world, judge = Random(f"{name} {PLANS}"), WORLDS[name], SequentialPlanValidator()
    seen = {"valid": 0, "goal": 0, "step": 0}
    while sum(seen.values()) < PLANS:
        seed = rng.random()
        blank = _pddl.parse(world.domain, world.problem(Random(seed), ""))
        actions = every_action(blank)
        made = walk(blank, actions, rng)
        text = world.problem(Random(seed), goal_of(blank, made, rng, name == "lamps"))
        task, theirs = _pddl.parse(world.domain, text), PDDLReader().parse_problem_string(world.domain, text)
        known = {o.name: theirs.environment.expression_manager.ObjectExp(o) for o in theirs.all_objects}
        for plan in variants(made, actions, rng):
            steps = [ActionInstance(theirs.action(n), tuple(known[o] for o in objects)) for n, *objects in plan]
            verdict = judge.validate(theirs, SequentialPlan(steps, theirs.environment))
            ours = carry_out(task, plan)
            if ours.fault:
                seen["step"] += 1
                assert verdict.reason == FailedValidationReason.INAPPLICABLE_ACTION, (text, plan, ours)
                assert verdict.inapplicable_action is steps[ours.done], (text, plan, ours)
            elif unmet(task.goal, ours.state):
                seen["goal"] += 1
                assert verdict.reason == FailedValidationReason.UNSATISFIED_GOALS, (text, plan, ours)
            else:
                seen["valid"] += 1
                assert verdict.status == ValidationResultStatus.VALID, (text, plan, ours, verdict)
    assert min(seen.values()) >= PLANS // 10, seen
