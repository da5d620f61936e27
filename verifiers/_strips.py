"""A STRIPS task with types and negative preconditions, and what a plan does in it. Not here: PDDL, and plans as text.

Closed world: a state is the set of the atoms that hold. An action first deletes, then adds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

MAX_GROUND = 1_000  # grounded actions a task remembers

Atom = tuple[str, ...]  # predicate, objects
Action = tuple[str, ...]  # name, objects
Pattern = tuple[str | int, ...]  # an atom in which a number stands for the parameter at that place


class Inapplicable(ValueError):
    """Why the task has no such action."""


@dataclass(frozen=True, slots=True)
class Schema:
    """An action with parameters of these types. Conditions keep the order of the text; False: must not hold."""

    types: tuple[str, ...]
    conditions: tuple[tuple[Pattern, bool], ...]
    adds: tuple[Pattern, ...]
    deletes: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """An action on objects."""

    conditions: tuple[tuple[Atom, bool], ...]
    needs: frozenset[Atom]
    bars: frozenset[Atom]
    adds: frozenset[Atom]
    deletes: frozenset[Atom]


class Task:
    """`objects` gives all types of an object, the inherited ones too; `goal` the atoms that must (not) hold."""

    def __init__(
        self,
        objects: dict[str, frozenset[str]],
        schemas: dict[str, Schema],
        init: frozenset[Atom],
        goal: tuple[tuple[Atom, bool], ...],
    ) -> None:
        self.objects, self.schemas, self.init, self.goal = objects, schemas, init, goal
        self.ground = lru_cache(MAX_GROUND)(self._ground)

    def _ground(self, action: Action) -> Ground:
        """The action's conditions and effects. Raises Inapplicable when the task has no such action."""
        name, *objects = action
        schema = self.schemas.get(name)
        if schema is None:
            raise Inapplicable("there is no such action")
        if len(objects) != len(schema.types):
            raise Inapplicable(f"the action takes {len(schema.types)} objects, not {len(objects)}")
        for thing, wanted in zip(objects, schema.types, strict=True):
            if thing not in self.objects:
                raise Inapplicable(f"there is no object {thing[:40]}")
            if wanted not in self.objects[thing]:
                raise Inapplicable(f"{thing} is no {wanted}")

        def bound(pattern: Pattern) -> Atom:
            return tuple(objects[part] if isinstance(part, int) else part for part in pattern)

        conditions = tuple((bound(pattern), wanted) for pattern, wanted in schema.conditions)
        return Ground(
            conditions,
            frozenset(atom for atom, wanted in conditions if wanted),
            frozenset(atom for atom, wanted in conditions if not wanted),
            frozenset(map(bound, schema.adds)),
            frozenset(map(bound, schema.deletes)),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a plan: how many actions were done, why the next could not be ("" when all were), the state."""

    done: int
    fault: str
    state: set[Atom]


def carry_out(task: Task, plan: Iterable[Action], see: Callable[[set[Atom]], None] = lambda state: None) -> Run:
    """The plan done as far as it can be. `see` is shown the state after each action; it is one set, which changes."""
    state, done = set(task.init), 0
    for action in plan:
        try:
            ground = task.ground(action)
        except Inapplicable as e:
            return Run(done, str(e), state)
        if not (ground.needs <= state and ground.bars.isdisjoint(state)):
            return Run(done, unmet(ground.conditions, state)[0], state)
        state -= ground.deletes
        state |= ground.adds
        done += 1
        see(state)
    return Run(done, "", state)


def unmet(conditions: Iterable[tuple[Atom, bool]], state: set[Atom]) -> list[str]:
    """What is wrong with the state, condition by condition; empty when all are met."""
    return [
        f"({' '.join(atom)}) does not hold" if wanted else f"({' '.join(atom)}) holds and must not"
        for atom, wanted in conditions
        if (atom in state) != wanted
    ]
