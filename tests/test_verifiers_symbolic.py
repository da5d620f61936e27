"""Mathematical equality: what is the same, what is not, what is not even read, and what must never be executed."""

import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers._extract import normalise
from verifiers.symbolic import compare

UNREAD = [
    "banana",
    "1012_2",
    r"1,2,\ldots,n",
    r"\foo{3}",
    "1..2",
    "2 3",
    "((1",
    "1)",
    "a,,",
    "",
    "9" * 499,
    "{" * 60,
]
INJECTED = [
    '__import__("os").system("touch {0}")',
    "eval(\"open('{0}','w')\")",
    "open('{0}','w').close()",
    "[].__class__.__base__.__subclasses__()",
    "(lambda: open('{0}','w'))()",
    "exec('import os; os.mkdir(\"{0}\")')",
    "x.__class__",
    'Symbol("x"); open("{0}","w")',
    'S(\'open("{0}","w")\')',
    'sympify(\'__import__("os").mkdir("{0}")\')',
    r"\write18{{touch {0}}}",
]
HUGE = [
    "9**9**9",
    "9^{9^{9^9}}",
    "99999999!",
    "exp(exp(exp(exp(9))))",
    "(x+y+z+1)^{9999}",
    "2^{2^{2^{2^{2^2}}}}",
    "10^{10^{10}}",
]
HUGE += [
    "(3000!)^{20}",
    "10^6" * 80,
    "(x+y+z+w+1)^{40}",
    "(a+b+c+d+f+g+h)^{9}(x+y+z+w+u+v)^{9}",
    r"\sin^{40} x",
    r"\sin 200x",
]
HUGE += [
    "9" * 10**6,
    "(" * 10**5,
    r"\sqrt{" * 30 + "2" + "}" * 30,
    r"\frac{1}{" * 30 + "2" + "}" * 30,
    "x" + "+x" * 240,
]
HUGE += [
    "+".join(rf"\sqrt{{{p}}}" for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)),
    r"\sqrt{1+\sqrt{2+\sqrt{3+\sqrt5}}}",
    "x!" * 60,
]
HUGE += [
    r"(0,1)\cup" * 40 + "(0,1)",
    ",".join(f"x^{i}" for i in range(60)),
    r"\begin{pmatrix}1&2\\3&x\end{pmatrix}" * 9,
    "-" * 400 + "1",
]
HUGE += [
    r"(\sqrt2+\sqrt3+\sqrt5)^{20}",
    r"\cos\frac{\pi}{17}\cos\frac{2\pi}{17}",
    "1:2" * 60,
    "1<2" * 60,
    r"\pm" * 60 + "1",
    "|" * 39 + "x" + "|" * 39,
]
HUGE += ["1e999999999", "((((x^9)^9)^9)^9)^9", r"\binom{99999}{5000}", "0^{0^{0}}", "1/0", "0^{-1}", "x^{x^{x^{x^x}}}"]


def _pairs(expectation: str) -> list[tuple[str, str]]:
    """The pairs of equivalence.txt whose section begins with `expectation`."""
    found, section = [], ""
    for line in (Path(__file__).parent / "equivalence.txt").read_text(encoding="utf-8").splitlines()[4:]:
        if line.startswith("[") and line.endswith("]") and " ~ " not in line:
            section = line[1:-1].partition(":")[0]
        elif line and section == expectation:
            gold, _, answer = line.partition(" ~ ")
            found.append((gold, answer))
    return found


@pytest.mark.parametrize(("gold", "answer"), _pairs("same"))
def test_same(gold: str, answer: str) -> None:
    for first, second in ((gold, answer), (answer, gold), (gold, gold), (answer, answer)):
        assert compare(first, second)[0] == "correct", compare(first, second)


@pytest.mark.parametrize(("gold", "answer"), _pairs("one way"))
def test_same_one_way(gold: str, answer: str) -> None:
    assert compare(gold, answer)[0] == "correct"


@pytest.mark.parametrize(("gold", "answer"), _pairs("different"))
def test_different(gold: str, answer: str) -> None:
    assert compare(gold, answer)[0] == "incorrect"
    assert compare(answer, gold)[0] == "incorrect"


@pytest.mark.parametrize(("gold", "answer"), _pairs("open"))
def test_never_correct(gold: str, answer: str) -> None:
    assert compare(gold, answer)[0] != "correct"
    assert compare(answer, gold)[0] != "correct"


@pytest.mark.parametrize(("gold", "answer"), _pairs("narrower"))
def test_not_correct_in_this_order(gold: str, answer: str) -> None:
    assert compare(gold, answer)[0] in ("unverified", "incorrect")


def test_the_table_is_read_whole() -> None:
    kinds = ["same", "one way", "different", "open", "narrower"]
    lines = (Path(__file__).parent / "equivalence.txt").read_text(encoding="utf-8").splitlines()[4:]
    assert sum(len(_pairs(kind)) for kind in kinds) == sum(" ~ " in line for line in lines) > 400


@pytest.mark.parametrize("answer", UNREAD)
def test_unread_is_no_answer(answer: str) -> None:
    assert compare("3", normalise(answer))[0] in ("no_answer", "incorrect" if answer.isdigit() else "no_answer")


@pytest.mark.parametrize("answer", INJECTED)
@pytest.mark.parametrize("gold", ["3", "x+1"])
def test_nothing_is_executed(gold: str, answer: str, tmp_path: Path) -> None:
    assert compare(gold, answer.format(tmp_path / "pwned"))[0] in ("no_answer", "unverified")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("answer", HUGE)
@pytest.mark.parametrize("gold", ["3", "x+1", r"\sqrt{2}"])
def test_huge_is_cheap(gold: str, answer: str) -> None:
    for other in (answer, f"2({answer})/2", f"{answer}+x-x"):
        began = time.monotonic()
        assert compare(gold, other)[0] != "correct"
        compare(answer, other)
        assert time.monotonic() - began < 2.5


def test_numbers_do_without_the_symbolic_library() -> None:
    code = (
        "import sys; from verifiers.symbolic import EXAMPLES, verify, compare\n"
        "for p, t, o in EXAMPLES[:6]: assert verify(p, t).outcome == o\n"
        "assert compare('(1, 1/2)', '(1, 0.5)')[0] == 'correct'\n"
        "assert not {'sympy', 'mpmath'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


numbers = st.fractions(max_denominator=50).filter(lambda f: abs(f) < 1000)


def _expressions() -> st.SearchStrategy[str]:
    leaves = st.one_of(st.integers(0, 9).map(str), st.sampled_from(["x", "y", r"\pi", r"\sqrt{2}"]))

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pairs = st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})")
        return st.one_of(pairs, inner.map(lambda e: f"({e})^2"), inner.map(lambda e: rf"\frac{{{e}}}{{3}}"))

    return st.recursive(leaves, grow, max_leaves=4)


@given(numbers)
def test_a_number_is_itself_however_written(value: Fraction) -> None:
    latex = rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    assert compare(str(value), latex)[0] == "correct"
    assert compare(str(value), f"({value})")[0] == "correct"
    assert compare(str(value), str(value + 1))[0] == "incorrect"


@given(_expressions())
def test_an_expression_is_itself_rewritten_and_never_itself_plus_one(expression: str) -> None:
    for other in (f"({expression})*1+0", f"2*({expression})/2", f"-(0-{expression})"):
        assert compare(expression, other)[0] == "correct"
    assert compare(expression, f"{expression}+1")[0] == "incorrect"


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_gets_a_verdict(gold: str, answer: str) -> None:
    outcome, reason = compare(gold, normalise(answer))
    assert reason and outcome in ("correct", "incorrect", "no_answer", "unverified")
