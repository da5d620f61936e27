r"""The tokens of an answer: numbers, letters, names and signs, from plain text or simple LaTeX. Bounded, no meaning.

Unknown words and commands raise Unreadable: an unread part must not vanish from an answer. `x_1` is one letter,
`1011_2` is refused (a base is no decoration), and a run of letters is a product of single ones only where it is short.
"""

import re

MAX_LENGTH = 500  # characters
MAX_DIGITS = 400  # of one number

FUNCTIONS = frozenset(
    {"sin", "cos", "tan", "sec", "csc", "cot", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"}
    | {"log", "ln", "exp", "abs"}
)
CONSTANTS = frozenset({"pi", "e", "i", "infty", "emptyset"})
_GREEK = frozenset(
    {"alpha", "beta", "gamma", "delta", "epsilon", "theta", "lambda", "mu", "nu", "rho", "sigma", "tau", "phi"}
    | {"varphi", "omega", "Delta", "Omega"}
)
_COMMANDS = {
    "dfrac": "frac",
    "tfrac": "frac",
    "cfrac": "frac",
    "dbinom": "binom",
    "cdot": "*",
    "times": "*",
    "div": "/",
}
_COMMANDS |= {
    "le": "<=",
    "leq": "<=",
    "ge": ">=",
    "geq": ">=",
    "lt": "<",
    "gt": ">",
    "ne": "!=",
    "neq": "!=",
    "inf": "infty",
}
_COMMANDS |= {"lvert": "|", "rvert": "|", "vert": "|", "leqslant": "<=", "geqslant": ">=", "varnothing": "emptyset"}
_PLAIN = {
    name: name for name in ("frac", "binom", "sqrt", "pm", "cup", "in", "circ", *FUNCTIONS, *CONSTANTS - {"e", "i"})
}
_NAMES = {**_PLAIN, **_COMMANDS}
_WORDS = {"and": ",", "or": ",", "sqrt": "sqrt", "pi": "pi", "inf": "infty", "infinity": "infty", "oo": "infty"}
_WORDS |= {"asin": "arcsin", "acos": "arccos", "atan": "arctan"} | {name: name for name in FUNCTIONS}
_SIGNS = {
    "√": r"\sqrt ",
    "π": r"\pi ",
    "∞": r"\infty ",
    "×": "*",
    "·": "*",
    "⋅": "*",
    "÷": "/",
    "±": r"\pm ",
    "≤": r"\le ",
}
_SIGNS |= {
    "≥": r"\ge ",
    "≠": r"\ne ",
    "∪": r"\cup ",
    "∈": r"\in ",
    "°": r"^\circ ",
    "∅": r"\emptyset ",
    "{,}": "",
    "\u200b": "",
}
_SIGNS |= {r"\degree": r"^\circ ", r"\operatorname*": r"\operatorname"}
_SIGNS |= {"\\left": "", "\\right": "", "\\big": "", "\\Big": "", "**": "^", "<=": r"\le ", ">=": r"\ge "}

_SPACES = re.compile(r"(?<=\d),\\!\s*(?=\d{3})|(?<!\\)\\(?:displaystyle|quad|qquad|limits|,|;|!|:|>| )|~|\$")
_CIRCLE = re.compile(r"\{\s*\\circ\s*\}")
_TEXT = re.compile(r"\\(?:text|textnormal|mathrm|textbf|textit|mbox|operatorname|mathbf|rm)\s*\{([^{}]*)\}")
_MATRIX = re.compile(r"\\(begin|end)\{(?:[pbvB]?matrix|array)\}(?:\{[lcr|]*\})?")
_DOUBLED = re.compile(r"(?<!\\)\\\\(?=[dt]?frac|sqrt|pi\b|left|right)")  # backslashes that were escaped once too often
_MIXED = r"(?P<mixed>(?<![\^_])\d+(?:\s+\d+/\d+|\s*\\[dt]?frac\s*(?:\{\d+\}\s*\{\d+\}|\d\d))(?![\d^]))"
_NUMBER = r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|\d+\.\d+|\.\d+|\d+\.?)"
_TOKEN = re.compile(
    rf"\s*(?:{_MIXED}|{_NUMBER}|(?P<letter>[A-Za-z]_(?:\w|\{{\w{{1,4}}\}}))|(?P<short>\\[dt]?frac\s*\d\s*\d(?!\d))"
    r"|(?P<command>\\[A-Za-z]+)|(?P<word>[A-Za-z]+)|(?P<sign>\\[{}]|\\\\|[-+*/^()\[\]{}|,;=<>!&_]))"
)
_PRODUCT = 3  # letters a bare word may have to be read as a product


class Unreadable(ValueError):
    """The text is not an expression of this grammar, or over its bounds."""


def is_number(token: str) -> bool:
    """Numbers are the only tokens that begin with a digit or a point."""
    return token[:1].isdigit() or token[:1] == "."


def tokens(text: str) -> list[str]:
    """The tokens of the whole text. Raises Unreadable."""
    if len(text) > MAX_LENGTH:
        raise Unreadable(f"longer than {MAX_LENGTH} characters")
    if "begin" not in text:  # there two backslashes end a row
        text = _DOUBLED.sub(r"\\", text)
    for sign, plain in _SIGNS.items():
        text = text.replace(sign, plain)
    text = _CIRCLE.sub(r"\\circ ", text)
    text = _TEXT.sub(lambda m: f" {m[1].strip()} ", _MATRIX.sub(r" \\\1 ", _SPACES.sub(_space, text))).rstrip()
    found: list[str] = []
    depth, at = 0, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise Unreadable(f"unexpected {text[at:].strip()[:1]!r}")
        if "," in (match["number"] or "") and depth:  # in brackets a comma separates
            match = re.compile(r"\s*(?P<number>\d+)").match(text, at) or match
        depth += match[0].strip() in ("(", "[", "\\{")
        depth -= match[0].strip() in (")", "]", "\\}")
        found += _read({k: v for k, v in match.groupdict().items() if v is not None})
        at = match.end()
    return found


def _space(match: re.Match[str]) -> str:
    return "" if match[0][0] == "," else " "  # `1,\\! 000` groups digits


def _read(match: dict[str, str]) -> list[str]:
    """The tokens of one match; its group says what it is."""
    kind, text = next(iter(match.items()))
    if kind == "number":
        return [_bounded(text.replace(",", "").rstrip("."))]
    if kind == "mixed":
        whole, over, under = _three(text)
        if 0 < int(over) < int(under):
            return [f"{_bounded(whole)} {_bounded(over)}/{_bounded(under)}"]
        raise Unreadable("a mixed number whose fraction is not proper")
    if kind == "short":
        return ["frac", *re.findall(r"\d", text)]
    if kind == "letter":
        return [text.replace("{", "").replace("}", "")]
    if kind == "command":
        return [_command(text[1:])]
    return _word(text) if kind == "word" else [text]


def _bounded(digits: str) -> str:
    if len(digits) > MAX_DIGITS:
        raise Unreadable(f"a number of more than {MAX_DIGITS} digits")
    return digits


def _three(text: str) -> tuple[str, str, str]:
    """Whole, numerator and denominator of a mixed number."""
    parts = re.findall(r"\d+", text)
    if len(parts) == 2:  # 1\frac12
        parts = [parts[0], parts[1][0], parts[1][1]]
    return parts[0], parts[1], parts[2]


def _command(name: str) -> str:
    if name in ("begin", "end"):
        return name
    if name in _GREEK:
        return name + "\\"
    if name in _NAMES:
        return _NAMES[name]
    raise Unreadable(f"unknown command \\{name}")


def _word(word: str) -> list[str]:
    """A known name, or a product of single letters where the word is short."""
    if word in _WORDS or word.lower() in ("and", "or"):
        return [_WORDS[word.lower()]]
    if len(word) <= _PRODUCT:
        return list(word)
    for name in sorted((n for n in _WORDS if n not in ("and", "or", "oo")), key=len, reverse=True):  # 2sinx, xsqrt(2)
        if name in word:
            left, _, right = word.partition(name)
            if len(left) + len(right) <= _PRODUCT:
                return [*left, _WORDS[name], *right]
    raise Unreadable(f"unexpected {word[:20]!r}")
