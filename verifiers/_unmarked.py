r"""The last expression of a completion that marks no answer, for the domains whose gold says `bare`.

The whole text where it is one expression; else the last run of mathematics that states something: a number or an
expression, not the mere name of a thing. Denied or hedged ones (`not 5`, `maybe 5`, `at least 5`) are no answer, and a
number among several joined by `and`, `or` or commas never stands for itself. Not here: marked answers.
"""

import re

from verifiers._chains import is_name, simplified
from verifiers._runs import Run, doubtful, runs

MAX_SEARCHED = 4_000  # characters of a completion, from its end

_SENTENCE_END = re.compile(r"\n|[.!?](?=\s)")
_ENUMERATOR = re.compile(r"\s{0,4}(?:[-*]\s)?\d{1,3}[.)][ \t]+\S")
_LABELS = frozenset({"step", "part", "case", "equation", "question", "problem", "figure", "section", "note", "example"})
_SENTENCE_STOP = re.compile(r"\n|[.!?](?=\s|$)")
_TASKS = frozenset({"compute", "find", "evaluate", "simplify", "solve", "calculate", "determine", "what", "how", "let"})
_TASKS |= {"suppose", "assume", "prove", "show", "factor", "expand", "express", "convert", "consider", "try", "which"}
_CAUSES = frozenset({"because", "since", "as"})
_CONDITIONS = _CAUSES | {
    "when",
    "at",
    "for",
    "with",
    "where",
    "if",
    "given",
    "using",
    "about",
    "approximately",
    "roughly",
}
_ONE_WORD = re.compile(r"\s*([^\W\d_]{1,40})[.!]?\s*")


def last_expression(text: str) -> tuple[str, str]:
    """The last expression and why it is that one; an empty one when there is none."""
    text = text[_start(text) :]
    found = [run for run in runs(text) if not _is_label(text, run)]
    if not found:
        word = _ONE_WORD.fullmatch(text)
        return (word[1], "the whole text is one word") if word else ("", "no expression, and no answer is marked")
    if len(found) == 1 and not found[0].words and not found[0].after.strip(" \n.*"):
        return _final(text, found[0], "the whole text is one expression")
    stating = [run for run in found if not is_name(text[run.start : run.end]) or _is_equated(run)]
    while len(stating) > 1 and _is_aside(stating[-1], stating[-2]):
        stating.pop()
    if not stating:
        return "", "no expression but names, and no answer is marked"
    if doubtful(stating[-1]):
        return "", "the last expression is denied, bounded, a part of a phrase or one of several guesses"
    if _is_asked(text, stating[-1]):
        return "", "the last expression is asked for or assumed, not stated"
    return _final(text, stating[-1], "the last expression")


def _is_equated(run: Run) -> bool:
    """Whether the word before says that it is the value of something."""
    return bool(run.words) and run.words[-1] in ("is", "are", "equals", "be", "get", "gives", "obtain")


def _is_asked(text: str, run: Run) -> bool:
    """Whether its sentence is a question, a task or an assumption."""
    stop = _SENTENCE_STOP.search(text, run.end)
    return (stop is not None and stop[0] == "?") or (len(run.words) > 0 and run.words[0] in _TASKS)


def _is_aside(run: Run, before: Run) -> bool:
    """Whether it gives the reason or the condition of what was stated before, or its rounded value."""
    word = run.words[-1] if run.words else ""
    return word in _CAUSES or (word in _CONDITIONS and run.sentence == before.sentence)


def _final(text: str, run: Run, reason: str) -> tuple[str, str]:
    expression = text[run.start : run.end]
    if expression[0] == "-" and expression[1:2].isspace():
        return "", "a minus or a dash before the last expression"
    if expression.endswith("!"):
        return "", "a factorial or an exclamation mark after the last expression"
    return simplified(expression), reason


def _start(text: str) -> int:
    """Where the last MAX_SEARCHED characters begin, at the beginning of a line or sentence."""
    if len(text) <= MAX_SEARCHED:
        return 0
    at = _SENTENCE_END.search(text, len(text) - MAX_SEARCHED)
    return at.end() if at else len(text) - MAX_SEARCHED


def _is_label(text: str, run: Run) -> bool:
    """Whether it is the number of a line or of a step."""
    if run.words and run.words[-1] in _LABELS:
        return True
    line = text.rfind("\n", 0, run.start) + 1
    return not run.words and _ENUMERATOR.match(text, line) is not None and run.end < line + 9
