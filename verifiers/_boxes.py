r"""The answer in `\boxed{}` or `\fbox{}`: equal boxes of a sentence are one, boxes joined by commas or `and` a list.

A list is right only where the gold is the same list, so that listing guesses gains nothing. Other boxes of one
sentence are several guesses, hence no answer, and so is a box that is only a part of an expression (`2\boxed{3}`).
A percent sign or unit right behind the box belongs to the answer. Not here: other marks.
"""

import re
from itertools import pairwise

from verifiers._markers import Mark
from verifiers._spans import UNIT, closing_braces

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*(\{?)")
_NESTED = re.compile(r"\s*\\(?:boxed|fbox)\s*\{(.*)\}\s*", re.DOTALL)
_UNBRACED = re.compile(r"(?:\\[A-Za-z]+(?:\{[^{}\n]{0,100}\}){1,2}|[^\s{}$\\]+)")
_SENTENCE_END = re.compile(r"\n|[.!?](?=\s|$)")
_NAME = r"[A-Za-z](?:_(?:\{\w{1,4}\}|\w))?\s*="
_SEPARATOR = r"\\text\s*\{\s*(?:,|and|or)\s*\}|[,;&]|\b(?:and|or)\b|\\q?quad(?![A-Za-z])"
_JOINT = re.compile(
    rf"(?:[^.!?\n]{{0,60}}\band\b)?(?:\s|\$|~|\*\*|[{{}}]|\\[,:;! ()\[\]]|{_SEPARATOR})*(?P<name>{_NAME})?\s*"
)
_NAMED = re.compile(rf"({_NAME})\s*$")
_TOUCHED_BEFORE = re.compile(r"(?:[-+/^_\d)]|(?<!\*)\*|\\(?:cdot|times|div|pm|sqrt|frac))\s*\{?$")
_TOUCHED_AFTER = re.compile(
    r"\s*(?:(?!\*\*)[/_+*-]\s*[\d\\({]|\^(?!\s*\{?\s*\\circ)|\d|\\(?:sqrt|pi|[dt]?frac|cdot|times|div|pm)(?![A-Za-z]))"
)
_AFTER = re.compile(
    r"(?:\s|\\[,;: !)\]]|\$|~|\*\*){0,9}(?:\\(?:text|textnormal|textbf|mathrm|mbox)\s*\{\s*)?"
    rf"(?P<unit>{UNIT.pattern})(?:\s*\}}\s*(?P<power>\^\s?\{{?[23]\}}?))?"
)


def last_box(text: str, known: bool = False) -> Mark | None:
    """The boxes of the last sentence that has one: equal ones are one, joined ones a list, others no answer.

    `known`: the text is a gold, which does not guess: there, boxes with no word between them are a list as well.
    """
    boxes = _boxes(text)
    if not boxes:
        return None
    at = boxes[-1][0]
    if boxes[-1][2] is None:
        return Mark(at, None, "the last box is never closed")
    sentence_start = 0
    for stop in _SENTENCE_END.finditer(text, 0, at):
        sentence_start = stop.end()
    rivals = [(start, end, content) for start, end, content in boxes if start >= sentence_start and content is not None]
    if len({"".join(content.split()) for _, _, content in rivals}) == 1:
        return _one_box(text, *rivals[-1])
    listed = _listed(text, rivals, known)
    return Mark(at, listed, "the last boxes, joined" if listed else "several different boxes in the final sentence")


def _boxes(text: str) -> list[tuple[int, int, str | None]]:
    """Start, end and content of the outermost boxes; the content of an unclosed one is None."""
    closed = closing_braces(text) if "\\boxed" in text or "\\fbox" in text else {}
    found: list[tuple[int, int, str | None]] = []
    covered = 0
    for m in _BOX.finditer(text):
        if m.start() < covered:
            continue
        if m[1]:
            end = closed.get(m.end() - 1)
            content = None if end is None else text[m.end() : end]
            while content is not None and (inner := _NESTED.fullmatch(content)):
                content = inner[1]
            found.append((m.start(), m.end() if end is None else end + 1, content))
            covered = found[-1][1] if end is not None else 0
        elif bare := _UNBRACED.match(text, m.end()):
            content = bare[0].rstrip(".,;:")
            found.append((m.start(), m.end() + len(content), content))
        else:
            found.append((m.start(), m.end(), None))
    return found


def _one_box(text: str, start: int, end: int, content: str) -> Mark:
    """One box, with the percent sign or unit that follows it; none where it is only a part of an expression."""
    before, after = text[max(0, start - 20) : start], text[end : end + 40]
    if _TOUCHED_BEFORE.search(before) or _TOUCHED_AFTER.match(after):
        return Mark(start, None, "the last box is only a part of an expression")
    unit = _AFTER.match(text, end)
    if unit is None or not (content.strip()[-1:].isdigit() or content.strip()[-1:] in ("}", ")")):
        return Mark(start, content, "the last box")
    return Mark(start, f"{content} {unit['unit']}{unit['power'] or ''}", "the last box and its unit")


def _listed(text: str, boxes: list[tuple[int, int, str]], known: bool) -> str | None:
    """The boxes as one list, each with the name that stands before it; None where other words stand between them."""
    first = _NAMED.search(text[max(0, boxes[0][0] - 20) : boxes[0][0]])
    parts = [(first[1] if first else "") + boxes[0][2]]
    for (_, end, _), (start, _, content) in pairwise(boxes):
        if known and not re.search(r"[A-Za-z]", text[end:start]):
            parts.append(content)
            continue
        joint = _JOINT.fullmatch(text, end, start) if start - end <= 80 else None
        if joint is None or not re.search(_SEPARATOR, joint[0]):
            return None
        if re.search(r"\bor\b", joint[0]) and not joint["name"]:  # `x = 2 or x = 3` are solutions, `2 or 3` guesses
            return None
        parts.append((joint["name"] or "") + content)
    return ", ".join(parts)
