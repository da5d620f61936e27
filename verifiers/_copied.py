"""Whether an answer is a calculation copied out of the question. It is equal to the gold, and nobody has done it.

A number or a choice that the question names may be the answer (`is it 2 or 3?`), a calculation may not, unless it is
the gold's own text. Not here: sums that a trace leaves standing (`_steps.py`).
"""

import re

from verifiers._extract import normalise

_CALCULATION = re.compile(r"[\d)}!]([-+*×·^]|\\cdot|\\times)[\d({\\]|\d\(")
_MARKS = re.compile(r"\\left|\\right|\\[,;!]|[\s$]")


def repeats(prompt: str, answer: str, known: str) -> bool:
    """True for `17*23` to `What is 17 * 23?` where the gold is 391."""
    said, asked, gold = (_MARKS.sub("", normalise(text)) for text in (answer, prompt, known))
    return bool(_CALCULATION.search(said)) and said in asked and said != gold.rstrip(".")
