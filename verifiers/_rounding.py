"""Decimals that stand for a rounded value. A decimal gold of two digits or more admits what rounds to it, strictly.

An answer that is a decimal and only near the gold is neither right nor wrong: None. Not here: percents, units.
"""

from fractions import Fraction

from verifiers._deciders import difference, equal, letters
from verifiers._exact import rational
from verifiers._scalars import Node

MIN_DIGITS = 2  # significant digits of a gold that may be a rounded one
MAX_SHIFT = 4_000  # bits of a power of ten


def same_scalar(gold: Node, answer: Node) -> bool | None:
    """`equal`, but for rounding. Raises Undecidable."""
    found = equal(gold, answer)
    if found is not False:
        return found
    wanted, got = half_unit(gold), half_unit(answer)
    if (not wanted and not got) or letters(gold) | letters(answer):
        return found
    distance = difference(gold, answer)
    if distance is None:
        return found
    if wanted and distance < wanted and _digits(gold, wanted) >= MIN_DIGITS:
        return True
    return None if distance <= max(wanted, got) else found


def half_unit(node: Node) -> Fraction:
    """Half a unit of the last place of a decimal, also of a negative or a scaled one; 0 for everything else."""
    if node[0] == "number":
        return Fraction(1, 2 * 10 ** node[2]) if len(node) > 2 else Fraction(0)
    if node[0] == "neg":
        return half_unit(node[1])
    if node[0] in ("mul", "div") and _is_shift(scale := rational(node[2]) or Fraction(0)):
        return half_unit(node[1]) * (abs(scale) if node[0] == "mul" else 1 / abs(scale))
    return Fraction(0)


def _digits(node: Node, half: Fraction) -> int:
    """Significant digits of a decimal with that half unit; 0 for `3.0`, which is a whole number."""
    known = rational(node)
    return len(str(abs(int(known / (2 * half))))) if known and known.denominator > 1 else 0


def _is_shift(scale: Fraction) -> bool:
    """Whether a factor is a power of ten."""
    if max(scale.numerator.bit_length(), scale.denominator.bit_length()) > MAX_SHIFT:
        return False
    return all(str(part).strip("0") == "1" for part in (abs(scale.numerator), scale.denominator))
