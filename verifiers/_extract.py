"""The final answer of a completion, by strict rules, and why it is that. Text only: nothing is interpreted here.

Thinking (`<think>…</think>`) is stripped; an unclosed one leaves no answer. Then the last marker counts: a line
`#### x`, a `\\boxed{x}`, or a sentence `final answer is x`. Several different boxes in the last sentence are no answer.
"""

import re
import unicodedata
from dataclasses import dataclass

MAX_TEXT = 200_000  # characters of a completion that are looked at
MAX_ANSWER = 2_000

_THINK = re.compile(r"<think>.*?</think>", re.DOTALL)
_HASHES = re.compile(r"^[ \t]*####[ \t]*(\S[^\n]*?)[ \t]*$", re.MULTILINE)
_SENTENCE = re.compile(r"final answer(?: is)?[ \t]*:?[ \t]*([^\n]+)", re.IGNORECASE)
_BOX = re.compile(r"\\boxed\s*\{")


@dataclass(frozen=True, slots=True)
class Extracted:
    """`answer` is empty when there is none; `reason` says where it was found, or why it was not."""

    answer: str
    reason: str


def normalise(text: str) -> str:
    """NFKC, with the minus, times and similar signs of typography as their plain ones."""
    text = unicodedata.normalize("NFKC", text.replace("½", " 1/2").replace("¼", " 1/4").replace("¾", " 3/4"))
    return text.translate(_PLAIN)


_PLAIN = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "⁄": "/", "’": "'", "\u200b": None})


def extract(text: str) -> Extracted:
    """The final answer of a completion."""
    if len(text) > MAX_TEXT:
        return Extracted("", f"longer than {MAX_TEXT} characters")
    text = _THINK.sub("", text)
    if "<think>" in text:
        return Extracted("", "the thinking was never closed")
    text = text.rpartition("</think>")[2]
    found: list[tuple[int, str, str]] = []
    if hashes := list(_HASHES.finditer(text)):
        found.append((hashes[-1].start(), hashes[-1][1], "after the last ####"))
    if sentences := list(_SENTENCE.finditer(text)):
        words = sentences[-1][1]
        if not _BOX.search(words):
            found.append((sentences[-1].start(), words.strip().rstrip(".").strip(" $*"), "after 'final answer'"))
    boxes = _boxes(text)
    if boxes:
        last = _last_sentence(text, boxes)
        if len({normalise(b).replace(" ", "") for b in last}) > 1:
            return Extracted("", "several different boxes in the last sentence")
        found.append((boxes[-1][0], last[-1].strip(), "in the last box"))
    if not found:
        return Extracted("", "no final answer marker")
    _, answer, reason = max(found)
    if not answer or len(answer) > MAX_ANSWER:
        return Extracted("", "the final answer is empty" if not answer else f"an answer over {MAX_ANSWER} characters")
    return Extracted(normalise(answer).strip(), reason)


def _boxes(text: str) -> list[tuple[int, str]]:
    """Start and content of every box whose braces are balanced."""
    found = []
    for match in _BOX.finditer(text):
        depth = 1
        for i in range(match.end(), min(len(text), match.end() + MAX_ANSWER)):
            depth += (text[i] == "{") - (text[i] == "}")
            if depth == 0:
                found.append((match.start(), text[match.end() : i]))
                break
    return found


def _last_sentence(text: str, boxes: list[tuple[int, str]]) -> list[str]:
    """Contents of the boxes that stand in the same sentence as the last one."""
    last = boxes[-1][0]
    start = max(text.rfind("\n", 0, last), text.rfind(". ", 0, last))
    return [content for at, content in boxes if at > start]
