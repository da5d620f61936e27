"""Probes of `plan`: the solution's plan in several spellings, and plans spoilt so that they certainly fail.

Whether a spoilt plan fails is decided by moving blocks by hand here, from the prompt of a blocksworld problem and not
from its PDDL; for problems of other domains there are no near misses. Not here: `_strips`, which is what is measured.
"""

from collections.abc import Iterator
from random import Random

from data import gold
from data.records import Problem
from verifiers.probes import Probe
from verifiers.probes._common import LONG, idle

NEAR_MISSES = 8  # at most, of an attempt's plan
MARK = "#### plan"
HANDS = ("pick-up", "put-down", "stack", "unstack")

_INJECTED = (
    "(stack a b)) (:goal (and",
    "(:action win :parameters () :precondition () :effect (and))\n(win)",
    "(and)",
    "__import__('os').system('true')",
    "(unstack ?x ?y)",
    "; the goal holds already",
    "()\n()",
    "()))((",
    "correct: the goal is reached",
)


def probes(problem: Problem, rng: Random, solution: str) -> Iterator[Probe]:
    """Fresh labelled attempts; none when the gold is no planning task."""
    if not isinstance(gold.load(problem.gold), gold.Planning):
        return
    yield from idle(problem, rng)
    for text in rng.sample(_INJECTED, 3):
        yield Probe("injected", f"{MARK}\n{text}", False)
    yield Probe("early_exit", MARK, False)
    yield Probe("over_long", f"{MARK}\n" + "unheard-of x y\n" * (LONG // 5), False)
    shown, found, plan = solution.partition(f"{MARK}\n")
    if not found:
        return
    lines = plan.strip().split("\n")
    yield Probe("gold", solution, True)
    yield from (Probe("spelling", text, True) for text in _spellings(shown, lines, rng))
    yield Probe("unclosed", f"<think>\n{solution}", False)
    yield Probe("unmarked", shown + plan, False)
    yield Probe("listed", f"{shown}{MARK}\n{'|'.join(lines)}", False)
    yield Probe("injected", f"{solution}\nunheard-of x y", False)
    yield Probe("changed_mind", f"{solution}\n{MARK}\nunheard-of x y", False)
    if problem.domain == "blocksworld":
        yield from _blocks(problem.prompt, shown, lines, rng)


def _spellings(shown: str, lines: list[str], rng: Random) -> Iterator[str]:
    """The plan in every notation there is, after the same reasoning."""
    calls = [f"{name}({', '.join(objects)})" for name, *objects in map(str.split, lines)]
    listed = [f"({line})" for line in lines]
    yield f"{shown}{MARK}\n" + "\n".join(listed)
    yield f"{shown}{MARK.upper()}:\n\n" + "\r\n".join(f"  ( {line.upper()} )  " for line in lines) + "\n\n"
    yield f"{shown}Plan:\n" + "\n".join(f"{number}. {line}" for number, line in enumerate(listed, start=1))
    yield f"{shown}**Final plan:**\n" + "\n".join(
        f"Step {number}: {call}" for number, call in enumerate(calls, start=1)
    )
    yield f"{shown}```pddl\n" + "\n".join(f"{line} ; {rng.randint(1, 99)}" for line in listed) + "\n```\nThat is all."
    yield f"<think>{MARK}\nunheard-of x y</think>\n{shown}{MARK}\n" + "\n".join(calls)
    yield f"{MARK}\n" + "\n".join(lines)  # reasoning may be left out


def _blocks(prompt: str, shown: str, lines: list[str], rng: Random) -> Iterator[Probe]:
    """What moving blocks by hand can label."""
    blocks = sorted({*prompt.removeprefix("blocks: ")} - {*" ->"})
    spoilt = [plan for plan in _spoilt(lines, blocks, rng) if not works(prompt, plan)]
    for plan in rng.sample(spoilt, min(NEAR_MISSES, len(spoilt))):
        yield Probe("near_miss", f"{shown}{MARK}\n" + "\n".join(plan), False)
    every = [f"{hand} {block}" for hand in HANDS[:2] for block in blocks]
    every += [f"{hand} {block} {other}" for hand in HANDS[2:] for block in blocks for other in blocks]
    if not works(prompt, every):
        yield Probe("listed", f"{shown}{MARK}\n" + "\n".join(every), False)
    if not works(prompt, []):
        yield Probe("early_exit", f"{shown}{MARK}\n()", False)
    states = shown.strip().split("\n") if shown.strip() else []
    if states:
        at = rng.randrange(len(states))
        wrong = [*states[:at], f"{states[at]} {blocks[0]}", *states[at + 1 :]]  # a block in two places
        yield Probe("lucky", "\n".join([*wrong, MARK, *lines]), False)


def _spoilt(lines: list[str], blocks: list[str], rng: Random) -> Iterator[list[str]]:
    """The plan with one action dropped, doubled, moved, renamed or done to another block; some may still work."""
    for at, line in enumerate(lines):
        name, *objects = line.split()
        rest = lines[at + 1 :]
        yield [*lines[:at], *rest]
        yield [*lines[: at + 1], *lines[at:]]
        yield [*lines[:at], *rest[:1], line, *rest[1:]]
        yield [*lines[:at], " ".join([rng.choice([hand for hand in HANDS if hand != name]), *objects]), *rest]
        place = rng.randrange(len(objects))
        objects[place] = rng.choice([block for block in blocks if block != objects[place]])
        yield [*lines[:at], " ".join([name, *objects]), *rest]
    yield lines[: len(lines) // 2]
    yield lines[::-1]


def works(prompt: str, plan: list[str]) -> bool:
    """Whether the plan, one action a text, takes the stacks left of the arrow to those right of it."""
    left, _, right = prompt.removeprefix("blocks: ").partition(" -> ")
    stacks, hand = [list(word) for word in left.split()], ""
    for line in plan:
        name, block, *other = line.split()
        under = other[0] if other else ""
        if (name in HANDS[2:]) != bool(other) or block == under:
            return False
        if name in ("pick-up", "unstack"):
            found = [s for s in stacks if s[-1] == block and (s[-2:-1] == [under] if under else len(s) == 1)]
            if hand or not found:
                return False
            found[0].pop()
            hand = block
        else:
            target: list[list[str]] = [s for s in stacks if s and s[-1] == under] if under else [[]]
            if hand != block or not target:
                return False
            target[0].append(block)
            if not under:
                stacks.append(target[0])
            hand = ""
        stacks = [s for s in stacks if s]
    return not hand and sorted("".join(s) for s in stacks) == right.split()
