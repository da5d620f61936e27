"""The runs of mathematics in prose: longest stretches without words and stops, trimmed at both ends.

A run knows the words around it, so that `not 5`, `at least 5` or `5 squared` are not taken for 5, and whether it is
only a part of an expression the rest of which could not be read (`mx + 5`). Linear in the length of the text.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from verifiers._spans import Piece, pieces

MAX_WORDS = 40  # words that are remembered before a run

_HEDGES = frozenset({"maybe", "perhaps", "possibly", "probably", "guess", "either", "unsure"})
_MODALS = frozenset({"might", "could", "may"})
_DENIALS = frozenset({"not", "than", "never", "except", "unless", "neither", "nor", "none", "no", "least", "most"})
_DENIALS |= {"without", "between", "above", "below", "under", "exceeding"}
_OPERATIONS = frozenset({"negative", "minus", "plus", "times", "root", "square", "cube", "twice", "half", "double"})
_OPERATIONS |= {"triple", "logarithm", "reciprocal", "inverse", "opposite", "modulo", "mod", "factorial", "squared"}
_OPERATIONS |= {"cubed", "divided", "halves", "thirds", "quarters", "fourths", "fifths", "sixths", "less", "more"}
_BETWEEN = frozenset({"of", "over", "to", "by", "in", "per", "from", "against", "versus", "vs"})


class Run(NamedTuple):
    """A stretch of mathematics: its place, the words of its sentence before it (empty ones stand for other runs), the
    piece that follows it, the number of its sentence, and whether it is a part of something that could not be read."""

    start: int
    end: int
    words: tuple[str, ...]
    after: str
    sentence: int
    part: bool


def runs(text: str, at: int = 0) -> Iterator[Run]:
    """The runs of mathematics from `at` on. Empty ones are left out."""
    words: deque[str] = deque(maxlen=MAX_WORDS)
    current: list[Piece] = []
    sentence = 0
    for piece in (*pieces(text, at), Piece("stop", len(text), len(text))):
        if piece.kind not in ("word", "stop"):
            current.append(piece)
            continue
        start, end = _trimmed(text, current)
        if start < end:
            first, last = current[start].start, current[end - 1].end
            part = _is_part(text, current, start, end)
            yield Run(first, last, tuple(words), text[piece.start : piece.end], sentence, part)
            words.append("")
        current = []
        if piece.kind == "stop":
            words.clear()
            sentence += 1
        else:
            words.append(text[piece.start : piece.end].lower())


def doubtful(run: Run) -> bool:
    """Whether the words around a run deny it, bound it, compute with it, or offer it as one of several."""
    words = run.words
    if run.part or _HEDGES & set(words) or any(w.endswith("n't") for w in words[-3:]):
        return True
    if _DENIALS & set(words[-2:]) or _MODALS & set(words[-2:]) or _OPERATIONS & {*words[-3:], run.after.lower()}:
        return True
    return (words[-2:-1] == ("",) and words[-1] in _BETWEEN) or words[-3:] == ("", "out", "of")


def _trimmed(text: str, found: list[Piece]) -> tuple[int, int]:
    """From where to where, without joints, spaces, money, dangling signs and the words `a` and `I` at the ends."""
    start, end = 0, len(found)
    while start < end and (
        _outer(text, found[start], "=*/:<>≤≥)]}&_^", "unit") or _article(text, found[start : start + 3])
    ):
        start += 1
    while start < end and (
        _outer(text, found[end - 1], "=*/:<>≤≥([{&_^-+") or _article(text, found[max(start, end - 3) : end][::-1])
    ):
        end -= 1
    signs = [text[p.end - 1] if p.kind == "sign" else "" for p in found[start:end]]
    depth = sum((s in "([{") - (s in ")]}") for s in signs if s)
    while depth < 0 and start < end and (found[end - 1].kind == "space" or text[found[end - 1].end - 1] in ")]}"):
        depth += found[end - 1].kind == "sign"
        end -= 1
    return start, end


def _outer(text: str, piece: Piece, signs: str, unit: str = "") -> bool:
    return piece.kind in ("join", "space", "money", unit) or text[piece.start : piece.end] in signs


def _article(text: str, found: list[Piece]) -> bool:
    """Whether an `a` or `I` stands apart from the rest."""
    apart = len(found) > 1 and found[1].kind == "space" and (len(found) == 2 or found[2].kind != "sign")
    return apart and text[found[0].start : found[0].end] in ("a", "A", "I")


def _is_part(text: str, found: list[Piece], start: int, end: int) -> bool:
    """Whether a sign that was trimmed, or a word that touches it, belongs to the run."""
    before = {text[p.start : p.end] for p in found[:start]}
    after = {text[p.start : p.end] for p in found[end:]}
    if "*" in before and "*" in after:  # emphasis
        before, after = before - {"*"}, after - {"*"}
    if before & set("*/^_<>≤≥") or after & set("*/^_<>≤≥+-"):
        return True
    first, last = found[start].start, found[end - 1].end
    touched = first > 0 and text[first - 1].isalnum() and text[first - 1].isascii() and text[first] in "-+*/^_(["
    begun = text[first] == "+" and first > 0
    return touched or begun or (text[last : last + 1].isalpha() and text[last].isascii())
