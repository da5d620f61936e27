"""Sums of monomials with rational coefficients and exponents, over numbered atoms: arithmetic, powers, whether it is 0.

An atom is a tuple whose first member says what it is: ("prime", p), ("i",), ("sum", terms) for a sum under a root or a
fraction bar, and whatever `_algebra.py` adds. Primes under roots are independent, so that sums of radicals cancel when
they are equal. Bounded by MAX_TERMS; no floating point. Knows no trees.
"""

from fractions import Fraction
from math import gcd, lcm
from typing import Any

MAX_TERMS = 600
MAX_POWER = 40  # of a sum that is multiplied out
MAX_ROUNDS = 12  # of clearing denominators
MAX_FACTOR = 2_000  # largest prime that is looked for
MAX_RADICAND = 64  # bits of a number under a root
MAX_BITS = 100_000  # of a power

Number = int | Fraction
Monomial = tuple[tuple[int, Number], ...]  # (atom, exponent), sorted by atom
Sum = dict[Monomial, Number]

ONE: Sum = {(): 1}


class Unproved(ValueError):
    """Beyond this algebra."""


class Sums:
    """The atoms that were met, numbered in that order. One object per question."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._atoms: list[Any] = []
        self._i = self.atom(("i",))

    def atom(self, atom: Any) -> int:
        if atom not in self._numbers:
            self._numbers[atom] = len(self._atoms)
            self._atoms.append(atom)
        return self._numbers[atom]

    def kind(self, number: int) -> Any:
        """The atom of that number."""
        return self._atoms[number]

    def single(self, atom: Any, exponent: Number = 1) -> Sum:
        return {((self.atom(atom), exponent),): 1}

    def add(self, a: Sum, b: Sum, sign: int = 1) -> Sum:
        found = dict(a)
        for monomial, c in b.items():
            total = found.get(monomial, 0) + sign * c
            if total:
                found[monomial] = total
            else:
                found.pop(monomial, None)
        return found

    def mul(self, a: Sum, b: Sum) -> Sum:
        if len(a) * len(b) > 4 * MAX_TERMS:
            raise Unproved("too many terms")
        found: Sum = {}
        for m, c in a.items():
            for n, d in b.items():
                factor, monomial = self.times(m, n)
                total = found.get(monomial, 0) + c * d * factor
                if total:
                    found[monomial] = total
                else:
                    found.pop(monomial, None)
        if len(found) > MAX_TERMS:
            raise Unproved("too many terms")
        return found

    def times(self, m: Monomial, n: Monomial) -> tuple[Number, Monomial]:
        """The product of two monomials: what became rational, and the rest."""
        if not m or not n:
            return 1, m or n
        exponents = dict(m)
        for atom, exponent in n:
            exponents[atom] = exponents.get(atom, 0) + exponent
        return self.reduced(exponents)

    def reduced(self, exponents: dict[int, Number]) -> tuple[Number, Monomial]:
        """Primes keep exponents in [0, 1) and i the exponents 0 and 1."""
        factor: Number = 1
        kept = []
        for atom, exponent in sorted(exponents.items()):
            if exponent == 0:
                continue
            what = self._atoms[atom]
            if what[0] == "prime":
                whole = exponent.__floor__()
                exponent -= whole
                factor *= Fraction(what[1]) ** whole
            elif atom == self._i and exponent == int(exponent):
                quarter = int(exponent) % 4
                factor, exponent = (-factor if quarter > 1 else factor), quarter % 2
            if exponent:
                kept.append((atom, int(exponent) if exponent == int(exponent) else exponent))
        return factor, tuple(kept)

    def power(self, base: Sum, exponent: Fraction) -> Sum:
        """A sum to a rational power: content comes out of the root, the rest is an atom unless it can be multiplied."""
        if exponent == 0:
            return ONE
        if not base:
            if exponent < 0:
                raise ZeroDivisionError
            return {}
        if exponent.denominator == 1 and 0 < exponent <= MAX_POWER and len(base) > 1:
            try:
                return self.repeated(base, int(exponent))
            except Unproved:
                pass
        coefficient, monomial, primitive = self.parts(base, keep_sign=exponent.denominator != 1)
        found = self.mul(self.number(Fraction(coefficient), exponent), self.raised(monomial, exponent))
        if len(primitive) == 1:
            return found
        if exponent == Fraction(1, 2) and (plain := self.denested(primitive)):
            return self.mul(found, plain)
        return self.mul(found, self.single(("sum", frozenset(primitive.items())), exponent))

    def repeated(self, base: Sum, exponent: int) -> Sum:
        found = ONE
        while exponent:
            if exponent & 1:
                found = self.mul(found, base)
            exponent >>= 1
            base = self.mul(base, base) if exponent else base
        return found

    def raised(self, monomial: Monomial, exponent: Fraction) -> Sum:
        if exponent.denominator != 1 and any(a == self._i for a, _ in monomial):
            raise Unproved("a root of i")
        factor, kept = self.reduced({a: Fraction(e) * exponent for a, e in monomial})
        return {kept: factor}

    def number(self, value: Fraction, exponent: Fraction) -> Sum:
        """A rational to a rational power, over its primes."""
        if exponent.denominator == 1:
            if abs(exponent) * max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
                raise Unproved("too large")
            return {(): value**exponent.numerator}
        sign = ONE
        if value < 0:
            if exponent.denominator == 2:
                sign = {self.times(((self._i, 1),), ())[1]: 1}
                sign = self.power(sign, Fraction(exponent.numerator))
            elif exponent.denominator % 2:
                sign = {(): (-1) ** exponent.numerator}
            else:
                raise Unproved("a root of a negative number")
        exponents: dict[int, Number] = {}
        for prime, count in factors(abs(value)).items():
            exponents[self.atom(("prime", prime))] = count * exponent
        factor, kept = self.reduced(exponents)
        return self.mul(sign, {kept: factor})

    def parts(self, base: Sum, keep_sign: bool) -> tuple[Number, Monomial, Sum]:
        """Rational content, common monomial, and the primitive rest."""
        if len(base) == 1:
            ((monomial, c),) = base.items()
            return c, monomial, ONE
        common = dict(next(iter(base)))
        for monomial in base:
            here = dict(monomial)
            common = {a: min(common.get(a, 0), here.get(a, 0)) for a in {*common, *here}}
        common = {a: e for a, e in common.items() if e and a != self._i}
        inverse = tuple(sorted((a, -e) for a, e in common.items()))
        rest = self.mul(base, {inverse: 1}) if inverse else base
        values = [Fraction(c) for c in rest.values()]
        content = Fraction(gcd(*(v.numerator for v in values)), lcm(*(v.denominator for v in values)))
        if not keep_sign and rest[min(rest)] < 0:
            content = -content
        return content, tuple(sorted(common.items())), {m: c / content for m, c in rest.items()}

    def denested(self, base: Sum) -> Sum | None:
        """sqrt(a + b sqrt n) as a sum of two square roots, where it is one."""
        if len(base) != 2 or () not in base:
            return None
        ((root, b),) = ((m, c) for m, c in base.items() if m)
        if any(self._atoms[atom][0] != "prime" or e != Fraction(1, 2) for atom, e in root):
            return None
        square = self.mul({root: b}, {root: b}).get((), 0)
        a = Fraction(base[()])
        rest = self.number(a * a - square, Fraction(1, 2)) if a > 0 and a * a > square else {}
        if set(rest) != {()}:
            return None
        outer, inner = ((a + s * rest[()]) / 2 for s in (1, -1))
        first, second = (self.number(Fraction(v), Fraction(1, 2)) for v in (outer, inner))
        return self.add(first, second, 1 if b > 0 else -1)

    def is_zero(self, found: Sum) -> bool:
        """Whether a sum cancels, once no sum is left under a fraction bar and whole powers are multiplied out."""
        for _ in range(MAX_ROUNDS):
            if not found:
                return True
            lowest: dict[int, Number] = {}
            for monomial in found:
                for atom, exponent in monomial:
                    if self._atoms[atom][0] == "sum":
                        lowest[atom] = min(lowest.get(atom, 0), exponent.__floor__())
            down = {a: e for a, e in lowest.items() if e < 0}
            if down:
                found = self.mul(found, {tuple(sorted((a, -e) for a, e in down.items())): 1})
            cleared = self.multiplied_out(found)
            if cleared == found and not down:
                return False
            found = cleared
        return False

    def multiplied_out(self, found: Sum) -> Sum:
        total: Sum = {}
        for monomial, c in found.items():
            term: Sum = {(): c}
            for atom, exponent in monomial:
                what, whole = self._atoms[atom], exponent.__floor__()
                if what[0] == "abs":
                    whole -= whole % 2  # of real numbers
                if what[0] in ("sum", "abs") and 0 < whole <= MAX_POWER:
                    term = self.mul(term, self.repeated(dict(what[1]), whole))
                    exponent -= whole
                if exponent:
                    term = self.mul(term, {((atom, exponent),): 1})
            total = self.add(total, term)
        return total


def factors(value: Fraction) -> dict[int, int]:
    """Primes and their exponents; a large rest counts as a prime."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 8 * MAX_RADICAND:
        raise Unproved("too large to factor")
    found: dict[int, int] = {}
    for number, sign in ((value.numerator, 1), (value.denominator, -1)):
        prime = 2
        while prime * prime <= number and prime <= MAX_FACTOR:
            while number % prime == 0:
                number //= prime
                found[prime] = found.get(prime, 0) + sign
            prime += 1 + (prime > 2)
        if number > 1:
            found[number] = found.get(number, 0) + sign
    return {prime: count for prime, count in found.items() if count}
