"""The transformers engine: Hugging Face `generate` in a process of its own, where vLLM cannot be installed.

Slower than vLLM by an order of magnitude, same contract, one difference: random numbers are drawn per batch of
sequences, so samples are reproducible for the same set of requests, not for one request on its own.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.ids import derived_seed
from data.records import Finish
from tasks.engines import Completion, EngineError, Request
from tasks.engines._host import Hosted
from tasks.engines._model import Source, fetch, find, quiet_threads
from tasks.engines._prompts import encode, render
from tasks.settings import EngineSettings

BATCH = 64  # sequences in one call of generate


def engine(model: Path, settings: EngineSettings) -> Hosted:
    """A running transformers engine. Raises EngineError when the library or the model is missing."""
    if importlib.util.find_spec("transformers") is None:
        raise EngineError("transformers is not installed: pip install transformers")
    find(model)
    return Hosted(__name__, model, settings)


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence to be written: a request's completion `index`, after the tokens `ids`, of at most `limit` tokens."""

    request: Request = field(compare=False)
    index: int
    ids: list[int]
    limit: int


class Local:
    """A model and its tokenizer in this process."""

    def __init__(self, model: str, settings: EngineSettings) -> None:
        source = find(model)
        if source.local:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        quiet_threads(source)
        fetch(source)
        import torch

        self._settings = settings
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._load(source)

    def load_weights(self, model: str) -> None:
        """Other weights: the model is read again."""
        self._load(find(model))

    def complete(self, requests: Sequence[Request], cancelled: Callable[[], bool]) -> Iterator[list[list[Completion]]]:
        """Batches of like requests, shortest prompts first; the order of `requests` does not matter."""
        done: dict[str, list[Completion]] = {}
        for batch in self._batches(requests):
            if cancelled():
                return
            finished = []
            for row, completion in zip(batch, self._generate(batch), strict=True):
                of_request = done.setdefault(row.request.id, [])
                of_request.append(completion)
                if len(of_request) == row.request.n:
                    finished.append(sorted(done.pop(row.request.id), key=lambda c: c.index))
            if finished:
                yield finished

    def _load(self, source: Source) -> None:
        """Read model and tokenizer."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._model: Any = None  # frees the old weights first
        self._tokenizer = AutoTokenizer.from_pretrained(source.base)
        model = AutoModelForCausalLM.from_pretrained(source.base, dtype=self._settings.dtype)
        if source.adapter:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, source.adapter)
        self._model = model.to(self._device).eval()

    def _batches(self, requests: Sequence[Request]) -> Iterator[list[Row]]:
        """Rows with the same sampling, in an order that depends on the set of requests alone."""
        prompts = encode(self._tokenizer, [render(self._tokenizer, r.system, r.prompt) for r in requests])
        room = self._settings.max_model_len
        groups: dict[tuple[float, float], list[Row]] = {}
        for request, ids in zip(requests, prompts, strict=True):
            limit = min(request.max_tokens, room - len(ids))
            rows = groups.setdefault((request.temperature, request.top_p), [])
            rows += [Row(request, i, ids, limit) for i in range(request.n)]
        for key in sorted(groups):
            refused = [row for row in groups[key] if row.limit <= 0]
            rows = [row for row in groups[key] if row.limit > 0]
            rows.sort(key=lambda r: (r.limit, len(r.ids), r.request.id, r.index))
            yield from filter(None, [refused, *(rows[i : i + BATCH] for i in range(0, len(rows), BATCH))])

    def _generate(self, batch: list[Row]) -> list[Completion]:
        """One call of `generate`, left padded."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        if batch[0].limit <= 0:
            return [Completion(r.request.id, r.index, "", 0, len(r.ids), 0.0, "abort") for r in batch]
        first, width = batch[0].request, max(len(r.ids) for r in batch)
        eos = self._model.generation_config.eos_token_id
        pad = self._tokenizer.pad_token_id
        pad = pad if pad is not None else self._tokenizer.eos_token_id
        ids = torch.tensor([[pad] * (width - len(r.ids)) + r.ids for r in batch])
        mask = torch.tensor([[0] * (width - len(r.ids)) + [1] * len(r.ids) for r in batch])
        sampling = {"temperature": first.temperature, "top_p": first.top_p, "top_k": 0} if first.temperature else {}
        config = GenerationConfig(
            max_new_tokens=max(r.limit for r in batch),
            do_sample=bool(first.temperature),
            eos_token_id=eos,
            pad_token_id=pad,
            **sampling,
        )
        torch.manual_seed(derived_seed([(r.request.id, r.index, r.request.seed) for r in batch]))
        chosen = _ChosenLogprobs(width)
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=ids.to(self._device),
                attention_mask=mask.to(self._device),
                generation_config=config,
                logits_processor=LogitsProcessorList([chosen]),
            )
        written, logprobs = out[:, width:].tolist(), chosen.finish(out)
        stops = {eos} if isinstance(eos, int) else set(eos or [])
        return [self._completion(*each, stops) for each in zip(batch, written, logprobs, strict=True)]

    def _completion(self, row: Row, written: list[int], logprobs: list[float], stops: set[int]) -> Completion:
        """A row's tokens up to its first end token or its own limit."""
        end = next((i + 1 for i, token in enumerate(written) if token in stops), row.limit + 1)
        finish: Finish = "stop" if end <= row.limit else "length"
        tokens = min(end, row.limit)
        text = self._tokenizer.decode(written[:tokens], skip_special_tokens=True)
        return Completion(row.request.id, row.index, text, tokens, len(row.ids), sum(logprobs[:tokens]), finish)


class _ChosenLogprobs:
    """A logits processor that changes nothing and notes the log-probability of each chosen token.

    It runs before temperature and top-p, so these are the model's own; it keeps one step's logits, not all of them.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._last: Any = None
        self._columns: list[Any] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Hook of `generate`: ids so far (B, T), next token's logits (B, V)."""
        self._note(input_ids)
        self._last = scores.float().log_softmax(-1)
        return scores

    def finish(self, ids: Any) -> list[list[float]]:
        """Log-probabilities of every written token, one list per row."""
        self._note(ids)
        rows: list[list[float]] = [list(row) for row in zip(*(c.tolist() for c in self._columns), strict=True)]
        return rows

    def _note(self, ids: Any) -> None:
        if ids.shape[1] > self._width:
            self._columns.append(self._last.gather(-1, ids[:, -1:]).squeeze(-1))
