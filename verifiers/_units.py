r"""Units at the end of an answer: what they measure, and how they convert. Lengths, masses, times, money and more.

`split` cuts `10 cm`, `5 \text{ m}^2`, `\$3`, `3 million dollars`, `17 \text{ apples}` into a value and its unit. A word
that is no unit counts as the thing that is counted. A bare single letter is only a unit where the caller says so: `5m`
may be a product. Degrees are units except under a function. Not here: percents, clock times.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from verifiers._spelling import KNOWN_WORDS

_SIZES = """
m 1/1000 mm millimeter | m 1/100 cm centimeter | m 1/10 dm decimeter | m 1 m meter | m 1000 km kilometer
m 0.0254 in inch | m 0.3048 ft foot feet | m 0.9144 yd yard | m 1609.344 mi mile
g 1/1000 mg milligram | g 1 g gram | g 1000 kg kilogram | g 1000000 tonne | ton 1 ton
g 453.59237 lb pound | g 28.349523125 oz ounce
s 1/1000 ms millisecond | s 1 s sec second | s 60 min minute | s 3600 h hr hour | s 86400 day | s 604800 week
year 1/12 month | year 1 yr year | year 10 decade | year 100 century
dollar 1/100 cent | dollar 1 dollar buck usd | euro 1 euro | yuan 1 yuan | rupee 1 rupee
deg 1 ° deg degree | rad 1 rad radian | degF 1 °f fahrenheit | degC 1 °c celsius | kelvin 1 kelvin
gallon 1 gallon | acre 1 acre | unit 1 unit | hz 1 hz | mol 1 mol mole | volt 1 v volt | amp 1 a amp ampere
J 1 j joule | J 1000 kj | W 1 w watt | W 1000 kw | N 1 n newton | Pa 1 pa | Pa 1000 kpa
"""  # base unit, size, names
_NAMES = {
    name: (base, Fraction(size))
    for base, size, *names in map(str.split, _SIZES.strip().replace("\n", "|").split("|"))
    for name in names
}
_VOLUMES = {
    "l": Fraction(1, 1000),
    "liter": Fraction(1, 1000),
    "ml": Fraction(1, 10**6),
    "milliliter": Fraction(1, 10**6),
    "cc": Fraction(1, 10**6),
}
_SPEEDS = {"mph": Fraction(1609344, 3600000), "kph": Fraction(1000, 3600), "kmph": Fraction(1000, 3600)}
_COUNTS = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SHORT = ("m", "g", "s", "h", "l", "n", "j", "w", "v", "a")  # a unit only inside \text, or where the caller says so
_UNCOUNTED = """
and or not no if when where except squared cubed factorial half halves third thirds quarter quarters tenth
tenths fifth hundredth hundredths thousandth thousandths base binary hex octal percent percentage pct times more
less fewer mod modulo to by plus minus negative remainder pairs pi infinity from between with without of is are
at am pm over about approximately wide tall long sin cos tan log ln for all real e i pair score fourth sixth
seventh eighth ninth twelfth ten one two three four five six seven eight nine eleven twelve twenty thirty forty
fifty point repeating recurring inverse transpose prime complement power root choose rem digits significant
decimal decimals places written also maybe probably either neither both none nor but then thus hence so because
since which that this what dot cross open closed increasing decreasing max min
"""
_NOT_COUNTED = frozenset(_UNCOUNTED.split())
_GROUP = r"\\(?:text|textnormal|textrm|textup|textbf|textit|mathrm|mathit|mbox|hbox|operatorname|rm)\s*\{[^{}]*\}"
_POWER = r"(?:\s*\^\s*(?:\{\s*-?[1-3]\s*\}|-?[1-3]))?"
_BARE = r"(?:(?<![A-Za-z\\])[A-Za-z]{2,}|(?<=/)\s*[mghsl])(?![A-Za-z])"
_LINK = r"(?:[\s~/·.-]|\\[,;: !]|\\cdot(?![a-z]))*+"  # possessive, here and below: floods must not backtrack
_TAIL = re.compile(
    rf"(?P<value>.*?[\d)\]}}|.!a-z]?)(?P<unit>(?:\\[,;: !]|[\s~])*+"
    rf"(?:(?:{_GROUP}|{_BARE}|°\s*[CF]?(?![A-Za-z])){_POWER}{_LINK})++)",
    re.DOTALL,
)
_LETTERED = re.compile(
    rf"(?P<value>.*[\d)}}])(?P<unit>\s*[A-Za-z](?![A-Za-z]){_POWER}(?:\s*/\s*[a-z]{{1,3}}(?![A-Za-z]){_POWER})?)",
    re.DOTALL,
)
_VALUE = re.compile(r".*(?:[\d)\]}|.!]|\\pi|(?<![A-Za-z])[A-Za-z])", re.DOTALL)
_PLAIN_VALUE = re.compile(r".*(?:[\d)\]}.!]|\\pi|π)", re.DOTALL)
_DEGREE = re.compile(r"\s*\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-z]))|\\degree(?![a-z])|º")
_MONEY = re.compile(r"(?P<sign>-?)\s*\\?(?P<mark>\$|€|£|¥)\s*(?P<value>[\d.\\(].*)", re.DOTALL)
_MONEY_AFTER = re.compile(r"(?P<value>.*[\d}])\s*\\?(?P<mark>\$|€|£|¥)", re.DOTALL)
_CURRENCIES = {"$": "dollar", "€": "euro", "£": "sterling", "¥": "yen"}
_WORD = re.compile(r"°\s*[CF]?|[A-Za-z]+|\^\s*\{?\s*(-?\d)\s*\}?|/")
_RAISED = re.compile(r"\^\s*\{?\s*-?\d\s*\}?")
_COMPOUND = re.compile(r"(?P<first>\d.*[A-Za-z}])\s*(?:and\s+)?(?P<second>\d+(?:\.\d+)?)", re.DOTALL)
_NUMBER = re.compile(r"\d+")
_ORDINAL = re.compile(r"(?P<value>\d+)\s*\^?\s*\{?\s*(?:\\(?:text|mathrm|textrm)\s*\{\s*)?(?:st|nd|rd|th)\s*\}?\s*\}?")


@dataclass(frozen=True, slots=True)
class Unit:
    """`scale` base units of `measure` (base units and powers, sorted); `factor`: what `million` multiplies by."""

    measure: tuple[tuple[str, int], ...]
    scale: Fraction
    factor: int = 1
    known: bool = True


def split(text: str, lettered: bool = False) -> tuple[str, Unit | None]:
    """The value and the unit; `lettered`: a single letter after the value is one."""
    text = _DEGREE.sub("°", text)
    if money := _MONEY.fullmatch(text):
        value, more = split(money["value"])
        factor = more.factor if more else 1
        return money["sign"] + value, Unit(((_CURRENCIES[money["mark"]], 1),), Fraction(1), factor)
    if money := _MONEY_AFTER.fullmatch(text):
        return money["value"], Unit(((_CURRENCIES[money["mark"]], 1),), Fraction(1))
    if ordinal := _ORDINAL.fullmatch(text.strip()):
        return ordinal["value"], Unit((("ordinal", 1),), Fraction(1))
    found = [pattern.fullmatch(text) for pattern in ((_TAIL, _LETTERED) if lettered else (_TAIL,))]
    match = next((m for m in found if m and _VALUE.fullmatch(m["value"].strip())), None)
    if match is None or "\\begin" in text:
        return text, None
    value, tail = match["value"].strip(), match["unit"]
    if "°" in tail and re.search(r"sin|cos|tan|sec|csc|cot|,|;|or|and", value):
        return text, None
    grouped = "{" in tail
    if not grouped and not _PLAIN_VALUE.fullmatch(value):
        return text, None  # 2x cm
    unit = _read(tail, grouped or lettered or "/" in tail)
    if unit and (compound := _COMPOUND.fullmatch(value)):
        value = _sum(compound, unit) or value
    return (value.rstrip("\\ ~") if not value.endswith("\\\\") else value, unit) if unit else (text, None)


def _sum(more: re.Match[str], unit: Unit) -> str:
    """The `1 hour 30` of `1 hour 30 minutes` in minutes; empty where the units do not fit."""
    value, larger = split(more["first"])
    size = ratio(larger, unit) if larger and unit.known else None
    return f"({value})*({size})+{more['second']}" if size and size > 1 and _NUMBER.fullmatch(value) else ""


def ratio(first: Unit, second: Unit) -> Fraction | None:
    """How many of the second one of the first is; None where they measure different things."""
    return first.scale / second.scale if first.measure == second.measure else None


def _read(tail: str, short: bool) -> Unit | None:
    text, tail = tail, re.sub(r"\\[A-Za-z]+\s*\{|\\[A-Za-z]+|\\.", " ", tail)
    if re.search(r"\d", _RAISED.sub("", tail)):  # \text{ base 3}
        return None
    measure: dict[str, int] = {}
    scale, factor, sign, waiting, known = Fraction(1), 1, 1, 1, True
    last = ("", 0, Fraction(1))
    for match in _WORD.finditer(tail):
        word = match[0]
        if word == "/" or word.lower() == "per":
            sign = -1
        elif word[0] == "^":
            extra = int(match[1]) * last[1] - last[1]
            measure[last[0]] = measure.get(last[0], 0) + extra
            scale *= last[2] ** (int(match[1]) - 1)
        elif word.lower() in ("square", "sq", "cubic"):
            waiting = 3 if word.lower() == "cubic" else 2
        elif word.lower() in _SPEEDS:
            scale *= _SPEEDS[word.lower()]
            measure |= {"m": measure.get("m", 0) + 1, "s": measure.get("s", 0) - 1}
        elif (count := _COUNTS.get(word.lower().removesuffix("s"))) is not None:
            factor *= count
        else:
            found = _unit(re.sub(r"\s", "", word), short, "{" in text)
            if found is None:
                return None
            base, power, one = found
            known = known and not base.startswith("#")
            last = (base, sign * power * waiting, one ** (sign * waiting))
            measure[base] = measure.get(base, 0) + last[1]
            scale, waiting, sign = scale * last[2], 1, 1
    if waiting > 1:  # 10 square
        return None
    kept = tuple(sorted((base, power) for base, power in measure.items() if power))
    return Unit(kept, scale, factor, known) if kept or factor > 1 else None


def _unit(word: str, short: bool, grouped: bool) -> tuple[str, int, Fraction] | None:
    """Base unit, its power and the size; a word that is no unit is a thing that is counted."""
    name = word.lower().replace("metre", "meter").replace("litre", "liter")
    for form in (name, name.removesuffix("s"), name.removesuffix("es")):
        if form in _VOLUMES and (len(word) > 1 or short):
            return "m", 3, _VOLUMES[form]
        if form in _NAMES and (form not in _SHORT or short) and (len(form) > 1 or word in "mgshNJWVAl°"):
            base, size = _NAMES[form]
            return base, 1, size
    known = {name, name.removesuffix("s")} & (_NOT_COUNTED | KNOWN_WORDS)
    if len(name) < 4 - grouped or known:
        return None
    return "#" + name.removesuffix("s"), 1, Fraction(1)
