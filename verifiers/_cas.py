"""SymPy's opinion on whether a scalar tree is zero, for what `_algebra.py` does not prove. Built from our own tree.

Letters are positive, as there; `_values.py`, which must agree, tries the other signs. The expression is bounded before
SymPy sees it; no text reaches it.
"""

from typing import Any

from verifiers._exact import rational
from verifiers._scalars import Node
from verifiers._values import Undecidable

MAX_EXPONENT = 60  # of a power
MAX_ROOT = 100  # largest denominator of an exponent
MAX_PARTS = 120  # nodes of a tree
MAX_RADICALS = 4  # whose minimal polynomial is computed
MAX_DEGREE = 64

_NAMES: dict[str, str] = {
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "ceil": "ceiling",
    "abs": "Abs",
}


def vanishes(node: Node) -> bool:
    """Whether SymPy simplifies a tree to zero. Raises Undecidable beyond the bounds."""
    import sympy

    if size(node) > MAX_PARTS:
        raise Undecidable("too large for exact algebra")
    difference = built(node)
    radicals = [p.exp for p in difference.atoms(sympy.Pow) if p.exp.is_Rational and p.exp.q > 1]
    if not difference.free_symbols and difference.is_algebraic:
        degree = 1
        for exponent in radicals:
            degree *= exponent.q
        if len(radicals) > MAX_RADICALS or degree > MAX_DEGREE:
            return False
        return bool(sympy.minimal_polynomial(difference, sympy.Symbol("x")) == sympy.Symbol("x"))
    for attempt in (lambda d: sympy.cancel(sympy.together(d)), sympy.trigsimp, sympy.simplify):
        difference = attempt(difference)
        if difference == 0:
            return True
    return False


def size(node: Node) -> int:
    """Nodes of a tree."""
    return 1 + sum(size(part) for part in node[1:] if isinstance(part, tuple))


def built(node: Node) -> Any:
    """The SymPy expression of a scalar tree. Raises Undecidable for powers beyond the bounds."""
    import sympy

    known = rational(node)
    if known is not None:
        return sympy.Rational(known.numerator, known.denominator)
    kind, *parts = node
    match kind:
        case "letter":
            return sympy.Symbol(parts[0], positive=True)
        case "constant" if parts[0] in ("pi", "e", "i"):
            return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I}[parts[0]]
        case "call":
            return getattr(sympy, _NAMES.get(str(parts[0]), str(parts[0])))(built(parts[1]))
        case "apply":
            return sympy.Function(parts[0])(*map(built, parts[1:]))
        case "factorial":
            return sympy.factorial(built(parts[0]))
        case "neg":
            return -built(parts[0])
        case "add":
            return built(parts[0]) + built(parts[1])
        case "sub":
            return built(parts[0]) - built(parts[1])
        case "mul":
            return built(parts[0]) * built(parts[1])
        case "binom":
            return sympy.binomial(built(parts[0]), built(parts[1]))
    if kind not in ("div", "pow"):
        raise Undecidable(f"no algebra for {kind}")
    left, right = built(parts[0]), built(parts[1])
    if kind == "div":
        if right == 0:
            raise Undecidable("a division by zero")
        return left / right
    return _power(left, right)


def _power(base: Any, exponent: Any) -> Any:
    if exponent.is_number and abs(exponent.evalf(10)) > MAX_EXPONENT:
        raise Undecidable(f"an exponent beyond {MAX_EXPONENT}")
    if exponent.is_Rational and exponent.q > MAX_ROOT:
        raise Undecidable(f"a root beyond {MAX_ROOT}")
    if exponent.is_Rational and exponent.q % 2 and exponent.q > 1 and base.is_negative:
        return (-1) ** exponent.p * (-base) ** exponent  # the real root
    return base**exponent
