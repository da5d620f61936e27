"""The stacks that a state of the blocks world shows, as text: `a bc`, each stack bottom to top, in alphabetical order.

It reads the predicates `on`, `on-table` and `holding`, whatever the task's actions are. Not here: what is done with it.
"""

from verifiers._strips import Atom


def picture(state: set[Atom]) -> str | None:
    """The stacks; None while a block is held."""
    if any(atom[0] == "holding" for atom in state):
        return None
    above = {atom[2]: atom[1] for atom in state if atom[0] == "on" and len(atom) == 3}
    stacks = []
    for bottom in (atom[1] for atom in state if atom[0] == "on-table" and len(atom) == 2):
        stack = [bottom]
        while stack[-1] in above and len(stack) <= len(above):
            stack.append(above[stack[-1]])
        stacks.append("".join(stack))
    return " ".join(sorted(stacks))
