r"""The tokens of an answer: numbers, letters, names and signs, from plain text or simple LaTeX. Bounded, no meaning.

Unknown words and commands raise Unreadable: an unread part must not vanish from an answer. `x_1` and `\bar{x}` are one
letter, `1011_2` is one numeral (`_spelling.py`), and a run of letters is a product of single ones only where it is
short. `2e-3` may be a product or a power of ten and is refused; `1.2e-3` and `1e-6` are powers of ten.
"""

import re

from verifiers._spelling import CONSTANTS, FUNCTIONS, Unreadable, command, plainer, word

MAX_LENGTH = 500  # characters
MAX_DIGITS = 400  # of one number

_FRACTION = r"\\[dtc]?frac\s*(?:\{\s*\d+\s*\}\s*\{\s*\d+\s*\}|\d\s*\d(?!\d))"
_MIXED = rf"(?P<mixed>(?<![\^_\d.])\d+(?:\s+\d+/\d+|\s*{_FRACTION})(?![\d^]))"
_BASE = r"(?P<numeral>\d[\dA-F]*_(?:\{\s*\d{1,2}\s*\}|\d(?!\d))|(?<![A-Za-z])[A-F][\dA-F]*_\{\s*1[1-6]\s*\})"
_REPEATING = r"(?P<repeating>\d*\.\d*(?:\\(?:overline|bar|dot)\s*(?:\{\d+\}|\d)|\(\d+\)(?![\d.])))"
_GAP = r"(?:,|\{,\}|\\[,;!: ]|,\\!|~| )"
_GROUPED = rf"\d{{1,3}}(?:,\s?\\!\s?\d{{3}}|{_GAP}\d{{3}})+(?![\d])(?:\.\d+)?"
_POWER = r"(?P<ten>(?:\d+\.\d+|\.\d+|1|\d+(?=[eE][-+]?(?:0\d|\d\d)|E))[eE][-+]?\d{1,4}(?![\d.A-Za-z]))"
_NUMBER = rf"(?P<number>{_GROUPED}|\d+\.\d+|\.\d+|\d+\.?(?!\.))"
_SUBSCRIPT = r"_\s*(?:\{\s*[A-Za-z0-9+\-*, ]{1,12}\s*\}|[A-Za-z0-9])"
_LETTER = rf"(?P<letter>[A-Za-z](?:{_SUBSCRIPT}'*|'+|\d{{1,2}}(?![\d.])))"
_MARK = r"hat|vec|bar|tilde|overline|overrightarrow|mathbb|dot|ddot|mathcal"
_DECORATED = rf"(?P<decorated>\\(?:{_MARK})\s*(?:\{{\s*[A-Za-z]{{1,3}}\s*\}}|(?<=[a-z])\s+[A-Za-z]))"
_TOKEN = re.compile(
    rf"\s*(?:{_MIXED}|{_BASE}|{_REPEATING}|{_POWER}|{_NUMBER}|{_DECORATED}|{_LETTER}"
    r"|(?P<short>\\(?:[dtc]?frac|[dt]?binom)\s*(?:\d|(?<=[a-z]\s)[A-Za-z])\s*(?:\d(?!\d)|[A-Za-z](?![\dA-Za-z_])))|(?P<command>\\[A-Za-z]+)|(?P<subscript>_)"
    r"|(?P<word>[A-Za-z]+)|(?P<sign>\\[{}|]|\\\\|[-+*/^()\[\]{}|,;=<>!&:%]))"
)
_AMBIGUOUS = re.compile(r"\d[eE][-+]?\d")
_ENVIRONMENT = re.compile(
    r"\\(begin|end)\s*\{\s*(?:[pbB]?matrix|smallmatrix|array|cases|aligned)\s*\}(?:\s*\{[lcr| ]*\})?"
)
_DOUBLED = re.compile(r"(?<!\\)\\\\(?=[A-Za-z])")  # backslashes that were escaped once too often
_LISTED = re.compile(r"\d+")
_OPENING, _CLOSING = ("(", "[", "\\{"), (")", "]", "\\}")


def is_number(token: str) -> bool:
    """Numbers are the only tokens that begin with a digit or a point."""
    return token[:1].isdigit() or token[:1] == "."


def is_letter(token: str) -> bool:
    """A letter, with its marks and subscripts: they end in a backslash."""
    return token[:1].isalpha() and (len(token) == 1 or token[-1] == "\\") and token not in CONSTANTS


def tokens(text: str, grouped: bool = True) -> list[str]:
    """The tokens of the whole text; `grouped`: outside brackets `1,000` is one number. Raises Unreadable."""
    if len(text) > MAX_LENGTH:
        raise Unreadable(f"longer than {MAX_LENGTH} characters")
    if "\\\\begin" in text:
        text = text.replace("\\\\", "\\")
    if "begin" not in text:  # there two backslashes end a row
        text = _DOUBLED.sub(r"\\", text)
    text = plainer(_ENVIRONMENT.sub(r" \\\1 ", text)).rstrip()
    found: list[str] = []
    depth, at = 0, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise Unreadable(f"unexpected {text[at:].strip()[:1]!r}")
        kind = match.lastgroup or ""
        if kind == "number" and "," in match[0] and "{" not in match[0] and (depth or not grouped):
            match = (
                re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)").match(text, at) or match
            )  # in brackets a comma separates
        if kind in ("number", "short") and _AMBIGUOUS.match(text, match.end() - 1):
            raise Unreadable("a product with e or a power of ten")
        token = match[kind]
        depth += (token in _OPENING) - (token in _CLOSING)
        found += _read(kind, token)
        at = match.end()
    return found


def _read(kind: str, text: str) -> list[str]:
    """The tokens of one match; its group says what it is."""
    match kind:
        case "number":
            return [_bounded("".join(re.findall(r"[\d.]", text)).rstrip("."))]
        case "mixed":
            return [_mixed(text)]
        case "numeral":
            digits, _, base = text.partition("_")
            return [f"0{digits}_{int(base.strip('{} '))}"]
        case "repeating":
            return [_repeating(text)]
        case "short":
            return ["binom" if "binom" in text else "frac", *re.sub(r"\\[a-z]+|\s", "", text)]
        case "letter":
            name, _, below = text.partition("_")
            quotes = below.count("'")
            below = re.sub(r"[{}'\s]", "", below) or re.sub(r"\D", "", name)
            return [f"{name[0]}_{below}{chr(39) * (quotes + name.count(chr(39)))}\\"]
        case "decorated":
            mark, name = re.findall(r"[A-Za-z]+", text)
            return ["reals"] if (mark, name) == ("mathbb", "R") else [f"{name}~{mark}\\"]
        case "command":
            return [command(text[1:])]
        case "word":
            return word(text)
    return [text]


def _bounded(digits: str) -> str:
    if len(digits) > MAX_DIGITS:
        raise Unreadable(f"a number of more than {MAX_DIGITS} digits")
    return digits


def _mixed(text: str) -> str:
    """`1 1/2`, from that or from 1\\frac12."""
    parts = _LISTED.findall(text)
    if len(parts) == 2:
        parts = [parts[0], parts[1][0], parts[1][1]]
    whole, over, under = (_bounded(part) for part in parts)
    if 0 < int(over) < int(under):
        return f"{whole} {over}/{under}"
    raise Unreadable("a mixed number whose fraction is not proper")


def _repeating(text: str) -> str:
    """`0.1(6)` as the sum of its parts: `1/10+6/90` in the form `0.1 6/90`."""
    *_, fixed, period = re.fullmatch(r"(\d*\.\d*)\D*?(\d+)\D*", text).groups()  # type: ignore[union-attr]
    places = len(fixed.partition(".")[2])
    fixed = _bounded(fixed).rstrip(".")
    return f"{fixed or '0'} {_bounded(period)}/{'9' * len(period)}{'0' * places}"


__all__ = ["CONSTANTS", "FUNCTIONS", "MAX_LENGTH", "Unreadable", "is_letter", "is_number", "tokens"]
