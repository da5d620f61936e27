r"""Answers that are words, choices or clock times, and texts that are the same but for how they are set.

Each decider returns an outcome with its reason, or None where the two are not its business. Words are equal but for
letter case and type; two single words that differ are different, phrases may say the same and are left undecided.
"""

import re

from data.records import Outcome

Decided = tuple[Outcome, str]

_CANONICAL = (
    (re.compile(r"\\(?:left|right|displaystyle|,|;|!|:| )(?![a-z])|(?<!\\)\$|~"), " "),
    (re.compile(r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mbox)\s*\{\s*([A-Za-z]+)\s*\}"), r" \1 "),
    (re.compile(r"\\[dtc]frac(?![a-z])"), r"\\frac"),
    (re.compile(r"([_^])\s*\{\s*(\w)\s*\}"), r"\1\2"),
    (re.compile(r"(?<!\d)\s+|\s+(?!\d)"), ""),
)
_SET = re.compile(
    r"\\(?:text|textbf|textit|textrm|textnormal|textup|mathrm|mathbf|mbox|emph)\s*(?=\{)|[{}\"'`*~$]|\\[,;!: ]"
)
_PHRASE = re.compile(r"[^\W\d_][\w\s,;:.()/&-]*")
_CHOICE = re.compile(r"\s*\(?([A-Ja-j])\)?[.:]?\s*")
_CHOSEN = re.compile(r"\s*(?:\(([A-J])\)|([A-J])[).])\s*(\S.*)", re.DOTALL)
_SEPARATORS = re.compile(r"\band\b|[\s,;&()]")
_OTHER_CHOICE = re.compile(r"\([A-J]\)|(?<![A-Za-z])(?:or|and)(?![A-Za-z])")
_CLOCK = re.compile(
    r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?\s*(?:\\?[,;: ])?\s*(?P<half>[ap])?\.?\s*(?:m\.?)?\.*", re.IGNORECASE
)
_COLON = re.compile(r"\s*(?:\{\s*:\s*\}|\\colon|:)\s*")
_EMPTY = frozenset(
    {"no solution", "no solutions", "no real solution", "no real solutions", "empty set", "the empty set", "none"}
)
_OPPOSITES = ({"yes", "no"}, {"true", "false"}, {"odd", "even"})
_REALS = frozenset(
    {"all real numbers", "all reals", "all real", "the set of all real numbers", "the set of real numbers"}
)


def canonical(text: str) -> str:
    """Text whose remaining differences may matter. Spaces between digits do (`1 1/2`)."""
    for pattern, plainer in _CANONICAL:
        text = pattern.sub(plainer, text)
    return text.strip().rstrip(" .\\")


def meant(text: str) -> str:
    """`no solution` and `all real numbers` as the sets they are; other texts unchanged."""
    words = phrase(text)
    return r"\emptyset" if words in _EMPTY else r"\reals" if words in _REALS else text


def phrase(text: str) -> str:
    """Words in lower case without their setting; empty where a text has more than words, figures and stops."""
    plain = " ".join(_SET.sub(" ", text).split()).strip(" .,;:")
    return plain.casefold() if _PHRASE.fullmatch(plain) and re.search(r"[^\W\d_]{2}", plain) else ""


def choice(known: str, answer: str) -> Decided | None:
    """`C`, `(C)`, `\\text{C}`, `(C) Cecile`, and in the answer `c`."""
    if several := _several(known, answer):
        return several
    wanted, got = _chosen(known), _chosen(answer)
    if not wanted or not got or not (wanted.isupper() and wanted in "ABCDEFGHIJ"):
        return None
    if all(_CHOSEN.fullmatch(text) for text in (known, answer)):
        return None  # what stands behind the letters may differ
    if wanted == got or (wanted == got.upper() and wanted in "ABCDE"):
        return "correct", "the same choice"
    return ("incorrect", "another choice") if got.isupper() else None


def _several(known: str, answer: str) -> Decided | None:
    """`A, B, D` and `ABD`."""
    sets = [_SEPARATORS.sub("", _SET.sub(" ", text)) for text in (known, answer)]
    if all(re.fullmatch(r"[A-F]{2,6}", letters) for letters in sets) and {known, answer} != set(sets):
        same = sorted(sets[0]) == sorted(sets[1]) and len(set(sets[0])) == len(sets[0])
        return ("correct", "the same choices") if same else None
    return None


def _chosen(text: str) -> str:
    plain = " ".join(_SET.sub(" ", text).split())
    if match := _CHOICE.fullmatch(plain):
        return match[1]
    match = _CHOSEN.fullmatch(plain)
    return "" if match is None or _OTHER_CHOICE.search(match[3]) else match[1] or match[2]


def words(known: str, answer: str) -> Decided | None:
    """The same words, or two different single ones."""
    wanted, got = phrase(known), phrase(answer)
    if not wanted or not got:
        return None
    if wanted == got:
        return "correct", "the same words"
    if {wanted, got} in _OPPOSITES:
        return "incorrect", "the opposite"
    if not wanted.isalpha() or len(wanted) < 3:
        return None
    if not got.isalpha() or len(got) < 3 or wanted.startswith(got) or got.startswith(wanted):
        return "unverified", "other words, which may say the same"
    return "incorrect", "another word"


def clock(known: str, answer: str) -> Decided | None:
    """`20:34`, `08:34 PM`, `20:34:00`; a half of the day may be left out. `10:15` against `2:3` is a ratio."""
    times = [time for text in (known, answer) if (time := _time(text))]
    if len(times) < 2:
        fraction = "/" in known + answer or "frac" in known + answer
        return ("unverified", "a clock time or a ratio") if times and fraction else None
    (first, half), (second, other) = times
    if first == second and (half == other or not half or not other):
        return "correct", "the same time"
    day = 12 * 3600
    noon = [seconds % day + day * (h == "p") if h else seconds for seconds, h in times]
    if (half or other) and (
        noon[0] == noon[1] or (not (half and other) and max(first, second) <= day and first % day == second % day)
    ):
        return "correct", "the same time"
    return "incorrect", "another time"


def _time(text: str) -> tuple[int, str] | None:
    """Seconds as written, and `a`, `p` or nothing."""
    match = _CLOCK.fullmatch(_COLON.sub(":", " ".join(_SET.sub(" ", text).split())))
    if not match or int(match[1]) > 24:
        return None
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0), (match["half"] or "").lower()
