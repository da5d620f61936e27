r"""The last expression of a completion that marks no answer, for the domains whose gold says `bare`.

The whole text where it is one expression; else the last run of mathematics that states something: a number or an
expression, not the mere name of a thing. Denied or hedged ones (`not 5`, `maybe 5`, `at least 5`) are no answer, and a
number among several joined by `and`, `or` or commas never stands for itself. Not here: marked answers.
"""

import re

from verifiers._markers import hedged
from verifiers._spans import Run, last_row, runs, undelimited

MAX_SEARCHED = 4_000  # characters of a completion, from its end

_SENTENCE_END = re.compile(r"\n|[.!?](?=\s)")
_NAMES = re.compile(
    r"\\(?:triangle|angle|overline|overrightarrow|vec|mathbf|mathrm|text|hat|bar|displaystyle)(?![A-Za-z])"
)
_NAME = re.compile(r"[A-Z]{1,6}|[A-Za-z](?:_?\{?\w{0,3}\}?)?'?|[A-Za-z]\([A-Za-z]\)")
_ENUMERATOR = re.compile(r"\s*(?:[-*]\s)?\d+[.)]?")
_LABELS = frozenset({"step", "part", "case", "equation", "question", "problem", "figure", "section", "note", "example"})
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
_TITLE = re.compile(r"\\(?:text|textbf|textit|mathrm|mbox)\s*\{[^{}]*\}|\\angle\s*[A-Z]{1,3}")
_APPROXIMATELY = re.compile(r"\\approx(?![A-Za-z])|≈|\\simeq(?![A-Za-z])")
_EQUALS = re.compile(r"(?<![<>!:=])=(?!=)")
_RELATION = re.compile(r"[<>≤≥≠]|\\(?:leq?|geq?|neq?|lt|gt|in|cup|equiv|pmod|pm)(?![A-Za-z])|[,;±]|\b(?:and|or)\b")


def last_expression(text: str) -> tuple[str, str]:
    """The last expression and why it is that one; an empty one when there is none."""
    text = text[_start(text) :]
    found = [run for run in runs(text) if not _is_label(text, run)]
    if not found:
        word = _ONE_WORD.fullmatch(text)
        return (word[1], "the whole text is one word") if word else ("", "no expression, and no answer is marked")
    if len(found) == 1 and not found[0].words and not found[0].after.strip(" \n.*"):
        return _final(text, found[0], "the whole text is one expression")
    stating = [run for run in found if not _is_name(text[run.start : run.end])]
    while len(stating) > 1 and _is_aside(stating[-1], stating[-2]):
        stating.pop()
    if not stating:
        return "", "no expression but names, and no answer is marked"
    if hedged(stating[-1]):
        return "", "the last expression is denied, bounded, a part of a phrase or one of several guesses"
    return _final(text, stating[-1], "the last expression")


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


def _is_name(expression: str) -> bool:
    """Whether it names a thing, `n` or `\\triangle ABC`, and states nothing."""
    plain = re.sub(r"[${}]|\\[()\[\],;]", "", _NAMES.sub("", expression))
    parts = re.split(r",|;|(?<![A-Za-z])(?:and|or)(?![A-Za-z])", plain)
    return not any(c.isdigit() for c in plain) and all(
        not part or _NAME.fullmatch(part) for part in map(str.strip, parts)
    )


def _is_label(text: str, run: Run) -> bool:
    """Whether it is the number of a line or of a step."""
    if run.words and run.words[-1] in _LABELS:
        return True
    line = text.rfind("\n", 0, run.start) + 1
    return (
        not run.words
        and _ENUMERATOR.fullmatch(text, line, run.end) is not None
        and text[run.end : run.end + 1] in (".", ")")
    )


def simplified(expression: str) -> str:
    """A chain `x = 1 + 1 = 2` as `x = 2`, `1 + 1 = 2` as `2`, `a \\approx b` as `a`; others as they are."""
    text = last_row(undelimited(expression))
    exact, *rounded = _APPROXIMATELY.split(text)
    if rounded:
        stated = exact.strip(" =")
        text = exact if not _is_name(stated) or len(_EQUALS.split(stated)) > 1 else f"{stated} = {rounded[0]}"
    text = text.strip().removeprefix("=").strip()
    sides = [side.strip() for side in _EQUALS.split(text)]
    if len(sides) < 2 or not all(sides) or _RELATION.search(text):
        return text
    first, middle, last = sides[0], sides[1:-1], sides[-1]
    if any(_is_name(side) for side in middle):
        return text
    if not _has_letters(text) or _TITLE.fullmatch(first):
        return last
    return f"{first} = {last}" if middle and _has_letters(first) else text


def _has_letters(text: str) -> bool:
    return re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", text)) is not None
