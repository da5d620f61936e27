r"""What an unmarked chain states: `x = 1 + 1 = 2` says `x = 2`, `a \approx b` says `a`, `A \implies B` says `B`.

Only where it is sure what the chain is: with lists, inequalities, several rows or a name in the middle it stays whole.
"""

import re

from verifiers._spans import last_row, undelimited

_NAMES = re.compile(r"\\(?:triangle|angle|overline|overrightarrow|vec|mathbf|hat|bar|displaystyle)(?![A-Za-z])")
_NAME = re.compile(r"[A-Z]{1,6}|[A-Za-z](?:_?\{?\w{0,3}\}?)?'?|[A-Za-z]\([A-Za-z]\)")
_TITLE = re.compile(r"\\(?:text|textbf|textit|mathrm|mbox)\s*\{[^{}]*\}|\\angle\s*[A-Z]{1,3}")
_APPROXIMATELY = re.compile(r"\\approx(?![A-Za-z])|≈|\\simeq(?![A-Za-z])")
_RELATION = re.compile(r"[<>≤≥≠±]|\\(?:leq?|geq?|neq?|lt|gt|in|cup|equiv|pmod|pm)(?![A-Za-z])")
_APART = re.compile(r"[,;](?!\\!|\d{3})|(?<![A-Za-z])(?:and|or)(?![A-Za-z])")
_ARROW = re.compile(
    r"\\(?:implies|iff|therefore|because|Rightarrow|Leftrightarrow|Longrightarrow|Longleftrightarrow)(?![A-Za-z])|[⇒⇔∴]"
)
_COMPUTED = re.compile(r"[-+*/^!√×·÷]|\\[A-Za-z]")
_ROWS = re.compile(r"\\begin\{(\w{1,12})\}.*?\\end\{\1\}", re.DOTALL)
_SEVERAL = re.compile(r"\\begin|\\\\|\\q?quad|\n|(?:\s|\\[,;:! ])[A-Za-z](?:_\S{1,4})?\s*$")


def is_name(expression: str) -> bool:
    """Whether it names a thing, `n` or `\\triangle ABC`, and states nothing."""
    plain = re.sub(r"[${}]|\\[()\[\],;]", "", _NAMES.sub("", expression))
    parts = re.split(r",|;|(?<![A-Za-z])(?:and|or)(?![A-Za-z])", plain)
    return not any(c.isdigit() for c in plain) and all(
        not part or _NAME.fullmatch(part) for part in map(str.strip, parts)
    )


def simplified(expression: str) -> str:
    """A chain `x = 1 + 1 = 2` as `x = 2`, `1 + 1 = 2` as `2`, `a \\approx b` as `a`; others as they are."""
    text = _ARROW.split(last_row(undelimited(expression)))[-1]
    if _APART.search(text):
        return _APPROXIMATELY.sub("=", text).strip()
    exact, *rounded = _APPROXIMATELY.split(text)
    if rounded:
        stated = exact.strip(" =")
        text = exact if not is_name(stated) or len(_sides(stated)) > 1 else f"{stated} = {rounded[0]}"
    text = text.strip().removeprefix("=").strip()
    sides = _sides(text)
    if len(sides) < 2 or not all(sides) or _RELATION.search(text):
        return text
    first, middle, last = sides[0], sides[1:-1], sides[-1]
    if any(map(is_name, middle)) or any(_SEVERAL.search(_ROWS.sub(" ", side)) for side in sides[:-1]):
        return text
    if _TITLE.fullmatch(first) or (not _has_letters(text) and _COMPUTED.search(first)):
        return last
    return f"{first} = {last}" if middle and _has_letters(first) else text


def _has_letters(text: str) -> bool:
    return re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", text)) is not None


def _sides(text: str) -> list[str]:
    """The sides of the equals signs that stand in no bracket."""
    sides, start, depth = [], 0, 0
    for at, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "=" and depth == 0 and text[at - 1 : at] not in tuple("<>!:=") and text[at + 1 : at + 2] != "=":
            sides.append(text[start:at].strip())
            start = at + 1
    return [*sides, text[start:].strip()]
