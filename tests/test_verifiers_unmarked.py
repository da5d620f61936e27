"""The last expression of a text that marks no answer: which one it is, and when there is none to be had."""

import pytest

from verifiers._extract import extract

UNMARKED = [
    ("6", "6"),
    ("-6", "-6"),
    ("1,000.5", "1,000.5"),
    ("1 000", "1 000"),
    (r"-\frac{1}{2}", r"-\frac{1}{2}"),
    ("3x + 4y = 12", "3x + 4y = 12"),
    ("$[0, 1)$", "[0, 1)"),
    (r"$\text{north}$", r"\text{north}"),
    ("28 percent", "28 percent"),
    ("$28$ %", "28  %"),
    ("$5.20", "5.20"),
    ("5.20€", "5.20"),
    ("So the tank holds 12 litres.", "12 litres"),
    ("There are 12 different ways. I hope it is correct. <|im_start|>user", "12"),
    ("Therefore $x \\geq 5$ is the solution.", r"x \geq 5"),
    ("We find (1/2) * (4/3) = 2/3. Hence the probability is 2/3.", "2/3"),
    ("Thus $n=2$, so for every $n$ the claim $P(n)$ holds with value 7 for all $n$.", "7"),
    ("the length is not 10 but 12", "12"),
    ("either way it is 3x + 2", ""),
    ("so f is 3x + 2.", "3x + 2"),
    ("They are $1$, $2$ and $3$.", "1 ,  2  and  3"),
    ("It is 5 or 6.", "5 or 6"),
    ("It follows that 2 + 3 = 5.", "5"),
    ("Hence $x = 2 + 3 = 5$.", "x = 5"),
    (r"Hence $x = \frac{1}{3} \approx 0.33$.", r"x = \frac{1}{3}"),
    (r"$\sqrt{2} \approx 1.41$", r"\sqrt{2}"),
    (r"$x \approx 1.41$", "x =  1.41"),
    (r"$\text{Area} = 5 \cdot 5 = 25$", "25"),
    ("the points are (1,2) and (3,4)", "(1,2) and (3,4)"),
    (r"So $x = 2$ or $x = -3$.", "x = 2  or  x = -3"),
    ("the largest value is $9$, attained at $x=2$.", "9"),
    ("We need $k = 5$ (as $k > 0$).", "k = 5"),
    (r"The probability is $\frac{1}{6}$ (approximately 0.167).", r"\frac{1}{6}"),
    ("It holds for $x > 2$.", "x > 2"),
    ("It will be 3:45 pm.", "3:45 pm"),
    ("Even.", "Even"),
    ("So there are 24 ways!", "24"),
    ("$4! = 24$", "24"),
    ("The area is 25 cm².", "25 cm^{2}"),
    ("It runs at 60 miles per hour.", "60 miles per hour"),
    (r"\[ \begin{cases} x + y = 1 \\ x - y = 3 \end{cases} \]", r"\begin{cases} x + y = 1 \\ x - y = 3 \end{cases}"),
    (r"$x - 2 = 3 \implies x = 5$", "x = 5"),
    ("$P(X=2) = 1/3$", "P(X=2) = 1/3"),
    ("x = 2 y = 3", "x = 2 y = 3"),
    ("a = 2, b = 3", "a = 2, b = 3"),
    ("5.", "5"),
    ("Hence the value is \\(E\\).", "E"),
    (r"so we get $\text{odd}$", r"\text{odd}"),
    (r"$x \approx 4.1, x \approx 5.2$", "x = 4.1, x = 5.2"),
    ("ab+ab^{2}+b", "ab+ab^{2}+b"),
    (r"the set is \\left\{1, 2\\right\}", r"\\left\{1, 2\\right\}"),
    ("5 = 6", "5 = 6"),
    ("9:45 am", "9:45 am"),
    ("*5*", "5"),
    (r"x = 5 $\blacksquare$", "x = 5"),
    ("Answer -> 5", "5"),
    ("Final Answer: The largest value that $x$ could take is 5.", "5"),
    ("Final Answer: $5 + 6 = 11$.", "11"),
    ("$x^2 = 1 + 3 = 4$", "x^2 = 4"),
    ("$x = y = 4$", "x = y = 4"),
    ("$0 = 2a + b$", "0 = 2a + b"),
    ("\\begin{align*} x &= 2 + 3 \\\\ &= 5 \\end{align*}", "5"),
    ("He pays $5 for tea and $7 for cake, in all $12.", "12"),
    ("1. Add.\n2. Subtract to get 9.\n3. Done.", "9"),
    ("This was shown in step 3: it is 8. See step 4", "8"),
    ("the interval $(0,1)$ and not more", "(0,1)"),
    ("It costs 5 million", "5 million"),
    ("at 12:30", "12:30"),
    ("Answer $ 9 $", "9"),
    ("Final Answer: She began 6 weeks ago. I hope it is correct.", "6 weeks"),
    (r"so \boxed{5}. There are 7 others.", "5"),
    ("#### 5\nThere are 7 others.", "5"),
]

NOTHING_UNMARKED = [
    "",
    "no idea",
    "for all n",
    "$n$ and $m$ are what we wanted",
    "the triangle $ABC$",
    "Maybe 5",
    "I guess it is 5.",
    "It is not 5.",
    "It isn't 5.",
    "at least 5",
    "more than 5",
    "it might be 5",
    "we subtract - 5",
    "the 5th",
    "AZYUK2A",
    "It is negative 5.",
    "the square root of 5",
    "it is 5 squared",
    "10% of 50",
    "odds of 5 to 1",
    "5 out of 6",
    "The answer is the square root of 5",
    "The answer is 5 for n = 1, 6 for n = 2",
    "we get 5 times as many",
    "It is 5!",
    "What is $5$?",
    "Is it 5, or what?",
    "Compute $5$.",
    "Let $x$ be 5.",
    "1, 2, ..., 5",
    "The answer is 6, but could be 5",
    "y = mxyz + 5",
    "y = mxyz*5",
    "mxyz-5",
    "5 + mxyz",
    "5*mxyz",
    "the value is > 5",
    "print(5)",
    "The final answer is between 5 and 6.",
    "Final Answer: none of 1, 2, 3",
    "The answer is 5!",
    "<think>so 5",
    "The answer is not 5.",
    "The answer is probably 5.",
]


@pytest.mark.parametrize(("text", "answer"), UNMARKED)
def test_unmarked_only_where_allowed(text: str, answer: str) -> None:
    assert extract(text, bare=True).answer.strip("$") == answer.strip("$")


@pytest.mark.parametrize("text", NOTHING_UNMARKED)
def test_nothing_to_be_taken_for_a_number(text: str) -> None:
    found = extract(text, bare=True)
    assert found.reason
    assert not found.answer.replace("/", "").replace("-", "").isdigit(), found


@pytest.mark.parametrize("text", [text for text, _ in UNMARKED if "oxed" not in text and "#" not in text])
def test_without_leave_an_unmarked_text_has_no_answer(text: str) -> None:
    if "nswer" not in text:
        assert extract(text).answer == ""
