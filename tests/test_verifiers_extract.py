"""Where the final answer is: a table, and what must hold for every text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifiers._extract import extract, normalise

TABLE = [
    ("8-2\n#### 6", "6"),
    ("#### 5\nNo, wait.\n#### 6", "6"),
    ("  ####   6  ", "6"),
    ("#### 6.", "6"),
    ("#### $\\frac{1}{2}$", r"\frac{1}{2}"),
    ("#### **7**", "7"),
    (r"so \boxed{6}.", "6"),
    (r"so \boxed{\frac{1}{2}} cm", r"\frac{1}{2}"),
    (r"first \boxed{5}. Then \boxed{6}.", "6"),
    (r"\boxed{6} that is \boxed{ 6 }", "6"),
    (r"#### \boxed{6}", "6"),
    (r"\boxed{5}" + "\n#### 6", "6"),
    (r"\fbox{6}", "6"),
    ("The final answer is 6.", "6"),
    ("Final answer: 3.5. I hope it is correct.", "3.5"),
    ("Final Answer: The final answer is $6$. I hope it is correct.", "6"),
    (r"The final answer is $\boxed{6}$.", "6"),
    ("<think>#### 5</think>\n#### 6", "6"),
    ("#### 5\n</think>\n#### 6", "6"),
    ("#### −３", "-3"),
    ("#### x² + ½", "x^{2} + 1/2"),
    ("#### 1½", "1 1/2"),
    # no answer
    ("6", ""),
    ("", ""),
    ("the answer could be 6", ""),
    ("<think>#### 6", ""),
    ("#### 6\n<think>", ""),
    ("<think>#### 6</think>", ""),
    ("####", ""),
    ("#### $$", ""),
    (r"\boxed{}", ""),
    (r"\boxed{6", ""),
    (r"either \boxed{5} or \boxed{6}", ""),
    (r"\boxed{1}, \boxed{2}, \boxed{3}, \boxed{4}", ""),
    ("my final answer must be positive", ""),
]


@pytest.mark.parametrize(("text", "answer"), TABLE)
def test_table(text: str, answer: str) -> None:
    found = extract(text)
    assert found.answer.strip("$") == answer
    assert found.reason


@given(st.text(), st.integers())
def test_a_final_line_is_found_behind_any_text(text: str, number: int) -> None:
    if "<think>" not in text:
        assert extract(f"{text}\n#### {number}").answer == str(number)


@given(st.text())
def test_never_raises_and_normalising_twice_changes_nothing(text: str) -> None:
    extract(text)
    assert normalise(normalise(text)) == normalise(text)
