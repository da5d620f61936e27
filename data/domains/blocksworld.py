"""Blocks to be rearranged: `blocks: ac b -> bca` asks for a plan in the four actions of the classic blocks world.

Each word is a stack, bottom to top. A trace shows the stacks after each move, so each line can be checked, and then the
plan, two actions for a move. Level = moves of a shortest plan; 3 to 9 blocks, about as many as the level. A problem and
its renamings are in the same split: what is held out is a structure, not a choice of letters.
"""

import re
from collections.abc import Iterator
from random import Random

from data.domains import _stacks
from data.domains._fresh import build, distinct
from data.domains._stacks import State
from data.gold import Planning, StepRule
from data.records import Problem

VERIFIER = "plan"
BANDS = {"easy": (1, 2), "middle": (3, 5), "hard": (6, 8)}
MAX_BLOCKS = 9
WALKED = 4  # up to this level goals are some moves away from the start; above, any arrangement
ALONE = 0.35  # how often a block of a random arrangement begins a stack of its own
INSTRUCTION = (
    "Rearrange the blocks. Each word is a stack, bottom to top: left of the arrow what stands, right of it what is "
    "wanted. First write the stacks after each move, one line per move, in the same notation with the words in "
    "alphabetical order. Then write a line `#### plan` and below it one action per line, two for a move: `unstack x y` "
    "(take x off y) or `pick-up x` (from the table), then `stack x y` (put x onto y) or `put-down x` (onto the table)."
)
EXAMPLES = ["blocks: ac b -> bca", "blocks: a b c -> cba", "blocks: abcd e -> adbec"]

_PROMPT = re.compile(r"blocks: ([a-z ]{2,40}) -> ([a-z ]{2,40})")


def _states(text: str) -> tuple[State, State] | None:
    """Start and goal; None unless both are written as they should be and have the same blocks, in other places."""
    match = _PROMPT.fullmatch(text)
    start, goal = (_stacks.read(match[1]), _stacks.read(match[2])) if match else (None, None)
    if not start or not goal or start == goal or sorted("".join(start)) != sorted("".join(goal)):
        return None
    return (start, goal) if len("".join(start)) <= MAX_BLOCKS else None


def _structure(start: State, goal: State) -> str:
    """A text that is the same for all renamings of the blocks: where each block is at first and in the end."""
    places = [{block: (at, len(stack)) for stack in state for at, block in enumerate(stack)} for state in (start, goal)]
    return str(sorted((places[0][block], places[1][block]) for block in places[0]))


def parse(text: str, source: str = "text") -> Problem | None:
    """The problem in `text`; None unless it parses whole, in its one spelling, and something is to be done."""
    states = _states(text)
    if states is None:
        return None
    gold = Planning(_stacks.PDDL_DOMAIN, _stacks.pddl_problem(*states), StepRule("stacks"))
    level = len(_stacks.shortest(*states))
    return build("blocksworld", level, text, gold, VERIFIER, source, key=_structure(*states))


def problems(split: str, seed: int, level: int) -> Iterator[Problem]:
    """Fresh problems of one level; levels 1 and 2 have some hundreds in all, there are none far above 12."""

    def draw(rng: Random) -> str:
        blocks = rng.randint(min(MAX_BLOCKS, max(3, (2 * level + 3) // 3)), min(MAX_BLOCKS, max(5, level)))
        start = _random(blocks, rng)
        if level <= WALKED:
            goal = start
            for _ in range(level):
                goal = _stacks.after(goal, rng.choice([*_stacks.moves(goal)]))
        else:
            goal = _random(blocks, rng)
        return f"blocks: {' '.join(start)} -> {' '.join(goal)}"

    yield from distinct(draw, lambda text: parse(text, f"generator:{seed}"), split, seed, level)


def _random(blocks: int, rng: Random) -> State:
    stacks: list[str] = []
    for block in rng.sample("abcdefghi"[:blocks], blocks):
        if not stacks or rng.random() < ALONE:
            stacks.append(block)
        else:
            stacks[rng.randrange(len(stacks))] += block
    return tuple(sorted(stacks))


def solve(problem: Problem) -> str:
    """The worked solution: the stacks after each move of a shortest plan, then its actions."""
    states = _states(problem.prompt)
    if states is None:
        raise ValueError(f"not a problem of this domain: {problem.prompt!r}")
    state, lines, plan = states[0], [], []
    for move in _stacks.shortest(*states):
        state = _stacks.after(state, move)
        lines.append(" ".join(state))
        plan += _stacks.actions(move)
    return "\n".join([*lines, "#### plan", *plan])
