"""Judges a plan by carrying it out: every action must be applicable and the goal must hold at the end.

The task is PDDL (`_pddl`: STRIPS, typing, constants, negative preconditions); one it does not understand is
`unverified`. A plan is a proof, so nothing is left to luck; how short it is does not matter. Nothing is searched for.
"""

from collections.abc import Sequence
from functools import lru_cache

from data import gold
from data.domains import blocksworld
from data.records import Outcome, Problem, StepVerdict, Verdict
from verifiers import _pddl
from verifiers._pictures import picture
from verifiers._plan_text import EMPTY, extract
from verifiers._sexpr import Unreadable
from verifiers._strips import Atom, Task, carry_out, unmet

VERSION = 1
REMEMBERED = 64  # tasks a process keeps parsed; the attempts at a problem come together
SHOWN = 3  # goal atoms that a reason names
MAX_SHOWN = 60  # characters of an action, an atom or a line in a reason
MAX_REASON = 300  # characters


def verify(problem: Problem, completion: str) -> Verdict:
    """`incorrect` names the failing step and its unmet precondition, or what the goal lacks. Never raises."""
    found = extract(completion)
    if found.actions is None:
        return _verdict("no_answer", found.reason)
    answer = " ".join(f"({' '.join(action)})" for action in found.actions) or EMPTY
    try:
        task, _ = _known(problem.gold)
    except ValueError as e:
        return _verdict("unverified", f"the problem's gold cannot be read: {e}", answer)
    ran = carry_out(task, found.actions)
    if ran.fault:
        step = _short(" ".join(found.actions[ran.done]))
        return _verdict("incorrect", f"step {ran.done + 1} `{step}`: {ran.fault}", answer)
    if lacking := unmet(task.goal, ran.state):
        more = f", and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
        named = ", ".join(map(_short, lacking[:SHOWN]))
        return _verdict("incorrect", f"the goal is not reached: {named}{more}", answer)
    return _verdict("correct", f"the goal is reached; actions: {ran.done}", answer)


def check_steps(problem: Problem, text: str) -> list[StepVerdict]:
    """Lines before the plan, where the gold has the rule `stacks`, then actions: correct while applicable.

    What comes after the failing action, lines that show it included, is left out. Empty without a plan or a task.
    """
    found = extract(text)
    if found.actions is None:
        return []
    try:
        task, rule = _known(problem.gold)
    except ValueError:
        return []
    shown: list[str] = []

    def see(state: set[Atom]) -> None:
        if rule.kind == "stacks" and (text := picture(state)) is not None:
            shown.append(text)

    ran = carry_out(task, found.actions, see)
    faults = (
        [("stacks", fault) for fault in _lines(found.before, shown, not ran.fault)] if rule.kind == "stacks" else []
    )
    faults += [("plan", "")] * ran.done + ([("plan", ran.fault[:MAX_REASON])] if ran.fault else [])
    return [
        StepVerdict(index, "incorrect" if fault else "correct", kind, fault)
        for index, (kind, fault) in enumerate(faults)
    ]


def _lines(lines: Sequence[str], shown: Sequence[str], whole: bool) -> list[str]:
    """What is wrong with each line before the plan ("": nothing), up to the first beyond what the plan shows.

    That one is wrong where the whole plan was carried out.
    """
    faults = [
        "" if " ".join(line.split()) == text else f"{_short(line)} should be {_short(text)}"
        for line, text in zip(lines, shown, strict=False)
    ]
    return [*faults, "a line too many"] if whole and len(lines) > len(shown) else faults


@lru_cache(REMEMBERED)
def _known(text: str) -> tuple[Task, gold.StepRule]:
    """The task of a gold and its rule. Raises ValueError when there is none that is understood."""
    known = gold.load(text)
    if not isinstance(known, gold.Planning):
        raise Unreadable("it is no planning task")
    return _pddl.parse(str(known.domain), str(known.problem)), known.steps


def _verdict(outcome: Outcome, reason: str, answer: str = "") -> Verdict:
    return Verdict(outcome, reason[:MAX_REASON], answer[:2_000], "plan", VERSION)


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def _example(prompt: str) -> Problem:
    problem = blocksworld.parse(prompt)
    assert problem is not None
    return problem


_SWAP = _example("blocks: ab -> ba")
EXAMPLES: list[tuple[Problem, str, Outcome]] = [
    (_SWAP, "a b\nba\n#### plan\nunstack b a\nput-down b\npick-up a\nstack a b", "correct"),
    (_SWAP, "Plan:\n1. (UNSTACK b a)\n2. (put-down b)\n3. (pick-up a)\n4. (stack a b)", "correct"),
    (
        _SWAP,
        "Two moves.\n```\nunstack(b, a)\nput-down(b)\n\npick-up(a)\nstack(a, b) ; done\n```\nThat is it.",
        "correct",
    ),
    (_SWAP, "#### plan\npick-up a\nstack a b", "incorrect"),
    (_SWAP, "#### plan\nunstack b a\nput-down b\npick-up a", "incorrect"),
    (_SWAP, "#### plan\n()", "incorrect"),
    (_SWAP, "#### plan\n", "no_answer"),
    (_SWAP, "unstack b a\nput-down b\npick-up a\nstack a b", "no_answer"),
    (_SWAP, "#### plan\nunstack b a\nput-down b\npick-up a\nstack a b\nThe blocks are swapped.", "no_answer"),
]
