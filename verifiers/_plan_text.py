"""Where the plan of a completion is, and its actions: read whole or not at all. Not here: what the actions do.

A plan follows the last line `#### plan` or `Plan:`, to the end; a fenced block that ends later is the plan alone. Every
line is one action: `(unstack b a)`, `unstack b a` or `unstack(b, a)`, maybe after a number (`1.`, `1:`, `step 1:`); a
comment follows `;`. `()` alone is the plan without actions. Letter case is ignored. Thinking is stripped first.
"""

import re
from dataclasses import dataclass

from verifiers._extract import without_thinking
from verifiers._strips import Action

MAX_TAIL = 50_000  # characters of a completion that are read, from its end
MAX_ACTIONS = 1_000
MAX_LINE = 300  # characters
EMPTY = "()"
MARKS = frozenset({"#### plan", "#### plan:", "plan:", "final plan:", "**plan:**", "**final plan:**"})

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_NUMBER = re.compile(r"(?:step )?\d{1,4}[.:)][ \t]*")
_CALL = re.compile(r"([a-z][a-z0-9_-]*)\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Found:
    """`actions` is None when there is no plan; `reason` then says why. `before`: the reasoning's lines, stripped."""

    actions: tuple[Action, ...] | None
    reason: str
    before: tuple[str, ...] = ()


def extract(text: str) -> Found:
    """The plan of a completion. Never raises; linear in the length of the text."""
    said = without_thinking(text)
    if said is None:
        return Found(None, "the thinking is never closed")
    lines = [line.strip() for line in said[-MAX_TAIL:].split("\n")]
    marks = [at for at, line in enumerate(lines) if line.lower() in MARKS]
    fences = [at for at, line in enumerate(lines) if line.startswith("```")]
    opening, closing = fences[: len(fences) // 2 * 2][-2:] or (-1, -1)
    start = max(marks[-1] if marks else -1, opening)
    if start < 0:
        return Found(None, "no plan is marked")
    end = closing if start < closing else len(lines)
    spoken = [line for line in lines[:start] if line and not line.startswith("```") and line.lower() not in MARKS]
    return _plan(lines[start + 1 : end], tuple(spoken))


def _plan(lines: list[str], before: tuple[str, ...]) -> Found:
    actions: list[Action] = []
    empty = False
    for number, line in enumerate(lines, start=1):
        bare = line[: MAX_LINE + 1].partition(";")[0].strip().lower()
        if not bare:
            continue
        action = None if empty or len(line) > MAX_LINE or len(actions) == MAX_ACTIONS else _action(bare)
        if action is None or (action == () and actions):
            return Found(None, f"line {number} of the plan is no action: {line[:40]!r}", before)
        if action == ():
            empty = True
        else:
            actions.append(action)
    if not actions and not empty:
        return Found(None, f"nothing is under the plan's mark; a plan without actions is {EMPTY}", before)
    return Found(tuple(actions), "the last plan", before)


def _action(line: str) -> Action | None:
    """The action of one line, `()` for the empty plan, None for anything else."""
    if line == EMPTY:
        return ()
    if number := _NUMBER.match(line):
        line = line[number.end() :]
    if call := _CALL.fullmatch(line):
        words = [call[1], *(word.strip() for word in call[2].split(",") if call[2].strip())]
    else:
        inside = line[1:-1] if line.startswith("(") and line.endswith(")") else line
        words = inside.split()
    return tuple(words) if words and all(map(_NAME.fullmatch, words)) else None
