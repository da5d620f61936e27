"""Made-up problems and worked solutions of some 500 characters, many at once. Not a domain and not a model's writing.

A problem is a chain of sums told as a story; a solution works it out line by line and then checks itself, eight lines
in all. Every sentence and every half line is drawn from a table of its own, so that unrelated solutions share little.
Notation: _P problems, _A attempts, LEVELS operations, of which a problem of level n uses the first n.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LEVELS = 8
LAST = "#### "
SAID: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("_phrases.toml").read_text())
DOMAINS = ("sums", "stories", "journeys")
_SIGNS = (" + ", " - ", " * ")
_UNDONE = (" - ", " + ", " / ")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The sums of _P problems: `values` [_P, LEVELS + 1] from the start on, `signs` and `operands` [_P, LEVELS]."""

    domain: np.ndarray
    level: np.ndarray
    signs: np.ndarray  # 0 plus, 1 minus, 2 times
    operands: np.ndarray
    values: np.ndarray

    def copy(self, targets: np.ndarray, sources: np.ndarray) -> None:
        """The problems `targets` become the problems `sources`."""
        for column in (self.domain, self.level, self.signs, self.operands, self.values):
            column[targets] = column[sources]


def numbers(rng: np.random.Generator, count: int) -> Numbers:
    """Fresh sums, no two alike; values stay between 1 and some thousands."""
    level = rng.integers(1, LEVELS + 1, count)
    signs, operands = np.zeros((count, LEVELS), np.int64), np.zeros((count, LEVELS), np.int64)
    values = np.zeros((count, LEVELS + 1), np.int64)
    values[:, 0] = rng.integers(10, 1000, count)
    _, first = np.unique(np.column_stack([level, values[:, 0]]), axis=0, return_index=True)
    again = np.setdiff1d(np.flatnonzero(level < 4), first)  # few operations: a start of their own tells them apart
    values[again, 0] = 1000 + again
    for i in range(LEVELS):
        before = values[:, i]
        sign = np.where(before < 200, rng.choice([0, 0, 1, 2], count), rng.choice([0, 1], count))
        sign[before < 3] = 0
        less = rng.integers(1, np.clip(before, 2, 99))
        signs[:, i] = sign
        operands[:, i] = np.choose(sign, [rng.integers(2, 99, count), less, rng.integers(2, 5, count)])
        n = operands[:, i]
        values[:, i + 1] = np.choose(sign, [before + n, before - n, before * n])
    return Numbers(rng.integers(0, len(DOMAINS), count), level, signs, operands, values)


def prompts(rng: np.random.Generator, n: Numbers) -> list[str]:
    """The problem as text: one sentence per number, then the question."""
    picks = rng.integers(0, 1 << 30, (len(n.level), LEVELS + 4)).tolist()
    columns = (column.tolist() for column in (n.domain, n.level, n.signs, n.operands, n.values))
    return [_prompt(*row) for row in zip(*columns, picks, strict=True)]


def _prompt(domain: int, level: int, signs: list[int], operands: list[int], values: list[int], pick: list[int]) -> str:
    if DOMAINS[domain] == "sums":
        told = str(values[0])
        for sign, operand in zip(signs[:level], operands, strict=False):
            told = f"({told})" if sign == 2 and not told.isdigit() else told
            told += f"{_SIGNS[sign]}{operand}"
        return f"Compute step by step: {told} = ?"
    goods = SAID["far"] if DOMAINS[domain] == "journeys" else SAID["what"]
    names = {"who": _one("who", pick[0]), "what": goods[pick[1] % len(goods)]}
    sentences = [_one("start", pick[2]).format(n=values[0], **names)]
    for sign, operand, drawn in zip(signs[:level], operands, pick[4:], strict=False):
        happens = _one(("plus", "minus", "times")[sign], drawn).format(n=operand, **names)
        sentences.append(f"{_one('when', drawn >> 8)} {names['who']} {happens}")
    return ". ".join([*sentences, _one("question", pick[3]).format(**names)])


def solutions(
    rng: np.random.Generator, n: Numbers, problem: np.ndarray, wrong_at: np.ndarray, ends_wrong: np.ndarray
) -> list[pa.Array]:
    """The lines of _A solutions, LEVELS + 1 columns of strings [_A]; the last is the answer.

    `problem` [_A] says whose, `wrong_at` [_A] which line states a wrong value (-1: none), `ends_wrong` [_A] whether
    the answer is wrong.
    """
    level = n.level[problem]
    lines = []
    for i in range(LEVELS):
        undo = i >= level
        at = np.where(undo, i % level, i)  # the operation this line does, or checks
        before, after = n.values[problem, at], n.values[problem, at + 1]
        operand, sign = n.operands[problem, at], n.signs[problem, at]
        left, right = np.where(undo, after, before), np.where(undo, before, after) + 3 * (wrong_at == i)
        lines.append(
            _join(
                _drawn(rng, undo, ("before", "check"), "{} "),
                _text(left),
                pa.array(_SIGNS + _UNDONE).take(pa.array(sign + 3 * undo)),
                _text(operand),
                pa.scalar(" = "),
                _text(right),
                _drawn(rng, undo, ("after", "fine"), ", {}"),
            )
        )
    final = n.values[problem, level] + 3 * ends_wrong
    return [*lines, _join(pa.scalar(LAST), _text(final))]


def _one(kind: str, drawn: int) -> str:
    return SAID[kind][drawn % len(SAID[kind])]


def _drawn(rng: np.random.Generator, second: np.ndarray, kinds: tuple[str, str], form: str) -> pa.Array:
    """A phrase for each row, of the second kind where `second` holds."""
    one, other = (len(SAID[kind]) for kind in kinds)
    any_number = rng.integers(0, 1 << 30, len(second))
    index = np.where(second, one + any_number % other, any_number % one)
    return pa.array([form.format(phrase) for kind in kinds for phrase in SAID[kind]]).take(pa.array(index))


def _text(values: np.ndarray) -> pa.Array:
    return pa.array(values).cast(pa.string())


def _join(*pieces: pa.Array | pa.Scalar) -> pa.Array:
    return pc.binary_join_element_wise(*pieces, pa.scalar(""))
