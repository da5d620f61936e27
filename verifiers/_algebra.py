r"""Exact algebra of our own: a scalar tree as a sum of monomials, in which equal things cancel. Decides most rows.

Letters count as positive here; `_values.py`, which must agree, tries the other signs. A term is a rational coefficient
and a monomial, rational exponents over atoms: primes, letters, pi, i, exponentials, sums under a root or a fraction
bar, functions of whatever. Sines and the like become exponentials, logarithms of products sums. `vanishes` is True
only with a proof; False says nothing. No floating point, no library.
"""

from fractions import Fraction
from typing import Any

from verifiers._exact import Unbounded, rational
from verifiers._scalars import Node
from verifiers._sums import ONE, Monomial, Sum, Sums, Unproved, factors

_COSINES: dict[Fraction, tuple[tuple[Fraction, int], ...]] = {  # of r*pi, as sums of c*sqrt(n)
    Fraction(0): ((Fraction(1), 1),),
    Fraction(1, 12): ((Fraction(1, 4), 6), (Fraction(1, 4), 2)),
    Fraction(1, 6): ((Fraction(1, 2), 3),),
    Fraction(1, 5): ((Fraction(1, 4), 5), (Fraction(1, 4), 1)),
    Fraction(1, 4): ((Fraction(1, 2), 2),),
    Fraction(1, 3): ((Fraction(1, 2), 1),),
    Fraction(2, 5): ((Fraction(1, 4), 5), (Fraction(-1, 4), 1)),
    Fraction(5, 12): ((Fraction(1, 4), 6), (Fraction(-1, 4), 2)),
    Fraction(1, 2): (),
}


def vanishes(node: Node) -> bool:
    """Whether a tree is shown to be zero, wherever it is defined and all letters are positive."""
    try:
        algebra = _Algebra()
        return algebra.is_zero(algebra.of(node))
    except (Unproved, Unbounded, OverflowError, ZeroDivisionError):
        return False


class _Algebra(Sums):
    """Trees as sums."""

    def of(self, node: Node) -> Sum:
        """The sum of a scalar tree. Raises Unproved."""
        known = rational(node)
        if known is not None:
            return {(): known} if known else {}
        kind, *parts = node
        match kind:
            case "letter":
                return self.single(("letter", parts[0]))
            case "constant":
                return self.constant(parts[0])
            case "neg":
                return self.mul({(): -1}, self.of(parts[0]))
            case "add" | "sub":
                return self.add(self.of(parts[0]), self.of(parts[1]), 1 if kind == "add" else -1)
            case "mul":
                return self.mul(self.of(parts[0]), self.of(parts[1]))
            case "div":
                return self.mul(self.of(parts[0]), self.power(self.of(parts[1]), Fraction(-1)))
            case "pow":
                return self.exponential(parts[0], parts[1])
            case "call":
                return self.call(parts[0], self.of(parts[1]))
        name = parts[0] if kind == "apply" else ""
        arguments = tuple(frozenset(self.of(p).items()) for p in parts[bool(name) :])
        return self.single((kind, name, arguments))

    def constant(self, name: str) -> Sum:
        if name == "e":
            return self.single(("to", "e", ()))
        if name not in ("pi", "i"):
            raise Unproved(f"{name} is no number")
        return self.single((name,))

    def exponential(self, base: Node, exponent: Node) -> Sum:
        """b^(r + c m + ...) as b^r times atoms b^m, each to the power c."""
        if (known := rational(exponent)) is not None:
            return self.power(self.of(base), known)
        powers = self.of(exponent)
        if base == ("constant", "e"):
            return self.exp(powers)
        found = self.power(self.of(base), Fraction(powers.get((), 0)))
        number = rational(base)
        for monomial, c in powers.items():
            if monomial and number is not None and number > 0:
                for prime, count in factors(number).items():
                    found = self.mul(found, self.prime_power(prime, monomial, Fraction(c * count)))
            elif monomial:
                key = frozenset(self.of(base).items())
                found = self.mul(found, self.single(("to", key, monomial), c))
        return found

    def prime_power(self, prime: int, monomial: Monomial, exponent: Fraction) -> Sum:
        """p^(r m), which is e^(r m ln p) where m is divided by ln p."""
        if any(self.kind(a) == ("ln", prime) for a, e in monomial if e < 0):
            factor, with_log = self.times(monomial, ((self.atom(("ln", prime)), 1),))
            return self.exp({with_log: exponent * factor})
        return self.single(("to", prime, monomial), exponent)

    def exp(self, powers: Sum) -> Sum:
        """e to a sum; imaginary multiples of pi turn into their values."""
        found, turn = ONE, ((self.atom(("i",)), 1), (self.atom(("pi",)), 1))
        for monomial, c in powers.items():
            if monomial == turn and (cosine := self.cosine(Fraction(c))) is not None:
                sine = self.cosine(Fraction(1, 2) - c)
                found = self.mul(found, self.add(cosine, self.mul(self.single(("i",)), sine or {})))
            elif len(monomial) == 1 and monomial[0][1] == 1 and self.kind(monomial[0][0])[0] in ("ln", "ln of"):
                found = self.mul(found, self.unlogged(self.kind(monomial[0][0]), Fraction(c)))
            else:
                found = self.mul(found, self.single(("to", "e", monomial), c))
        return found

    def unlogged(self, atom: Any, exponent: Fraction) -> Sum:
        """e to a multiple of a logarithm."""
        if atom[0] == "ln of":
            return {((atom[1], exponent),): 1}
        return self.power({(): atom[1]} if isinstance(atom[1], int) else dict(atom[1]), exponent)

    def cosine(self, turns: Fraction) -> Sum | None:
        """cos(turns * pi), for the denominators that have radicals."""
        turns = abs(turns) % 2
        turns, sign = (2 - turns if turns > 1 else turns), 1
        if turns > Fraction(1, 2):
            turns, sign = 1 - turns, -1
        if turns not in _COSINES:
            return None
        found: Sum = {}
        for c, n in _COSINES[turns]:
            found = self.add(found, self.mul({(): sign * c}, self.number(Fraction(n), Fraction(1, 2))))
        return found

    def call(self, name: str, argument: Sum) -> Sum:
        if name == "exp":
            return self.exp(argument)
        if name == "ln":
            return self.ln(argument)
        if name in ("sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh"):
            return self.circular(name, argument)
        if name == "arccos":
            return self.add({((self.atom(("pi",)), 1),): Fraction(1, 2)}, self.call("arcsin", argument), -1)
        if name == "abs" and argument:
            coefficient, monomial, primitive = self.parts(argument, keep_sign=False)
            found: Sum = {monomial: abs(Fraction(coefficient))}
            if any(a == self._i for m in argument for a, _ in m):
                raise Unproved("the absolute value of a complex number")
            return found if len(primitive) == 1 else self.mul(found, self.single(("abs", frozenset(primitive.items()))))
        return self.single(("call", name, frozenset(argument.items())))

    def circular(self, name: str, argument: Sum) -> Sum:
        """Sine and cosine as exponentials, the others as quotients of them."""
        unit = ONE if name.endswith("h") else self.single(("i",))
        up = self.exp(self.mul(unit, argument))
        down = self.exp(self.mul({(): -1}, self.mul(unit, argument)))
        cosine = self.mul({(): Fraction(1, 2)}, self.add(up, down))
        sine = self.mul({(): Fraction(1, 2)}, self.mul(self.add(up, down, -1), self.power(unit, Fraction(-1))))
        over, under = {
            "sin": (sine, ONE), "cos": (cosine, ONE), "tan": (sine, cosine),
            "cot": (cosine, sine), "sec": (ONE, cosine), "csc": (ONE, sine),
        }[name.removesuffix("h")]  # fmt: skip
        return over if under == ONE else self.mul(over, self.power(under, Fraction(-1)))

    def ln(self, argument: Sum) -> Sum:
        if not argument:
            raise ZeroDivisionError
        coefficient, monomial, primitive = self.parts(argument, keep_sign=True)
        if coefficient < 0 or any(a == self._i for a, _ in monomial):
            raise Unproved("the logarithm of something not positive")
        found: Sum = {}
        for prime, count in factors(Fraction(coefficient)).items():
            found = self.add(found, self.mul({(): count}, self.single(("ln", prime))))
        for number, exponent in monomial:
            atom = self.kind(number)
            if atom[0] in ("prime", "sum"):
                part = self.mul({(): exponent}, self.single(("ln", atom[1])))
            elif atom[0] == "to":
                base = ONE if atom[1] == "e" else self.ln({(): atom[1]} if isinstance(atom[1], int) else dict(atom[1]))
                part = self.mul({atom[2]: exponent}, base)
            else:
                part = self.mul({(): exponent}, self.single(("ln of", number)))
            found = self.add(found, part)
        return found if len(primitive) == 1 else self.add(found, self.single(("ln", frozenset(primitive.items()))))
