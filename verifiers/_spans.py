r"""What belongs together in a text: braces that match, mathematics between delimiters, and its other pieces.

A text is cut once, from left to right: mathematics (`$..$`, `\(..\)`, `\begin..\end`, numbers, signs, names of one
letter), joints (`,` `and` `or`), units, words, and the stops that end a sentence. Linear in the length of the text.
Not here: which pieces make an answer (`_runs`, `_unmarked`).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_SPAN = 1_000  # characters between two delimiters
UNIT_WORDS = (
    r"mm|cm|dm|m|km|g|kg|mg|s|ms|min|h|l|ml|ft|in|inch|inches|miles?|mph|feet|foot|yards?|acres?|meters?|metres?"
    r"|centimeters?|centimetres?|kilometers?|kilometres?|millimeters?|grams?|kilograms?|pounds?|ounces?|lit(?:er|re)s?"
    r"|gallons?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|degrees?|radians?|dollars?|cents?|euros?|yuan|units?"
)
_SCALES = r"(?<=\d\s)(?:am|pm|[ap]\.m\.)|dozen|hundred|thousand|million|billion|trillion"  # of the number before

_DELIMITERS = {"$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}
_OPENER = re.compile(r"\$\$|\$|\\\(|\\\[|\\\\?begin\{([A-Za-z]{1,12}\*?)\}")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_TEXT_GROUP = r"\\(?:text|textnormal|textbf|textit|textrm|mathrm|mbox|mathbf)\s*\{[^{}]{0,200}\}"
_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}[,.:]?\s+[A-Za-z]{2,}")
_DRESS = re.compile(r"\\?\$|(?<!\\)\\[()\[\]]|(?<!\w)\*\*|\*\*(?!\w)|`|[€£¥]|\\(?:blacksquare|square|qed)(?![A-Za-z])")
_ALIGNED = re.compile(r"\\(?:begin|end)\{(?:align|aligned|equation|gather|gathered|eqnarray|split|multline)\*?\}")
_FUNCTIONS = "sqrt|sin|cos|tan|sec|csc|cot|arcsin|arccos|arctan|log|ln|exp|pi|infinity|binom|frac"
_NAME = r"[A-Za-z](?:_(?:\{\w{1,4}\}|\w))?'?(?![A-Za-z0-9])"
_PERCENT = r"\\?%|(?:percent|percentage|pct)(?![A-Za-z])"
_AMBIGUOUS = r"(?:in|m|s|g|h|l)(?=\s*(?:[.,;:!?)$^/}\\]|$))"  # "5 m." is metres, "5 in all" is not inches
_WHOLE = rf"(?!(?:in|m|s|g|h|l)(?![A-Za-z]))(?:{UNIT_WORDS}|{_SCALES})(?![A-Za-z])"
_ONE = rf"(?:square\s+|cubic\s+|sq\.?\s+)?(?:{_AMBIGUOUS}|{_WHOLE})(?:\s?\^\s?(?:[23]|\{{[23]\}}))?"
_UNIT = rf"{_ONE}(?:\s?(?:/|per(?![A-Za-z]))\s?{_ONE})?"
UNIT = re.compile(rf"(?:{_PERCENT}|\^\s*\{{?\s*\\circ\s*\}}?|{_UNIT})")
_PIECE = re.compile(
    rf"""
    (?P<space>[ \t\r]+|(?<!\w)\*\*|\*\*(?!\w)|`|~|\\[,;:!>\ ]|\\q?quad(?![A-Za-z]))
    |(?P<join>[,;]|(?:and|or)(?![A-Za-z])|\\text\s*\{{\s*(?:,|and|or)\s*\}})
    |(?P<stop>\n|</?(?:answer|br|div)\s?/?>|(?:[.?:]|(?<![\d)}}$])!)(?=["')*\]}}]*(?:\s|$))|\.\.+(?!\.|\s*[\d,;$\\A-Za-z])|。)
    |(?P<word>[-=]+>|\d+(?:st|nd|rd|th)(?![A-Za-z])|\d+(?:-[A-Za-z]{{2,}})+)
    |(?P<number>\d{{1,3}}(?:\ \d{{3}}){{1,6}}(?![\d,])|\d+(?:[.,:]\d+|,\\!\s?\d+|\{{,\}}\d+)*|\.\d+)
    |(?P<unit>{_PERCENT}|{_UNIT})
    |(?P<group>{_TEXT_GROUP})
    |(?P<sign>\.\.+(?=\s*[\d,;$\\A-Za-z])|\\\\?[A-Za-z]+|\\.|[-+*/^_=<>|!()\[\]{{}}&~:]|[≤≥≠±×·÷√°∞π∪∩∈≈≡]|(?:{_FUNCTIONS})(?![A-Za-z]))
    |(?P<letter>{_NAME}|(?<=[\d)}}^+*/-])[A-Za-z]{{1,3}}(?![A-Za-z])|(?!is|so)[A-Za-z]{{2,3}}(?=\s?[=<>]|[\^(+*/_]))
    |(?P<money>[$€£¥])
    |(?P<other>[^\W\d_]+(?:['-][^\W\d_]+)*\w*|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Piece(NamedTuple):
    """One piece of a text; `kind` is span, number, sign, letter, group, unit, money, join, space, word or stop."""

    kind: str
    start: int
    end: int


def closing_braces(text: str) -> dict[int, int]:
    """Where the brace that opens at each place is closed; unclosed ones are missing."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for m in _BRACE.finditer(text):
        if m[0] == "{":
            opened.append(m.start())
        elif m[0] == "}" and opened:
            found[opened.pop()] = m.start()
    return found


def span_end(text: str, at: int) -> int:
    """Where the delimited mathematics that opens at `at` ends; 0 where none does."""
    opener = _OPENER.match(text, at)
    if not opener:
        return 0
    closer = rf"\end{{{opener[1]}}}" if opener[1] else _DELIMITERS[opener[0]]
    limit = at + MAX_SPAN
    if opener[0] == "$" and (paragraph := text.find("\n\n", at, limit)) > 0:
        limit = paragraph
    close = text.find(closer, opener.end(), limit)
    while close > 0 and closer[0] == "$" and text[close - 1] == "\\":
        close = text.find(closer, close + 1, limit)
    if close <= opener.end():
        return 0
    if opener[0] == "$" and is_prose(text[opener.end() : close]):
        return 0  # two sums of money
    return close + len(closer)


def is_prose(text: str) -> bool:
    """Whether two plain words follow each other, outside of `\\text{}`."""
    return _PROSE.search(re.sub(_TEXT_GROUP, " ", text)) is not None


def pieces(text: str, at: int = 0) -> Iterator[Piece]:
    """The pieces of the text from `at` on."""
    while at < len(text):
        if text[at] in "$\\" and (end := span_end(text, at)):
            yield Piece("span", at, end)
        else:
            match = _PIECE.match(text, at)
            assert match is not None and match.lastgroup is not None
            end = match.end()
            yield Piece("word" if match.lastgroup == "other" else match.lastgroup, at, end)
        at = end


def undelimited(text: str) -> str:
    """Without the delimiters of mathematics, signs of money, stars and ticks."""
    return _DRESS.sub(" ", text).strip()


def last_row(text: str) -> str:
    """Of aligned rows the last one, without its ampersands and a leading equals sign; other texts as they are."""
    if not _ALIGNED.search(text):
        return text
    rows = [row for row in _ALIGNED.sub(" ", text).split("\\\\") if row.strip()]
    return re.sub(r"^\s*=", "", rows[-1].replace("&", "")) if rows else ""
