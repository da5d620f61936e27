r"""Where the final answer of a completion is: strict rules, so that a guess among many is no answer.

The answer is what the last marker names: a line `#### x`, a `\boxed{x}`, or "final answer is x". Thinking is stripped
first and an unclosed `<think>` has no answer. Not here: what the answer means (`exact`, `symbolic`).
"""

import re
import unicodedata
from dataclasses import dataclass

MAX_TAIL = 20_000  # characters of a completion that are searched, from its end
MAX_ANSWER = 1_000  # characters of an answer

_OPEN, _CLOSE = "<think>", "</think>"
_LINE = re.compile(r"^[ \t]*####[ \t]*(.*)$", re.MULTILINE)
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_PHRASE = re.compile(r"final answer(?: is\b|\s*:)[ \t]*:?", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\n|[.!?](?=\s|$)")
_WRAPPERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), ("`", "`"))
_SUPERSCRIPTS = {ord(c): d for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n", strict=True)}
_SUPERSCRIPT_RUN = re.compile("[" + "".join(map(chr, _SUPERSCRIPTS)) + "]+")
_VULGAR = re.compile(r"(\d?)([¼-¾⅐-⅞])")
_MINUS = str.maketrans(dict.fromkeys(map(ord, "\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d"), "-"))  # minus and dashes


@dataclass(frozen=True, slots=True)
class Extracted:
    """`answer` is empty when there is none; `reason` then says why, else which marker named it."""

    answer: str
    reason: str


def normalise(text: str) -> str:
    """NFKC and one minus sign, after `x²` became `x^{2}` and `1½` became `1 1/2`, which NFKC alone would join."""
    text = _SUPERSCRIPT_RUN.sub(lambda m: "^{" + m[0].translate(_SUPERSCRIPTS) + "}", text)
    text = _VULGAR.sub(lambda m: (m[1] and m[1] + " ") + unicodedata.normalize("NFKC", m[2]), text)
    return unicodedata.normalize("NFKC", text).translate(_MINUS).replace("\u2044", "/")


def without_thinking(text: str) -> str | None:
    """What follows the thinking; None when a thinking part is never closed."""
    rest = text[text.rfind(_CLOSE) + len(_CLOSE) :] if _CLOSE in text else text
    return None if _OPEN in rest else rest


def extract(text: str) -> Extracted:
    """The final answer of a completion. Never raises; linear in the length of the text."""
    said = without_thinking(text)
    if said is None:
        return Extracted("", "the thinking is never closed")
    said = said[-MAX_TAIL:]
    found = [f for f in (_last_line(said), _last_box(said), _last_phrase(said)) if f is not None]
    if not found:
        return Extracted("", "no final answer is marked")
    _, answer, reason = max(found, key=lambda f: f[0])
    if answer is None:
        return Extracted("", reason)
    if len(answer) > MAX_ANSWER:
        return Extracted("", f"the answer is longer than {MAX_ANSWER} characters")
    answer = _bare(normalise(answer))
    return Extracted(answer, reason) if answer else Extracted("", "the answer is empty")


def _last(marker: re.Pattern[str], text: str) -> re.Match[str] | None:
    return max(marker.finditer(text), key=re.Match.start, default=None)


def _last_line(text: str) -> tuple[int, str | None, str] | None:
    last = _last(_LINE, text)
    return None if last is None else (last.start(), last[1], "the last #### line")


def _last_phrase(text: str) -> tuple[int, str | None, str] | None:
    last = _last(_PHRASE, text)
    if last is None:
        return None
    rest = text[last.end() :].lstrip(" \t").partition("\n")[0]
    return last.start(), re.split(r"[.!?](?=\s|$)", rest, maxsplit=1)[0], "the final answer phrase"


def _last_box(text: str) -> tuple[int, str | None, str] | None:
    boxes = [(m.start(), _braced(text, m.end())) for m in _BOX.finditer(text)]
    if not boxes:
        return None
    start, content = boxes[-1]
    if content is None:
        return start, None, "the last box is never closed"
    sentence_start = 0
    for end in _SENTENCE_END.finditer(text, 0, start):
        sentence_start = end.end()
    rivals = {_squeeze(c) for at, c in boxes if at >= sentence_start and c is not None}
    if len(rivals) > 1:
        return start, None, "several different boxes in the final sentence"
    return start, content, "the last box"


def _braced(text: str, start: int) -> str | None:
    """The text from `start` to the brace that closes the one before `start`."""
    depth = 1
    for m in re.compile(r"(?<!\\)[{}]").finditer(text, start, start + MAX_ANSWER + 1):
        depth += 1 if m[0] == "{" else -1
        if depth == 0:
            return text[start : m.start()]
    return None


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _bare(text: str) -> str:
    """The answer without the marks around it: dollars, stars, a final full stop."""
    while True:
        text = text.strip()
        if text.endswith(".") and not text.endswith(".."):
            text = text[:-1]
            continue
        for left, right in _WRAPPERS:
            inner = text[len(left) : len(text) - len(right)]
            if (
                len(text) > len(left) + len(right)
                and text.startswith(left)
                and text.endswith(right)
                and left not in inner
            ):
                text = inner
                break
        else:
            return text
