"""Stacks of blocks: their notation, the shortest way from one arrangement to another, and both as STRIPS in PDDL.

A state is its stacks, each bottom to top, in alphabetical order: `("ac", "b")` has c on a. Not a domain.
"""

from collections.abc import Iterator

State = tuple[str, ...]
Move = tuple[str, str, str]  # block, what it was on, what it goes on; "" is the table

PDDL_DOMAIN = """\
(define (domain blocksworld)
  (:requirements :strips)
  (:predicates (on ?x ?y) (on-table ?x) (clear ?x) (holding ?x) (arm-empty))
  (:action pick-up
    :parameters (?x)
    :precondition (and (clear ?x) (on-table ?x) (arm-empty))
    :effect (and (holding ?x) (not (clear ?x)) (not (on-table ?x)) (not (arm-empty))))
  (:action put-down
    :parameters (?x)
    :precondition (holding ?x)
    :effect (and (clear ?x) (on-table ?x) (arm-empty) (not (holding ?x))))
  (:action stack
    :parameters (?x ?y)
    :precondition (and (holding ?x) (clear ?y))
    :effect (and (on ?x ?y) (clear ?x) (arm-empty) (not (holding ?x)) (not (clear ?y))))
  (:action unstack
    :parameters (?x ?y)
    :precondition (and (on ?x ?y) (clear ?x) (arm-empty))
    :effect (and (holding ?x) (clear ?y) (not (on ?x ?y)) (not (clear ?x)) (not (arm-empty)))))
"""


def read(text: str) -> State | None:
    """The state that `text` writes; None unless it is in order and names every block once, by a letter."""
    state = tuple(text.split(" "))
    blocks = "".join(state)
    sound = all(state) and sorted(state) == list(state) and len({*blocks}) == len(blocks)
    return state if sound and blocks.isascii() and blocks.islower() and blocks.isalpha() else None


def moves(state: State) -> Iterator[Move]:
    """Every move there is: the top block of a stack onto another stack, or onto the table unless it stands there."""
    for stack in state:
        under = stack[-2:-1]
        yield from ((stack[-1], under, other[-1]) for other in state if other is not stack)
        if under:
            yield stack[-1], under, ""


def after(state: State, move: Move) -> State:
    """The state after a move."""
    block, _, onto = move
    stacks = [stack.removesuffix(block) for stack in state]
    if onto:
        stacks = [stack + block if stack.endswith(onto) else stack for stack in stacks]
    else:
        stacks.append(block)
    return tuple(sorted(filter(None, stacks)))


def shortest(start: State, goal: State) -> list[Move]:
    """A shortest way. A move that puts a block where it stays is always safe; else some block must go to the table.

    Source: Slaney and Thiébaux, Blocks World revisited, Artificial Intelligence 125 (2001).
    """
    layer: dict[State, list[Move]] = dict([_settled(start, [], goal)])
    while goal not in layer:  # every round costs one block a second move
        found: dict[State, list[Move]] = {}
        for state, way in layer.items():
            for move in moves(state):
                if not move[2]:
                    end, longer = _settled(after(state, move), [*way, move], goal)
                    found.setdefault(end, longer)
        layer = found
    return layer[goal]


def _settled(state: State, way: list[Move], goal: State) -> tuple[State, list[Move]]:
    """The state and the way to it, once no move puts a block where it stays."""
    while move := next((m for m in moves(state) if _stays(state, m, goal)), None):
        state, way = after(state, move), [*way, move]
    return state, way


def _stays(state: State, move: Move, goal: State) -> bool:
    """Whether the move completes a lower part of a stack of the goal."""
    block, _, onto = move
    below = next((stack for stack in state if onto and stack.endswith(onto)), "")
    return any(stack.startswith(below + block) for stack in goal)


def actions(move: Move) -> list[str]:
    """The two actions of a move."""
    block, under, onto = move
    return [
        f"unstack {block} {under}" if under else f"pick-up {block}",
        f"stack {block} {onto}" if onto else f"put-down {block}",
    ]


def pddl_problem(start: State, goal: State) -> str:
    """The task in PDDL, for PDDL_DOMAIN; the goal names the place of every block."""
    tops = " ".join(f"(clear {stack[-1]})" for stack in start)
    return (
        f"(define (problem stacks) (:domain blocksworld)\n  (:objects {' '.join(sorted(''.join(start)))})\n"
        f"  (:init (arm-empty) {tops} {_places(start)})\n  (:goal (and {_places(goal)})))\n"
    )


def _places(state: State) -> str:
    pairs = [(block, stack[at - 1 : at]) for stack in state for at, block in enumerate(stack)]
    return " ".join(f"(on {block} {under})" if under else f"(on-table {block})" for block, under in pairs)
