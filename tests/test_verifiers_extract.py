"""Where the final answer is: tables, what must hold for every text, and texts made to be slow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers._extract import MAX_TAIL, extract, known_answer, normalise

MARKED = [
    ("8-2\n#### 6", "6"),
    ("#### 5\nNo, wait.\n#### 6", "6"),
    ("  ####   6  ", "6"),
    ("#### 6.", "6"),
    ("#### $\\frac{1}{2}$", r"\frac{1}{2}"),
    ("#### **7**", "7"),
    ("#### −３", "-3"),
    ("#### x² + ½", "x^{2} + 1/2"),
    ("#### 1½", "1 1/2"),
    ("#### 1011₂ + x₁", "1011_{2} + x_{1}"),
    ("#### Step 2\nso\n#### 6", "6"),
    ("####" + " " * 30 + "6", "6"),
    # boxes
    (r"so \boxed{6}.", "6"),
    (r"first \boxed{5}. Then \boxed{6}.", "6"),
    (r"\boxed{6} that is \boxed{ 6 }", "6"),
    (r"#### \boxed{6}", "6"),
    (r"\boxed{5}" + "\n#### 6", "6"),
    (r"\fbox{6}", "6"),
    (r"\boxed {6}", "6"),
    (r"$\boxed 6$", "6"),
    (r"$\boxed{\boxed{6}}$", "6"),
    (r"so $x = \boxed{ 6 }$.", "6"),
    (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
    (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
    ("\\[\n\\boxed{\n\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}\n}\n\\]", "MATRIX"),
    (r"\boxed{$6$}", "6"),
    (r"\boxed{6.}", "6"),
    (r"**\boxed{6}**", "6"),
    (r"The sum is $-3 + \frac{a}{b} = \boxed{6}$, as promised!", "6"),
    (r"$\boxed{28}$ percent", "28 percent"),
    (r"\boxed{28}\%", r"28 \%"),
    (r"so \boxed{\frac{1}{2}} cm", r"\frac{1}{2} cm"),
    (r"\(\boxed{189}\) square metres.", "189 square metres"),
    (r"$\boxed{90}^\circ$", r"90 ^\circ"),
    (r"\boxed{5} in total", "5"),
    (r"\boxed{5}\text{ km}", "5 km"),
    (r"\boxed{5}\text{ cm}^2.", "5 cm^2"),
    (r"\boxed{60}\ \text{km/h}", "60 km/h"),
    (r"$x=\boxed{2}$ or $x=\boxed{-3}$", "x=2, x=-3"),
    (r"\boxed{1}, \boxed{2}, \boxed{3}", "1, 2, 3"),
    (r"$\boxed{1}$ and $\boxed{2}$", "1, 2"),
    (r"\[\boxed{(1,2)} \quad \text{and} \quad \boxed{(3,4)}\]", "(1,2), (3,4)"),
    (r"\boxed{5} for the first and \boxed{6} for the second", "5, 6"),
    (r"\(u_1 = \boxed{x+1}\) and \(u_2 = \boxed{x+2}\)", "u_1 =x+1, u_2 =x+2"),
    # phrases
    ("The final answer is 6.", "6"),
    ("Final answer: 3.5. I hope it is correct.", "3.5"),
    ("Final Answer: The final answer is $6$. I hope it is correct.", "6"),
    (r"The final answer is $\boxed{6}$.", "6"),
    ("**Final Answer**\n\n6", "6"),
    ("**Final Answer:** 6", "6"),
    ("## Final Answer\n\n$$x = 6$$\n", "x = 6"),
    ("Final answer = 6", "6"),
    ("The final answer is:\n\n\\[\n\\frac{1}{2}\n\\]", r"\frac{1}{2}"),
    ("My final answer is therefore: **6**", "6"),
    ("The final answer to the problem is 6.", "6"),
    ("Final Answer: The volume of $ABC$ is 6. I hope it is correct.", "6"),
    ("Final Answer: the sum equals $\\frac{1}{2}$", r"\frac{1}{2}"),
    ("Final answer: 6 because 2 + 4 = 6", "6"),
    ("Final answer: $1$ and $2$.", "1  and  2"),
    ("Final Answer: Paris", "Paris"),
    ("Final answer is $\\begin{pmatrix}1\\\\2\\end{pmatrix}$.", r"\begin{pmatrix}1\\2\end{pmatrix}"),
    ("Hence:\n<answer> 6 </answer>\n", "6"),
    ("<answer>5</answer> no\n<answer>\n$6$\n</answer>", "6"),
    ("The final answer is 6. Let me repeat. The final answer is", "6"),
    # the weaker phrase, where nothing stronger marks one
    ("So the answer is 6.", "6"),
    ("Answer: $6$", "6"),
    ("The answer is 5. No: the answer is 6.", "6"),
    (r"The answer is 5. Then \boxed{6}. The answer is 7.", "6"),
    ("The answer is 6, which is even.", "6"),
    ("A common wrong answer is 5. The answer is 6.", "6"),
    ("The answer is 6. A common wrong answer is 5.", "6"),
    ("The correct answer is (C)", "(C)"),
    ("the answer is \\(x = 3\\) or \\(x = -3\\).", "x = 3  or  x = -3"),
    ("### Answer\n\n$6$", "6"),
    ("Ans: 6", "6"),
    ("**Answer**: $6$ cm", "6  cm"),
    # thinking and turns
    ("<think>#### 5</think>\n#### 6", "6"),
    ("#### 5\n</think>\n#### 6", "6"),
    ("#### 6<|im_end|>\n<|im_start|>user\n#### 7", "6"),
    ("<|im_start|>assistant\n#### 6<|im_end|>", "6"),
]

NO_ANSWER = [
    "6",
    "",
    "the answer could be 6",
    "<think>#### 6",
    "#### 6\n<think>",
    "<think>#### 6</think>",
    "####",
    "#### $$",
    r"\boxed{}",
    r"\boxed{6",
    r"\boxed",
    r"either \boxed{5} or \boxed{6}",
    r"\boxed{5} and perhaps \boxed{6}",
    r"\boxed{5}\boxed{6}",
    r"\boxed{5} for the first, \boxed{6} for the second",
    r"\boxed{5}. No, rather \boxed{6} than \boxed{5}",
    r"\boxed{5}, no, \boxed{6}",
    r"$2\boxed{3}$",
    r"$-\boxed{3}$",
    r"$\boxed{3}^2$",
    r"$\boxed{3} + 4$",
    r"$\sqrt{\boxed{3}}$",
    r"$\boxed{2}\sqrt{3}$",
    r"$\boxed{3}/4$",
    "my final answer must be positive",
    "The final answer is",
    "The final answer is\n\n",
    "No answer is 6.",
    "Is it true that the final answer is 6?",
    "The answer is 6? Hardly.",
    "The final answer is 5!",
    "#### " + "1" * 1_001,
]


@pytest.mark.parametrize(("text", "answer"), MARKED)
@pytest.mark.parametrize("bare", [False, True])
def test_marked(text: str, answer: str, bare: bool) -> None:
    found = extract(text, bare)
    if answer == "MATRIX":
        answer = r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"
    assert found.answer.strip("$") == answer
    assert found.reason


@pytest.mark.parametrize("text", NO_ANSWER)
def test_no_answer_says_why(text: str) -> None:
    found = extract(text)
    assert (found.answer, bool(found.reason)) == ("", True)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("12", "12"),
        ("$12$", "12"),
        ("a worked solution: $1+1=2$. So $x = \\boxed{2}$.", "2"),
        (r"$\boxed{1}\boxed{2}$", "1, 2"),
        ("Evelyn", "Evelyn"),
        ("$\\text{Evelyn}$", r"\text{Evelyn}"),
        ("x = 1 and y = 2", "x = 1 and y = 2"),
        ("10 miles", "10 miles"),
        ("$125$ miles", "125  miles"),
    ],
)
def test_a_gold_may_be_a_worked_solution(text: str, answer: str) -> None:
    assert known_answer(text) == answer


@given(st.text(), st.integers())
def test_a_final_line_is_found_behind_any_text(text: str, number: int) -> None:
    if "<" not in text:
        assert extract(f"{text}\n#### {number}").answer == str(number)


@given(st.text(alphabet=r"$\{}()[]boxed#answer is:.,;=+-*/^_019 \n%and"), st.booleans())
def test_never_raises_and_an_answer_comes_from_the_text(text: str, bare: bool) -> None:
    found = extract(text, bare)
    assert found.reason
    assert not found.answer or set(found.answer) <= set(text) | set(", =")


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    extract(text, bare=True)


SLOW = ["$", "\\(", "\\boxed{", "\\boxed ", "\\boxed{1},", "#### ", "final answer ", "final answer is ", "answer to "]
SLOW += ["{", "}", "9", "9 ", "123 ", "1,", "a ", "a-", "\\", "\\text{a", "- ", "=", "x=", "**", ". ", "!)", " ", "\n"]
SLOW += ["5 word ", "$aa bb", "<|a", "<|a|>", "</think>", "²", "½", "ﷺ", "\\begin{a}", "1=1\\approx ", "m ", "square "]


@pytest.mark.parametrize("unit", SLOW)
def test_a_megabyte_of_anything_is_cheap(unit: str) -> None:
    for prefix in ("", "final answer", "so \\boxed{"):
        long, short = (prefix + unit * (size // len(unit)) for size in (1_000_000, MAX_TAIL // 2))
        for _ in range(5):  # the best of a few tries: a busy machine is no fault of a pattern
            brief, spent = _seconds(short), _seconds(long)
            if spent < 0.5 and spent < 20 * brief + 0.1:
                break
        assert spent < 0.5, "a quadratic pattern takes minutes"
        assert spent < 20 * brief + 0.1


def _seconds(text: str) -> float:
    """CPU time of one extraction."""
    began = time.process_time()
    extract(text, bare=True)
    return time.process_time() - began
