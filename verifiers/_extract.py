r"""Where the final answer of a completion is: strict rules, so that a guess among many is no answer.

Thinking is stripped first (an unclosed `<think>` has no answer), and so is what follows the end of the chat turn. Then
the last mark counts: a line `#### x`, a `\boxed{x}`, "final answer is x"; without these the last "the answer is x".
Only where the gold says `bare` does an unmarked completion have an answer, its last expression. Every answer is
normalised and freed of the marks around it; `reason` says which rule found it, or why there is none.
Not here: what the answer means (`exact`, `symbolic`).
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from verifiers._boxes import last_box
from verifiers._chains import simplified
from verifiers._markers import MAX_ANSWER, Mark, last_line, last_phrase, last_weak_phrase
from verifiers._unmarked import last_expression

MAX_TAIL = 20_000  # characters of a completion that are searched, from its end

_OPEN, _CLOSE = "<think>", "</think>"
_WRAPPERS = (
    ("$$", "$$"),
    ("$", "$"),
    (r"\(", r"\)"),
    (r"\[", r"\]"),
    ("**", "**"),
    ("`", "`"),
    ('"', '"'),
    ('\\"', '\\"'),
)
_SUPERSCRIPTS = {ord(c): d for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n", strict=True)}
_SUBSCRIPTS = {ord(c): d for c, d in zip("₀₁₂₃₄₅₆₇₈₉₋₊ₐₙₓₖₘₚ", "0123456789-+anxkmp", strict=True)}
_SUBSCRIPT_RUN = re.compile("[" + "".join(map(chr, _SUBSCRIPTS)) + "]+")
_SUPERSCRIPT_RUN = re.compile("[" + "".join(map(chr, _SUPERSCRIPTS)) + "]+")
_VULGAR = re.compile(r"(\d?)([¼-¾⅐-⅞])")
_HEADER = re.compile(r"\s*(?:<\|[a-z_]{1,30}\|>\s*(?:assistant)?\s*)+")
_TURN = re.compile(r"<\|[a-z_]{1,30}\|>|</s>|<(?:eos|end_of_turn)>")
_WORKED = re.compile(r"\\(?:boxed|fbox|\(|\[)|\$|final answer", re.IGNORECASE)
_MINUS = str.maketrans(dict.fromkeys(map(ord, "\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d"), "-"))  # minus and dashes


@dataclass(frozen=True, slots=True)
class Extracted:
    """`answer` is empty when there is none; `reason` then says why, else which marker named it."""

    answer: str
    reason: str


def normalise(text: str) -> str:
    """NFKC and one minus sign, after `x²`, `x₁`, `1½` became `x^{2}`, `x_{1}`, `1 1/2`, which NFKC alone would join."""
    if text.isascii():
        return text
    text = _SUPERSCRIPT_RUN.sub(lambda m: "^{" + m[0].translate(_SUPERSCRIPTS) + "}", text)
    text = _SUBSCRIPT_RUN.sub(lambda m: "_{" + m[0].translate(_SUBSCRIPTS) + "}", text)
    text = _VULGAR.sub(lambda m: (m[1] and m[1] + " ") + unicodedata.normalize("NFKC", m[2]), text)
    return unicodedata.normalize("NFKC", text).translate(_MINUS).replace("\u2044", "/")


def without_thinking(text: str) -> str | None:
    """What follows the thinking; None when a thinking part is never closed."""
    rest = text[text.rfind(_CLOSE) + len(_CLOSE) :] if _CLOSE in text else text
    return None if _OPEN in rest else rest


def extract(text: str, bare: bool = False) -> Extracted:
    """The final answer of a completion, normalised. Never raises; linear in the length of the text.

    `bare`: where none is marked, the last expression of the completion is taken for one.
    """
    said = without_thinking(text)
    if said is None:
        return Extracted("", "the thinking is never closed")
    said = normalise(own_turn(said)[-MAX_TAIL:])[-MAX_TAIL:]
    return _found(said, _last_mark(said, last_box(said), bare), bare)


@lru_cache(maxsize=1_000)  # the attempts at a problem share its gold
def known_answer(text: str) -> str:
    """The answer of a gold that may be a worked solution; a text without boxes, dollars and phrases is itself one."""
    if not _WORKED.search(text):
        return text
    said = normalise(text[-MAX_TAIL:])
    return _found(said, _last_mark(said, last_box(said, known=True), bare=True), bare=True).answer or text


def _last_mark(said: str, box: Mark | None, bare: bool) -> Mark | None:
    strong = [m for m in (last_line(said), box, last_phrase(said, bare)) if m is not None]
    return max(strong, key=lambda m: m.at) if strong else last_weak_phrase(said, bare)


def _found(said: str, mark: Mark | None, bare: bool) -> Extracted:
    """What the mark names, or without one the last expression, freed of the marks around it."""
    if mark is None:
        answer, reason = last_expression(said) if bare else ("", "no final answer is marked")
    elif mark.answer is None:
        return Extracted("", mark.reason)
    else:
        answer, reason = mark.answer, mark.reason
        if bare and mark.phrase and len(answer) <= MAX_ANSWER:
            answer = simplified(answer)
    if len(answer) > MAX_ANSWER:
        return Extracted("", f"the answer is longer than {MAX_ANSWER} characters")
    answer = undressed(answer)
    return Extracted(answer, reason if answer or mark is None else "the answer is empty")


def own_turn(text: str) -> str:
    """The text up to where the next speaker's turn begins, without its own header."""
    header = _HEADER.match(text)
    start = header.end() if header else 0
    other = _TURN.search(text, start)
    return text[start : other.start() if other else len(text)]


def undressed(text: str) -> str:
    """The answer without the marks around it: dollars, stars, quotes, a final full stop or comma."""
    while True:
        text = text.strip()
        if text.endswith((",", ";")) or (text.endswith(".") and not text.endswith("..")):
            text = text[:-1]
            continue
        for left, right in _WRAPPERS:
            inner = text[len(left) : len(text) - len(right)]
            if (
                len(text) >= len(left) + len(right)
                and text.startswith(left)
                and text.endswith(right)
                and left not in inner
            ):
                text = inner
                break
        else:
            return text
