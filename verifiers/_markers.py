"""The phrases that name a final answer: `#### x`, "final answer", `<answer>`, and the weaker "the answer is".

Each finder returns the last mark of its kind. What follows a phrase is cut at the end of its sentence, mathematics
between delimiters kept whole, and at "because" and the like. Not here: boxes (`_boxes`), which mark wins (`_extract`),
unmarked answers (`_unmarked`).
"""

import re
from dataclasses import dataclass

from verifiers._runs import Run, doubtful, runs
from verifiers._spans import pieces, undelimited

MAX_ANSWER = 1_000  # characters of an answer

_LINE = re.compile(r"^[ \t]*####(?!#)[ \t]*(.*)$", re.MULTILINE)
_EXCLAIMED = re.compile(r"[\d)}$]!$")  # a factorial, or joy
_SPACE = r"[*_ \t]{0,9}"
_ASKED = r"(?:(?:to|for|of)\s[^.:\n]{1,80}?)?"
_STATES = r"(?:\bis\b|\bare\b|[:=]|\n)[*_:= \t]*"
_FINAL = re.compile(rf"final\s{{1,3}}answers?{_SPACE}{_ASKED}{_STATES}|<answer>", re.IGNORECASE)
_HEADING = re.compile(r"[#*_ \t]*(?:(?:the|my|our)\s+)?", re.IGNORECASE)
_WEAK = re.compile(rf"\bans(?:wers?)?{_SPACE}{_ASKED}{_STATES}", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"(\w+)[ \t]+$")
_NOT_FINAL = frozenset(
    {"wrong", "incorrect", "common", "naive", "tempting", "possible", "another", "intermediate", "partial"}
)
_NOT_FINAL |= {"previous", "initial", "first", "an", "any", "no", "your"}
_FILLER = re.compile(
    r"(?:(?:exactly|simply|just|then|therefore|thus|indeed|hence|clearly|equal\s+to|given\s+by|approximately|about"
    r"|roughly)\b[ \t:,]*)+",
    re.IGNORECASE,
)
_CONNECTIVES = frozenset({"", "because", "since", "which", "so"})
_COPULAS = frozenset({"is", "are", "equals", "be", "equal", "to", "gives", "get", "was", "becomes"})


@dataclass(frozen=True, slots=True)
class Mark:
    """What a mark at `at` names; None when it names nothing, and `reason` says why. `phrase`: in prose."""

    at: int
    answer: str | None
    reason: str
    phrase: bool = False


def last_line(text: str) -> Mark | None:
    """The last `#### x`."""
    last = _last(_LINE, text)
    return None if last is None else Mark(last.start(), last[1], "the last #### line")


def last_phrase(text: str, bare: bool = False) -> Mark | None:
    """The last "final answer", where `is`, a colon or the end of a heading follows."""
    return _last_of(_FINAL, text, bare, "the final answer phrase")


def last_weak_phrase(text: str, bare: bool = False) -> Mark | None:
    """The last "answer is" or "answer:" that is not called a wrong one."""
    return _last_of(_WEAK, text, bare, "the last answer phrase")


def _last_of(phrase: re.Pattern[str], text: str, bare: bool, reason: str) -> Mark | None:
    last = None
    for m in phrase.finditer(text):
        before = _WORD_BEFORE.search(text, max(0, m.start() - 20), m.start())
        heading = _HEADING.fullmatch(text, text.rfind("\n", 0, m.start()) + 1, m.start()) if "\n" in m[0] else True
        cut_off = not text[m.end() : m.end() + MAX_ANSWER].strip(" \t\n*_$")
        if heading and not cut_off and (before is None or before[1].lower() not in _NOT_FINAL):
            last = m
    if last is None:
        return None
    said, stop = _sentence(text, last.end())
    if stop == "?":
        return Mark(last.start(), None, "the answer is asked for, not stated")
    if _EXCLAIMED.search(said):
        return Mark(last.start(), None, "a factorial or an exclamation mark after the answer")
    return Mark(last.start(), _expression(said, bare) or said, reason, phrase=True)


def _last(marker: re.Pattern[str], text: str) -> re.Match[str] | None:
    return max(marker.finditer(text), key=re.Match.start, default=None)


def _sentence(text: str, start: int) -> tuple[str, str]:
    """The sentence from `start`, or from the next line with text, and what ends it."""
    while start < len(text) and text[start] in " \t\n*_":
        start += 1
    if filler := _FILLER.match(text, start):
        start = filler.end()
    end, stop = start, ""
    for piece in pieces(text[: start + 2 * MAX_ANSWER], start):
        if piece.kind == "stop":
            stop = text[piece.start : piece.end]
            break
        end = piece.end
    return text[start:end].strip(), stop


def _expression(said: str, bare: bool) -> str | None:
    """The one expression that a sentence states; None where the sentence is to be taken as a whole."""
    found = list(runs(said))
    if not found:
        return None
    if len(found) == 1 and (found[0].start, found[0].end) == (0, len(said)):
        return undelimited(said)
    first, last = found[0], found[-1]
    stating = [run for run in found if _states(said, run)]
    closed = [run for run in stating if run.after.lower() in _CONNECTIVES and not doubtful(run)]
    if not first.words and first in closed:
        return said[first.start : first.end]
    if last.words and last.words[-1] in _COPULAS and last in closed:
        return said[last.start : last.end]
    if bare and len(stating) == 1 and not doubtful(stating[0]):
        return said[stating[0].start : stating[0].end]
    return None


def _states(said: str, run: Run) -> bool:
    return any(c.isdigit() for c in said[run.start : run.end]) or said[run.start] in "$\\"
