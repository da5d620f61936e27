r"""Rows for `math_verdicts.py`: read from files, or made by code; the groups they are counted in; injected answers.

A row is `{gold, pred, expected, kind, form, policy, needs}`: `form` is `answer` (a bare answer) or `text` (a response
whose answer must be found first); rows with `policy` or `needs` are arguable and left out.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random

from data.errors import UserError

_GROUPS = (
    ("relations", r"relation|equation|inequal|assym"),
    ("sets", r"set|interval|list|pair|tuple|vector|matrix|coordinate"),
    ("numbers", r"int\b|integer|frac\b|fraction|dec\b|decimal|number|numeric|percent|scinot|unit|real"),
    ("identities", r"identity|variant|expr|trig|sqrt|complex|function|symbol|sympy|parenthes|latex"),
)

INJECTED = (
    '__import__("os").system("touch {0}")',
    "eval(\"open('{0}','w')\")",
    "open('{0}','w').close()",
    "exec('import os; os.mkdir(\"{0}\")')",
    "(lambda: open('{0}','w'))()",
    'Symbol("x"); open("{0}","w")',
    'sympify(\'__import__("os").mkdir("{0}")\')',
    "[c for c in ().__class__.__base__.__subclasses__()][0]; open('{0}','w')",
    "x.__class__.__init__.__globals__['__builtins__']['open']('{0}','w')",
    r"\write18{{touch {0}}}",
    r"\input{{|touch {0}}}",
    "$(touch {0})",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled pair."""

    gold: str
    pred: str
    expected: bool
    kind: str
    form: str

    @property
    def group(self) -> str:
        """The group it is counted in, by its kind; a text without a telling kind is `text`, an answer `answers`."""
        for name, pattern in _GROUPS:
            if re.search(pattern, self.kind.replace("_", " "), re.IGNORECASE):
                return name
        return "text" if self.form == "text" else "answers"


def read(path: Path) -> list[Row]:
    """The rows of a file that count. Raises UserError."""
    try:
        rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        return [
            Row(r["gold"], r["pred"], r["expected"], r["kind"], r["form"])
            for r in rows
            if not r.get("policy") and not r.get("needs")
        ]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise UserError(f"{path} is no file of cases (JSON lines with gold, pred, expected, kind, form): {e}") from e


def made(seed: int = 0) -> list[Row]:
    """The project's own rows, half of them near misses, every fourth as a response in prose."""
    random = Random(seed)
    rows = []
    for i, (kind, gold, same, other) in enumerate(_pairs(random, 20)):
        for pred, expected in ((same, True), (other, False)):
            text = i % 4 == 3
            rows.append(
                Row(
                    f"${gold}$" if text else gold,
                    _told(random, pred) if text else pred,
                    expected,
                    kind,
                    "text" if text else "answer",
                )
            )
    return rows


def _told(random: Random, answer: str) -> str:
    return random.choice(
        [
            rf"We add both sides. Therefore the answer is $\boxed{{{answer}}}$.",
            f"First we find $n = 3$.\n\nFinal Answer: The final answer is ${answer}$. I hope it is correct.",
            f"<think>maybe 3?</think>It follows from step 2 that the answer is \\({answer}\\).",
            f"Since $n > 1$ there are two cases, and both lead to ${answer}$.",
        ]
    )


def _pairs(random: Random, count: int) -> Iterator[tuple[str, str, str, str]]:
    """Kind, gold, the same written otherwise, a near miss."""
    for _ in range(count):
        n, m, k = random.randint(1000, 99_999), random.randint(2, 9), random.randint(2, 9)
        f, d = Fraction(random.randint(1, 40), random.randint(2, 9)), Fraction(random.randint(1, 9999), 100)
        yield "integer", f"{n}", f"{n:,}", f"{n + 1}"
        yield "fraction", f"{f}", rf"\frac{{{m * f.numerator}}}{{{m * f.denominator}}}", f"{f + Fraction(1, k)}"
        yield "decimal", f"{float(d)}", f"{d}", f"{float(d + Fraction(1, 10))}"
        yield "identity", f"(x+{m})(x-{k})", f"x^2{m - k:+}x-{m * k}", f"x^2{m - k:+}x-{m * k + 1}"
        yield "identity", rf"{m}\sin^2 x+{m}\cos^2 x", f"{m}", f"{m + 1}"
        yield (
            "identity",
            rf"\frac{{{m}}}{{\sqrt{{{k}}}}}",
            rf"\frac{{{m}\sqrt{{{k}}}}}{{{k}}}",
            rf"\frac{{{m}\sqrt{{{k}}}}}{{{k + 1}}}",
        )
        yield "relation", f"x+{m}y={k}", f"{m}x+{m * m}y={m * k}", f"x+{m}y={k + 1}"
        yield "tuple", f"({n},{f})", rf"\left({n}, \frac{{{f.numerator}}}{{{f.denominator}}}\right)", f"({f},{n})"
        yield "set", rf"\{{{m},{n}\}}", rf"\{{{n}, {m}\}}", rf"\{{{m},{n + 1}\}}"
