r"""Probes of `symbolic`: the gold in many spellings, near misses, hedges, code in place of an answer.

Numbers are exact fractions here, so another number is another by construction. Of a gold that is no plain number only
its own text is certain to be right, and only a text that cannot be read as it is certain to be wrong.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from random import Random

from data import gold
from data.records import Problem
from verifiers.probes import Probe
from verifiers.probes._common import LONG, concluded, idle, lucky, sayable

_NUMBER = re.compile(r"-?\d{1,15}(?:/[1-9]\d{0,8}|\.\d{1,9})?")
_ASKED = re.compile(r"(?:,\s*\w+)?\s*=\s*\?\s*$")  # `=?` and `, x=?` at the end of a question
_SUM = re.compile(r"\d+(?:\s*[-+*]\s*\d+)+")
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def probes(problem: Problem, rng: Random, solution: str) -> Iterator[Probe]:
    """Fresh labelled attempts; none when the gold is no answer."""
    known = gold.load(problem.gold)
    if not isinstance(known, gold.Answer):
        return
    value = known.value.strip()
    number = Fraction(value) if _NUMBER.fullmatch(value) else None
    steps = solution or f"#### {value}"

    def say(kind: str, answers: list[str], accept: bool) -> Iterator[Probe]:
        return (Probe(kind, concluded(steps, answer), accept) for answer in answers)

    if number is not None or sayable(value):
        yield from _gold(value, steps, plain=not known.steps.kind)
    if number is not None:
        yield from say("spelling", _spellings(number, value, rng), True)
        yield from say("near_miss", _near_misses(number, value, rng), False)
        yield from say("listed", _lists(number, rng), False)
        yield from say("injected", _evaluated(number, rng), False)
        yield from say("copied", [sum_ for sum_ in _SUM.findall(problem.prompt) if sum_ != value], False)
    yield from say("injected", [f'__import__("os").getenv("{rng.randrange(99)}")', "eval(input())"], False)
    yield from say("listed", [f"{value} or {rng.randint(10**6, 10**7)}"], False)
    yield from say("over_long", ["9" * LONG, "(" * LONG], False)
    yield from say("changed_mind", [f"{value}\n#### {rng.randint(10**6, 10**7)}"], False)
    yield from lucky(known.steps, rng, solution)
    if known.steps.kind:
        yield from say("copied", [_ASKED.sub("", problem.prompt)], False)
    if known.steps.kind == "same_value":
        yield from say(
            "unfinished", [line for line in steps.split("\n")[:-1] if re.search(r"\d[+-]", line)][-1:], False
        )
    if not known.bare:  # else whatever stands last is the answer
        yield from idle(problem, rng, value)
        yield Probe("early_exit", steps.rpartition("####")[0], False)
        yield Probe("early_exit", concluded(steps, ""), False)
        yield Probe("unmarked", f"{steps.rpartition('####')[0]}{value}", False)
        yield Probe("unclosed", f"<think>\n{steps}", False)


def _gold(value: str, steps: str, plain: bool) -> Iterator[Probe]:
    """The gold itself; `plain`: no line is checked as a step, so that an answer may be marked in any way."""
    yield Probe("gold", steps, True)
    yield Probe("gold", f"<think>\nIs it 0?\n#### 0\n</think>\n{steps}", True)
    if plain and value.count("{") == value.count("}"):
        yield Probe("spelling", f"Therefore\n\\boxed{{{value}}}", True)


def _spellings(number: Fraction, value: str, rng: Random) -> list[str]:
    """Texts of this very number."""
    n, d, k = number.numerator, number.denominator, rng.randint(2, 9)
    sign = "-" if n < 0 else ""
    found = [f" {value}  ", f"${value}$", f"**{value}**", value.translate(_WIDE), f"{n * k}/{d * k}"]
    found += [f"{sign}\\frac{{{abs(n) * k}}}{{{d * k}}}", f"${sign}\\dfrac{{{abs(n) * k}}}{{{d * k}}}$"]
    if d == 1:
        found += [f"{n}.", f"{n}.{'0' * rng.randint(1, 3)}"]
    elif "." in value:
        found += [f"{n}/{d}", f"{value}0"]
    return found


def _near_misses(number: Fraction, value: str, rng: Random) -> list[str]:
    """Texts of other numbers. Those close to a decimal are a whole unit of its last place away."""
    n, d = number.numerator, number.denominator
    places = len(value.partition(".")[2])
    others = {number + Fraction(sign * k, 10**places) for sign in (-1, 1) for k in (1, rng.randint(2, 20))}
    others |= {-number, number * 10, number / 10, number + Fraction(1, 2), Fraction(n + d, d + 1)}
    others |= {Fraction(int(f"{n}{rng.randrange(10)}"), d), Fraction(d, n) if n else Fraction(1)} - {number}
    apart = Fraction(1, 10**places) if places else 0
    texts = [str(other) for other in sorted(others) if other != number and abs(other - number) >= apart]
    if d == 1 and not places:
        texts += [f"{n}.{'0' * rng.randint(3, 8)}1", f"{n}^{{2}}" if abs(n) > 1 else "2^{3}"]
    elif not places and any(d % prime == 0 for prime in (3, 7, 11, 13)):
        texts.append(f"{float(number):.4f}")  # rounded, since the fraction does not end
    return texts


def _lists(number: Fraction, rng: Random) -> list[str]:
    """The right number among others."""
    others = [number + k for k in (-1, 1, rng.randint(2, 9))]
    every = ", ".join(str(number.__floor__() + k) for k in range(-15, 16))
    some = [str(n) for n in rng.sample([number, *others], 4)]
    return [" or ".join(some), ", ".join(some), f"\\boxed{{{some[0]}}} or \\boxed{{{some[1]}}}", every]


def _evaluated(number: Fraction, rng: Random) -> list[str]:
    """Code that has the right value for whoever runs it, and none for whoever reads it."""
    n, name = f"({number})", f"v{rng.randrange(1000)}"
    found = [f'eval("{n}")', f'__import__("builtins").eval("{n}")', f"(lambda {name}: {name})({n})"]
    return [*found, f"[{name} for {name} in [{n}]][0]", f"{name} := {n}"]
