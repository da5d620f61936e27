"""Copies to plant: near copies of traces, disguised copies of problems, and how near a copy is. Not the ledger.

How near is said here in plain Python, apart from the SQL that is measured by it.
"""

import random
import re
from collections.abc import Callable, Set

from _stories import SAID

SHINGLE = 3
MOST_EDITS = 14  # words replaced in a near copy: so many in 150 tokens are no near copy any more
_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")


def alike(one: tuple[str, str], other: tuple[str, str]) -> float:
    """How near two (prompt, text) are: the smaller of the texts' shared shingles and the prompts' shared words."""
    return min(jaccard(shingles(one[1]), shingles(other[1])), jaccard(set(one[0].split()), set(other[0].split())))


def jaccard(a: Set[object], b: Set[object]) -> float:
    """The shared part of two sets; 1 when both are empty."""
    return len(a & b) / len(a | b) if a | b else 1.0


def shingles(text: str, size: int = SHINGLE) -> set[tuple[str, ...]]:
    """The runs of `size` tokens of a text (a word, a number and a sign are one each), or all when there are fewer."""
    tokens = _TOKEN.findall(text.lower())
    return {tuple(tokens[i : i + size]) for i in range(max(1, len(tokens) - size + 1))} if tokens else set()


def near(text: str, kind: str, draw: random.Random) -> str:
    """A near copy. `words`: some replaced; `moved`: a line goes elsewhere; `both`; `spaces` and `same` are exact."""
    if kind in ("moved", "both"):
        lines = text.split("\n")
        line = lines.pop(draw.randrange(len(lines) - 1))
        lines.insert(draw.randrange(len(lines)), line)
        text = "\n".join(lines)
    if kind == "spaces":
        return text.replace(" ", "  ", 5)
    most = {"words": MOST_EDITS, "both": 3}.get(kind, 0)
    return replaced(text, draw.randint(1, most), draw) if most else text


def replaced(text: str, edits: int, draw: random.Random) -> str:
    """The text with so many of its words replaced by other words; numbers and signs stay."""
    words = re.split(r"(\s+)", text)
    places = [i for i, word in enumerate(words) if word.isalpha()]
    for i in draw.sample(places, min(edits, len(places))):
        words[i] = draw.choice([w for w in SAID["strange"] if w != words[i]])
    return "".join(words)


def _reordered(text: str) -> str:
    """The second sentence goes last but one; of two sentences the question comes first."""
    told = _sentences(text)
    return " ".join([told[0], *told[2:-1], told[1], told[-1]] if len(told) > 3 else [told[-1], *told[:-1]])


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?:]) ", text)


DISGUISES: dict[str, Callable[[str], str]] = {
    "verbatim": str,
    "spaced": lambda t: t.replace(". ", " .\n").replace(" ", "  ", 3).upper().replace(",", ""),
    "renumbered": lambda t: "\n".join(f"{i}) {s}" for i, s in enumerate(_sentences(t), 1)),
    "reordered": _reordered,
}
