"""Rows to token ids: the prompt exactly as an engine feeds it, the completion, and the end of sequence.

We tokenise ourselves because the loss mask must follow lengths, never token values: a tokenizer whose padding is its
end of sequence would otherwise hide the end from the loss, and the model would never learn to stop.
Notation: `_N` rows, `_T` tokens of a row.
"""

import random
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from data.ids import derived_seed
from tasks.engines import _prompts

IGNORED = -100  # the label of a token that carries no loss
_WINDOW = 16  # batches whose rows are sorted by length together


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of the rows that fit, `prompts[i] + texts[column][i]` being one sequence; `rows` are their places."""

    prompts: list[list[int]]
    texts: dict[str, list[list[int]]]
    rows: list[int]
    dropped: int

    def longest(self) -> int:
        """Tokens of the longest sequence of all."""
        return max(self.lengths(), default=0)

    def lengths(self) -> list[int]:
        """Tokens of the longest sequence of each row."""
        return [len(prompt) + max(len(ids[i]) for ids in self.texts.values()) for i, prompt in enumerate(self.prompts)]

    def tokens(self) -> list[int]:
        """Tokens of all sequences of each row together."""
        return [sum(len(prompt) + len(ids[i]) for ids in self.texts.values()) for i, prompt in enumerate(self.prompts)]


def encode(table: pa.Table, tokenizer: Any, columns: list[str], max_length: int) -> Encoded:
    """Token ids of `prompt` and of each text column with the end of sequence appended.

    A row with a sequence longer than `max_length` is dropped. `system` is an optional column, used by chat models.
    """
    eos = tokenizer.eos_token_id
    if eos is None:
        raise ValueError("the tokenizer has no end-of-sequence token, so the model could never learn to stop")
    systems = table["system"].to_pylist() if "system" in table.column_names else [""] * len(table)
    texts = [_prompts.render(tokenizer, s or "", p) for s, p in zip(systems, table["prompt"].to_pylist(), strict=True)]
    prompts = _prompts.encode(tokenizer, texts)
    parts = {c: [[*ids, eos] for ids in _ids(tokenizer, table[c].to_pylist())] for c in columns}
    rows = [i for i, p in enumerate(prompts) if len(p) + max(len(parts[c][i]) for c in columns) <= max_length]
    return Encoded(
        [prompts[i] for i in rows], {c: [parts[c][i] for i in rows] for c in columns}, rows, len(table) - len(rows)
    )


def _ids(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    """Token ids of many texts, nothing added."""
    if not texts:
        return []
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids


def schedule(lengths: list[int], batch: int, epochs: float, max_rows: int, seed: int) -> list[int]:
    """The order in which rows are trained on: `epochs` shuffled passes, rows of like length in one batch.

    Rows are sorted within windows of 16 batches and the batches shuffled again, so that padding nearly vanishes and
    the order stays random. The same arguments always give the same order, which is what makes a resumed run exact.
    """
    n = len(lengths)
    total = max(1, round(n * epochs))
    if max_rows:
        total = min(total, max_rows)
    rng = random.Random(derived_seed("order", seed))
    stream: list[int] = []
    while len(stream) < total:
        stream += rng.sample(range(n), n)
    stream = stream[:total]
    order: list[int] = []
    for start in range(0, total, batch * _WINDOW):
        window = sorted(stream[start : start + batch * _WINDOW], key=lambda i: lengths[i])
        batches = [window[i : i + batch] for i in range(0, len(window), batch)]
        last = [batches.pop()] if len(batches[-1]) < batch else []  # a short batch may only be the very last one
        rng.shuffle(batches)
        order += [i for b in batches + last for i in b]
    return order
