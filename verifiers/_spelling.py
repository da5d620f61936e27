r"""The words, commands and signs of mathematics, and the one spelling that each is read as. Knows no structure.

A word or command that is not listed raises Unreadable; it is never skipped.
"""

import re

FUNCTIONS = frozenset(
    {"sin", "cos", "tan", "sec", "csc", "cot", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"}
    | {"log", "ln", "lg", "exp", "abs", "floor", "ceil"}
)
CONSTANTS = frozenset({"pi", "e", "i", "infty", "emptyset", "reals"})
MAX_PRODUCT = 3  # letters a bare word may have to be read as a product

_GREEK = frozenset(
    {"alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota", "kappa"}
    | {"lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega", "ell"}
    | {"angle", "triangle", "measuredangle"}
    | {"Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega"}
)
_KEPT = ("frac", "binom", "sqrt", "pm", "mp", "cup", "in", "circ", "begin", "end", "mid", "approx", "setminus", "prime")
_COMMANDS = {name: name for name in (*_KEPT, *FUNCTIONS, *CONSTANTS - {"e", "i"})} | {
    "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "dbinom": "binom", "tbinom": "binom",
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "colon": ":", "vee": ",", "lor": ",",
    "le": "<=", "leq": "<=", "ge": ">=", "geq": ">=", "lt": "<", "gt": ">", "ne": "!=", "neq": "!=",
    "leqslant": "<=", "geqslant": ">=", "simeq": "approx", "thickapprox": "approx", "backslash": "setminus",
    "lvert": "|", "rvert": "|", "vert": "|", "lbrace": "\\{", "rbrace": "\\}", "langle": "(", "rangle": ")",
    "lbrack": "[", "rbrack": "]", "lparen": "(", "rparen": ")", "lfloor": "lfloor", "rfloor": "rfloor",
    "lceil": "lceil", "rceil": "rceil", "inf": "infty", "varnothing": "emptyset", "asin": "arcsin", "acos": "arccos",
    "atan": "arctan", "imath": "i",
}  # fmt: skip
_WORDS = {"and": ",", "or": ",", "sqrt": "root", "pi": "pi", "inf": "infty", "infinity": "infty", "oo": "infty"}
_WORDS |= {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "union": "cup", "in": "in", "Re": "reals"}
_WORDS |= {name: name for name in FUNCTIONS} | {
    "theta": "theta\\",
    "alpha": "alpha\\",
    "beta": "beta\\",
    "frac": "frac",
}
_INSIDE = sorted(
    (n for n in _WORDS if n not in ("and", "or", "oo", "in", "Re", "inf", "union", "lg")), key=len, reverse=True
)
_NO_PRODUCTS = """
for not if is in to of as at by no yes the but all any one two six ten let mod gcd lcm max min lim det var cov
sum its are was set top odd nan def new del try cm mm km kg ft mph pm am st nd rd th sq ml mg min sec hr hrs deg
"""
_SHORT_WORDS = frozenset(_NO_PRODUCTS.split())
_SIGNS = {
    "√": " sqrt ", "∛": r"\sqrt[3]", "∜": r"\sqrt[4]", "π": r"\pi ", "∞": r"\infty ", "×": "*", "·": "*", "⋅": "*",
    "∙": "*", "÷": "/", "∕": "/", "±": r"\pm ", "∓": r"\mp ", "≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ",
    "≠": r"\ne ", "≈": r"\approx ", "∪": r"\cup ", "∈": r"\in ", "°": r"^\circ ", "∅": r"\emptyset ", "ℝ": r"\reals ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "∣": r"\mid ", "⟨": "(", "⟩": ")", "−": "-",
    "′": "'", "\u200b": "", "\u2061": "", "\u2062": "*", r"\degree": r"^\circ ", r"\R": r"\reals ",
    r"\operatorname*": r"\operatorname", "**": "^", "<=": r"\le ", ">=": r"\ge ", "=<": r"\le ", "==": "=",
    "+/-": r"\pm ",
}  # fmt: skip
_GREEKS = {"α": "alpha", "β": "beta", "γ": "gamma", "θ": "theta", "λ": "lambda", "μ": "mu", "φ": "phi", "ω": "omega"}
_GREEKS |= {"δ": "delta", "ε": "epsilon", "σ": "sigma", "ρ": "rho", "τ": "tau"}
_SIGNS |= {sign: f"\\{name} " for sign, name in _GREEKS.items()}
_UNWORDED = re.compile(
    "|".join(sorted(map(re.escape, _SIGNS), key=len, reverse=True)).replace(r"\\R", r"\\R(?![A-Za-z])")
)
_GROUPED = re.compile(r"(?<=\d),\s?\\!\s*(?=\d{3})|(?<=\d)(?:\\[,;: ]|~)(?=\d{3}(?!\d))")
_SIZES = re.compile(r"\\(?:left|right|bigl|bigr|Bigl|Bigr|big|Big|bigg|Bigg|biggl|biggr|middle)(?![a-z])\s*\.?(?!\d)")
_SPACES = re.compile(
    r"\\(?:displaystyle|textstyle|limits|qquad|quad|nonumber|hfill|mathord|mathrm(?=\s*\\))"
    r"|(?<!\\)\\(?:,|;|!|:|>| )|~|\$"
)
_CIRCLE = re.compile(r"\{\s*\\circ\s*\}|\\circ(?![A-Za-z])")
_PRIME = re.compile(r"\s*\^\s*(?:\{\s*\\prime\s*\}|\\prime)")
_TEXT = re.compile(
    r"\\(?:text|textnormal|textrm|textup|mathrm|textbf|textit|emph|mbox|hbox|operatorname|mathbf|boldsymbol|mathit|rm|bf)"
    r"\s*\{([^{}]*)\}"
)
_UNEQUAL = re.compile(r"(?<![\d)])!=|(?<=\s)!=|<>")  # `5!=120` is about a factorial

KNOWN_WORDS = frozenset({*_WORDS, *_GREEK, *FUNCTIONS, *CONSTANTS})


class Unreadable(ValueError):
    """The text is not an expression of this grammar, or over its bounds."""


def plainer(text: str) -> str:
    """The text with one sign for each meaning, and without what only sets the type."""
    text = _GROUPED.sub("", text)
    text = _UNEQUAL.sub(r"\\ne ", text)
    text = _UNWORDED.sub(lambda m: _SIGNS[m[0]], text)
    text = _PRIME.sub("'", _CIRCLE.sub(r"\\circ ", text))
    text = _SPACES.sub(" ", _SIZES.sub(" ", text))
    return _TEXT.sub(lambda m: f" {m[1].strip()} ", text)


def command(name: str) -> str:
    """The token of `\\name`. Raises Unreadable."""
    if name in _GREEK:
        return name + "\\"
    if name in _COMMANDS:
        return _COMMANDS[name]
    raise Unreadable(f"unknown command \\{name[:20]}")


def word(text: str) -> list[str]:
    """The tokens of a run of letters: a known name, or a product of single letters where it is short."""
    if text in _WORDS or text.lower() in ("and", "or"):
        return [_WORDS.get(text) or _WORDS[text.lower()]]
    if len(text) <= MAX_PRODUCT and not _is_word(text):
        return list(text)
    for name in _INSIDE:  # 2sinx, xsqrt(2)
        if name in text:
            left, _, right = text.partition(name)
            if len(left) <= 1 and len(right) <= 1:
                return [*left, _WORDS[name], *right]
    raise Unreadable(f"unexpected {text[:20]!r}")


def _is_word(text: str) -> bool:
    """Short words that are no products: a reading of them as letters would let their meaning vanish."""
    return not text.isupper() and text.lower() in _SHORT_WORDS
