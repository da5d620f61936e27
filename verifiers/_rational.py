"""The exact fast path: integers, decimals, fractions, percents, and tuples or sets of them, as exact rationals.

Decides most answers without a symbolic library. Text that is not wholly of this form is not an answer of this form.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

MAX_DIGITS = 400

_NUMBER = re.compile(r"([+-]?)(?:(\d+(?:,\d{3})+|\d+)(\.\d*)?|(\.\d+))")
_LATEX = re.compile(r"([+-]?)\\[dt]?frac\{([+-]?\d+)\}\{([+-]?\d+)\}")
_WRAP = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Exact:
    """A number (one value, no brackets), a tuple or interval (brackets kept) or a set (values sorted)."""

    kind: str  # "", "()", "[]", "(]", "[)", "{}"
    values: tuple[Fraction, ...]
    percent: bool = False


def exact(text: str) -> Exact | None:
    """The exact value of the whole text, or None."""
    text = text.strip().strip("$").strip().replace("\\{", "{").replace("\\}", "}").rstrip(".").replace("\\left", "")
    text = text.replace("\\right", "").replace("\\!", "").replace("\\,", "").replace("\\%", "%").strip()
    if not text or sum(c.isdigit() for c in text) > MAX_DIGITS:
        return None
    if text[0] in "([{" and text[-1] in ")]}" and "\\" not in text[0]:
        return _group(text)
    percent = text.endswith("%")
    value = number(text.removesuffix("%").strip())
    return None if value is None else Exact("", (value,), percent)


def number(text: str) -> Fraction | None:
    """One number: `-3`, `1,234`, `0.5`, `1/2`, `\\frac{1}{2}`; None for anything else."""
    text = text.replace(" ", "")
    if match := _LATEX.fullmatch(text):
        return None if int(match[3]) == 0 else Fraction(int(f"{match[1]}1")) * Fraction(int(match[2]), int(match[3]))
    over, slash, under = text.partition("/")
    top = _plain(over)
    if not slash or top is None:
        return top
    bottom = _plain(under)
    return None if not bottom or under[:1] in "+-" else top / bottom


def _plain(text: str) -> Fraction | None:
    return Fraction(text.replace(",", "").rstrip(".") or "x") if _NUMBER.fullmatch(text) else None


def _group(text: str) -> Exact | None:
    kind = text[0] + text[-1]
    if kind not in ("()", "[]", "(]", "[)", "{}"):
        return None
    parts = [number(part) for part in re.split(r"[,;]\s+|[,;](?!\d{3}(?:\D|$))|[,;]", text[1:-1])]
    values = [p for p in parts if p is not None]
    if len(values) != len(parts):
        return None
    if kind == "()" and len(values) == 1:
        return Exact("", (values[0],))
    return Exact(kind, tuple(sorted(set(values))) if kind == "{}" else tuple(values))
