"""S-expressions, the notation of PDDL, as nested tuples of lower-case words. Knows nothing of planning.

Comments run from `;` to the end of the line. Bounded before anything is read; linear in the length of the text.
"""

import re
from typing import TypeAlias

MAX_TEXT = 200_000  # characters
MAX_DEPTH = 40

Expr: TypeAlias = "str | tuple[Expr, ...]"

_COMMENT = re.compile(r";[^\n]*")
_TOKEN = re.compile(r"[()]|[^\s()]+")


class Unreadable(ValueError):
    """What is wrong with the text, and where, in one sentence."""


def read(text: str) -> tuple[Expr, ...]:
    """The one list that `text` is. Raises Unreadable."""
    if len(text) > MAX_TEXT:
        raise Unreadable(f"it has {len(text)} characters, more than {MAX_TEXT}")
    open_lists: list[list[Expr]] = [[]]
    for token in _TOKEN.findall(_COMMENT.sub("", text).lower()):
        if token == "(":
            if len(open_lists) > MAX_DEPTH:
                raise Unreadable(f"it is nested deeper than {MAX_DEPTH}")
            open_lists.append([])
        elif token == ")":
            if len(open_lists) == 1:
                raise Unreadable("a closing bracket has no opening one")
            done = tuple(open_lists.pop())
            open_lists[-1].append(done)
        else:
            open_lists[-1].append(token)
    if len(open_lists) > 1:
        raise Unreadable("a bracket is never closed")
    match open_lists[0]:
        case [tuple() as only]:
            return only
    raise Unreadable("it is not one list in brackets")


def write(expr: Expr) -> str:
    """The expression as text, cut to what a message can hold."""
    text = expr if isinstance(expr, str) else f"({' '.join(write(e) for e in expr[:20])})"
    return text if len(text) <= 80 else text[:77] + "..."
