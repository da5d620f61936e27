r"""Mathematical equality of the final answer and the gold: exact rationals first, else two deciders that must agree.

Decides numbers, fractions, percents, tuples, intervals and unions, sets, bare lists, matrices, expressions, equations
and inequalities up to a factor, and `name = value`. Policies: decimals are exact (a rounded value is `unverified`);
`28%` is 28/100 and only meets a gold that is a percent, as `28%` or `0.28`; a unit may be left out where the gold has
it, but another unit, or one that the gold lacks, is `unverified`; a dollar sign is none; `log` has an unknown base.
What cannot be read is no answer, never a guess at its meaning; a gold that cannot be read meets only the same text.
Not here: unit conversion, bases.
"""

import re
from fractions import Fraction

from data import gold
from data.domains.chain_sum import parse as parse_sum
from data.domains.file import parse as parse_row
from data.records import Outcome, Problem, Verdict
from verifiers._answers import same
from verifiers._deciders import Undecidable, close, letters
from verifiers._exact import Unbounded, plain
from verifiers._extract import extract, known_answer, normalise
from verifiers._grammar import Node, parse
from verifiers._tokens import MAX_LENGTH, Unreadable

VERSION = 3

_PERCENT = re.compile(r"(.*?)\s*\\?(?:%|percent|pct)\s*$", re.DOTALL)
_WORDS = (
    r"mm|cm|dm|m|km|g|kg|mg|s|ms|min|h|l|ml|ft|in|inch|inches|miles?|mph|feet|meters?|metres?|seconds?|minutes?|hours?|days?"
    r"|weeks?|months?|years?|degrees?|dollars?|cents?|euros?|units?|square|cubic"
)
_UNIT = re.compile(
    rf"(?P<value>.*?[\d)\]}}])\s*(?P<unit>(?:\^\s*\{{?\s*\\circ\s*\}}?|°|\\degree)?\s*(?:(?:\\(?:text|textnormal|textbf|mathrm|mbox)"
    rf"\s*\{{[^{{}}]*\}}|\\?(?<![a-zA-Z])(?:{_WORDS})(?![a-zA-Z]))(?:\s*\^\s*\{{?[23]\}}?)?[\s/.-]*)*)",
    re.DOTALL,
)
_MONEY = re.compile(r"^\\?\$\s*(?=[\d.])")
_CANONICAL = (
    (re.compile(r"\\(?:left|right|displaystyle|[,;!: ])|[$~]|\\text(?:bf|it|rm)?\s*\{\s*([A-Za-z]+)\s*\}"), r" \1 "),
    (re.compile(r"\\[dt]frac"), r"\\frac"),
    (re.compile(r"([_^])\{(\w)\}"), r"\1\2"),
    (re.compile(r"(?<!\d)\s+|\s+(?!\d)"), ""),
)


def verify(problem: Problem, completion: str) -> Verdict:
    """`correct` only with a proof; `unverified` when it takes one that was not found. Never raises."""
    try:
        known = gold.load(problem.gold)
    except ValueError as e:
        return Verdict("unverified", str(e), "", "symbolic", VERSION)
    if not isinstance(known, gold.Answer):
        return Verdict("unverified", "the problem has tests, not an answer", "", "symbolic", VERSION)
    found = extract(completion, known.bare)
    if not found.answer:
        return Verdict("no_answer", found.reason, "", "symbolic", VERSION)
    value = known_answer(known.value) if known.bare else known.value
    outcome, reason = compare(value, found.answer)
    return Verdict(outcome, f"{found.reason}: {reason}", found.answer, "symbolic", VERSION)


def compare(known: str, answer: str) -> tuple[Outcome, str]:
    """The outcome for a bare, normalised answer, and why."""
    known, answer = normalise(known).strip().strip("$").strip(), answer.strip()
    if answer.startswith("$") and answer.endswith("$"):
        answer = answer.strip("$").strip()
    first, second = plain(known), plain(answer)
    if first is not None and second is not None and not _rounded(known, answer, first, second):
        return ("correct", "equal exactly") if first == second else ("incorrect", "another exact value")
    if max(len(known), len(answer)) > MAX_LENGTH:
        return "no_answer" if len(known) <= MAX_LENGTH else "unverified", f"longer than {MAX_LENGTH} characters"
    if (text := _canonical(known)) == _canonical(answer):
        return "correct", "same text"
    if text.isalpha() and len(text) > 1:
        return "unverified", "the gold is a word: judge it by exact"
    return _compared(known, answer)


def _canonical(text: str) -> str:
    """Text whose remaining differences may matter. Spaces between digits do (`1 1/2`)."""
    for pattern, plainer in _CANONICAL:
        text = pattern.sub(plainer, text)
    return text.strip().rstrip(" .\\")


def _compared(known: str, answer: str) -> tuple[Outcome, str]:
    """By meaning: percents and units aside, then the trees."""
    wanted_percent, wanted_text = _percent(known)
    got_percent, got_text = _percent(answer)
    wanted_unit, wanted_text = _unit(wanted_text)
    got_unit, got_text = _unit(got_text)
    try:
        wanted = parse(wanted_text)
    except Unreadable as e:
        return "unverified", f"the gold cannot be read: {e}"
    try:
        got = parse(got_text)
    except Unreadable as e:
        return "no_answer", f"cannot be read: {e}"
    if got_percent and not wanted_percent:
        return "unverified", "a percent where the gold is none"
    if wanted_percent and not got_percent:
        if wanted == got:
            return "unverified", "the percent sign is missing"
        wanted = ("div", wanted, ("number", Fraction(100)))
    try:
        found = same(wanted, got)
        if found is False and _may_be_rounded(wanted, got, wanted_text, got_text):
            return "unverified", "equal but for rounding"
    except (Undecidable, Unbounded) as e:
        return "unverified", str(e)
    if found is True and got_unit and got_unit != wanted_unit:
        return "unverified", "another unit than the gold's"
    if found is None or (not found and got_unit != wanted_unit and letters(wanted) | letters(got)):
        return "unverified", "neither proved nor refuted"
    return ("correct", "proved equal") if found else ("incorrect", "another value")


def _percent(text: str) -> tuple[bool, str]:
    match = _PERCENT.fullmatch(text)
    return (True, match[1].strip(" $\\")) if match else (False, text)


def _unit(text: str) -> tuple[str, str]:
    """The unit at the end, in one spelling, and the text without it."""
    text = _MONEY.sub("", text)
    match = _UNIT.fullmatch(text)
    if not match or not match["unit"].strip() or "\\begin" in text:
        return "", text
    unit = re.sub(r"\\circ|\\degree|°", "deg", match["unit"])
    return re.sub(r"\\[a-z]+|[^a-z0-9/]", "", unit.lower()).removesuffix("s"), match["value"]


def _half_unit(text: str) -> Fraction | None:
    """Half a unit of the last place of a decimal; None for other texts."""
    match = re.fullmatch(r"-?\d*\.(\d+)", text.strip())
    return Fraction(1, 2 * 10 ** len(match[1])) if match else None


def _rounded(known: str, answer: str, first: Fraction, second: Fraction) -> bool:
    """Whether one of two exact numbers is a decimal that the other, not itself as short, rounds to."""
    return first != second and any(
        unit is not None and abs(first - second) <= unit for unit in (_half_unit(known), _half_unit(answer))
    )


def _may_be_rounded(wanted: Node, got: Node, wanted_text: str, got_text: str) -> bool:
    units = [u for u in (_half_unit(wanted_text), _half_unit(got_text)) if u is not None]
    shapes = [
        node[0] in ("number", "add", "sub", "mul", "div", "neg", "pow", "call", "constant") for node in (wanted, got)
    ]
    return bool(units) and all(shapes) and close(wanted, got, max(units))


def _examples() -> list[tuple[Problem, str, Outcome]]:
    chain = parse_sum("3+5-2=?")
    root = parse_row('{"prompt": "Simplify the square root of 8.", "answer": "2\\\\sqrt{2}", "verifier": "symbolic"}')
    assert chain is not None and root is not None
    return [
        (chain, "8-2\n#### 6", "correct"),
        (chain, "8-2\n#### 12/2", "correct"),
        (chain, "8-2\n#### 7", "incorrect"),
        (chain, "8-2\n6", "no_answer"),
        (chain, "#### 5 or 6", "incorrect"),
        (chain, '#### __import__("os").system("id")', "no_answer"),
        (root, "\\boxed{\\sqrt{8}}", "correct"),
        (root, "\\boxed{\\frac{4}{\\sqrt 2}}", "correct"),
        (root, "\\boxed{2\\sqrt{3}}", "incorrect"),
        (root, "\\boxed{2.828}", "unverified"),
    ]


EXAMPLES = _examples()
