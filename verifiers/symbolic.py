r"""Mathematical equality of the final answer and the gold: exact rationals first, else two deciders that must agree.

`correct` takes a proof; `incorrect` takes a difference; what is neither is `unverified`, and an answer that cannot be
read is `no_answer`, never a guess at its meaning. A gold that cannot be read meets only the same text. Policies:

- **Decimals** are exact, but a decimal gold of two digits or more (`0.33`, `7.78`) admits what is strictly within half
  a unit of its last place. An exact gold against a rounded decimal is `unverified`.
- **Percents**: `28%` is 28/100 and also meets `28`, its sign left out; a percent against a gold that is none is
  `unverified`, so that 75, 0.75 and 75% never meet all three.
- **Units** convert (`1 km` is `1000 m`); one side may leave its unit out; two that measure different things differ. A
  word that is no unit counts things. Degrees are pi/180, but a bare number against `90^\circ` has left its unit out.
- **Bases**: `1011_2` meets the same digits in the same base; a plain gold meets any numeral of its value.
- **Names** may be left out (`x = 5`, `f(x) = 2x`, `AB = 4`); values of several names count in their order.
- **Lists** and sets have no order, tuples have; repetition counts except in sets and lists of tuples. `(1,2)` as an
  interval meets `1 < x < 2`. A tuple is a column, and a bare list of three or more in the same order.
- **Identity** is asked over the reals where the gold is defined: `\ln x^2` meets a gold `2\ln x`, not the reverse.
  Equations may differ by a constant factor, inequalities by a positive one; those in one unknown compare as sets.
- **`log`** without a base has an unknown one. A chain `a = b \approx c` is `b`, if its sides agree. Words: `_words.py`.
Not here: sums with dots, integrals, congruences, dates: the same text or `unverified`.
"""

import re
from fractions import Fraction

from data import gold
from data.domains.chain_sum import parse as parse_sum
from data.domains.file import parse as parse_row
from data.records import Outcome, Problem, Verdict
from verifiers._answers import same
from verifiers._copied import repeats
from verifiers._exact import Unbounded, apart, plain, quick, rational
from verifiers._extract import extract, known_answer, normalise
from verifiers._grammar import Node, Unreadable, parse
from verifiers._tokens import MAX_LENGTH
from verifiers._units import Unit, ratio, split
from verifiers._values import Undecidable
from verifiers._words import Decided, canonical, choice, clock, meant, words

VERSION = 4

MAX_ITEMS = 20
_PERCENT = re.compile(
    r"(.*?)\s*(?:\\?%|(?<![A-Za-z])(?:percentage|percent|pct)|\\(?:text|mathrm|textrm)\s*\{\s*(?:\\?%|percent)\s*\})",
    re.DOTALL,
)
_BETWEEN = re.compile(r"\s*(?:[,;]|(?<![A-Za-z])and(?![A-Za-z])|\\text\s*\{\s*(?:,\s*)?and\s*\})\s*")
_LETTER_UNIT = re.compile(r"\d\s+[mghsl]$|m\s*\^\s*\{?[23]\}?$")  # after a number, against a plain number
_COMMA = re.compile(r"-?\d+,\d+")
_HALF_TURN: Node = ("div", ("constant", "pi"), ("number", Fraction(180)))


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
    if outcome == "correct" and repeats(problem.prompt, found.answer, value):
        outcome, reason = "no_answer", "repeats the question"
    return Verdict(outcome, f"{found.reason}: {reason}", found.answer, "symbolic", VERSION)


def compare(known: str, answer: str) -> tuple[Outcome, str]:
    """The outcome for a bare answer, and why."""
    found = quick(known, answer)
    if found is None:
        known, answer = _bare(known), _bare(answer)
        found = quick(known, answer)
    if found:
        return "correct", "equal exactly"
    if found is False and (apart(known, answer) or ("." not in known and "." not in answer)):
        return "incorrect", "another exact value"
    if max(len(known), len(answer)) > MAX_LENGTH:
        if known == answer:
            return "correct", "same text"
        return "no_answer" if len(known) <= MAX_LENGTH else "unverified", f"longer than {MAX_LENGTH} characters"
    if not answer:
        return "no_answer", "the answer is empty"
    if canonical(known) == canonical(answer) != "":
        return "correct", "same text"
    return choice(known, answer) or clock(known, answer) or _read(known, answer)


def _bare(text: str) -> str:
    """Normalised, without the dollars around it; a dollar alone may be money."""
    text = " ".join(normalise(text).split())
    while len(text) > 1 and text[0] == text[-1] == "$" and text[-2] != "\\":
        text = text[1:-1].strip()
    return text


def _read(known: str, answer: str) -> Decided:
    """By meaning: words, percents and units aside, then the trees."""
    known, answer = meant(known), meant(answer)
    if found := words(known, answer):
        return found
    if any(_COMMA.fullmatch(a) and a.replace(",", ".") == b for a, b in ((known, answer), (answer, known))):
        return "correct", "the same digits behind a decimal comma"
    percents = [_PERCENT.fullmatch(text) for text in (known, answer)]
    texts = [p[1].strip(" $\\") if p else text for p, text in zip(percents, (known, answer), strict=True)]
    try:
        if any(percents):
            return _percents(texts[0], texts[1], bool(percents[0]), bool(percents[1]))
        return _measured(known, answer)
    except Unreadable as e:
        return _by_items(known, answer) or ("no_answer" if _readable(known) else "unverified", f"cannot be read: {e}")
    except (Undecidable, Unbounded, RecursionError) as e:
        return "unverified", str(e) or "nested too deeply"


def _readable(text: str) -> bool:
    try:
        parse(split(text)[0])
    except Unreadable:
        return False
    return True


def _percents(known: str, answer: str, wanted: bool, got: bool) -> Decided:
    first, second = parse(known), parse(split(answer)[0] if wanted and not got else answer)
    hundredth = [("div", node, ("number", Fraction(100))) for node in (first, second)]
    if wanted and got:
        return _told(same(first, second))
    if wanted:
        if same(hundredth[0], second):
            return "correct", "the value of the percentage"
        found = same(first, second)
        number = rational(first)
        small = number is not None and -1 <= number <= 1
        return ("unverified", "a percentage or its hundredth") if found and small else _told(found)
    found = same(first, second) is not False or same(first, hundredth[1]) is not False
    return ("unverified", "a percent where the gold is none") if found else ("incorrect", "another value")


def _measured(known: str, answer: str) -> Decided:
    """With the units of both, which convert, or of one, which the other leaves out."""
    (first, wanted), (second, got) = split(known), split(answer)
    if wanted or got:
        (first, wanted), (second, got) = split(known, wanted is None), split(answer, got is None)
    elif plain(known) is not None and _LETTER_UNIT.search(answer):
        second, got = split(answer, lettered=True)
    if _turned(known, wanted) != _turned(answer, got):
        return _degrees(first, second, known, answer)
    if (
        wanted
        and got
        and wanted.known
        and got.known
        and wanted.measure != got.measure
        and wanted.measure
        and got.measure
    ):
        return "incorrect", "a unit of something else"
    left, right = _alike(first, second)
    left, right = _times(left, wanted), _times(right, got)
    if wanted and got and (factor := ratio(got, wanted)) and factor != 1:
        right = ("mul", right, ("number", factor))
    found = same(left, right)
    if wanted and got and wanted.measure != got.measure and wanted.measure and got.measure:
        return "unverified", "units of which one is not known"
    return _told(found)


def _turned(text: str, unit: Unit | None) -> bool:
    return "°" in text or "circ" in text or (unit is not None and unit.measure == (("deg", 1),))


def _degrees(first: str, second: str, known: str, answer: str) -> Decided:
    """Degrees on one side only: left out on the other, or radians there."""
    bare = [text.replace("°", "") for text in (first, second)]
    found = same(parse(bare[0]), parse(bare[1]))
    if found:
        return "correct", "equal but for the degree sign"
    return _told(same(parse(known), parse(answer)) or found)


def _alike(known: str, answer: str) -> tuple[Node, Node]:
    """The trees; `100,200,300` is three numbers where the other side is a list."""
    left, right = parse(known), parse(answer)
    listed = "number" in (left[0], right[0]) and {left[0], right[0]} & {"list", "set"}
    if listed and ",0" not in known + answer:
        return parse(known, grouped=False), parse(answer, grouped=False)
    return left, right


def _times(node: Node, unit: Unit | None) -> Node:
    return ("mul", node, ("number", Fraction(unit.factor))) if unit and unit.factor > 1 else node


def _by_items(known: str, answer: str) -> Decided | None:
    """Lists whose members have units or words, one by one in their order."""
    wanted, got = (_BETWEEN.split(text) for text in (known, answer))
    if not 1 < len(wanted) == len(got) <= MAX_ITEMS or any(c in known + answer for c in "()[]"):
        return None
    if all(a and b and compare(a, b)[0] == "correct" for a, b in zip(wanted, got, strict=True)):
        return "correct", "equal member by member"
    return None


def _told(found: bool | None) -> Decided:
    if found is None:
        return "unverified", "neither proved nor refuted"
    return ("correct", "proved equal") if found else ("incorrect", "another value")


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
