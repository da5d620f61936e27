"""Supervised fine-tuning on verified examples with TRL's SFTTrainer: loss on the completion and its end alone."""

import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from data.weights import weights_id
from tasks.objectives import TrainReport, _rows, _setup
from tasks.objectives._work import Work, run_key
from tasks.settings import DistillSettings

RELATION = "examples"
PAD_TO = 16
VERSION = 1

_SMALL_VOCABULARY = 4096  # words up to which whole logits cost less than TRL's head in tiles


def train(table: pa.Table, base: Path, out: Path, settings: DistillSettings, seed: int) -> TrainReport:
    """Train on `prompt` and `completion` (and `system`, for chat models) from the model in `base`.

    Writes `out` by rename; call again after a kill to continue. Raises TrainingError when nothing can be trained.
    """
    began = time.perf_counter()
    work = Work(out, run_key(f"sft-{VERSION}", table, weights_id(base), settings, seed))
    if (report := work.finished()) is not None:
        return report
    tokenizer = _setup.load_tokenizer(base)
    encoded = _rows.encode(table, tokenizer, ["completion"], settings.max_length)
    order = _setup.order_of(encoded, len(table), settings, seed)
    loaded = _setup.load(base, tokenizer, encoded.longest(), settings, seed)
    trainer = _trainer(work, loaded, encoded, order, settings, seed)
    tokens = encoded.tokens()
    return _setup.run(trainer, loaded, work, sum(tokens[i] for i in order), encoded.dropped, began)


def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A batch padded on the right: `input_ids` and `labels`, both `(rows, longest)`, padding and prompt without loss.

    Lengths are multiples of PAD_TO: every new shape costs a CPU kernel its compilation and its memory.

    There is no attention mask because none is needed: attention is causal, so no token sees the padding after it.
    That also makes the value of the padding irrelevant, were it the end of sequence itself.
    """
    import torch

    longest = -(-max(len(row["input_ids"]) for row in rows) // PAD_TO) * PAD_TO
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    labels = torch.full((len(rows), longest), _rows.IGNORED)
    for i, row in enumerate(rows):
        end, start = len(row["input_ids"]), row["start"]
        ids[i, :end] = torch.tensor(row["input_ids"])
        labels[i, start:end] = ids[i, start:end]
    return {"input_ids": ids, "labels": labels}


def _trainer(
    work: Work, loaded: _setup.Loaded, encoded: _rows.Encoded, order: list[int], settings: DistillSettings, seed: int
) -> Any:
    """TRL's trainer over the rows in `order`."""
    from datasets import Dataset
    from trl import SFTConfig

    prompts, completions = encoded.prompts, encoded.texts["completion"]
    ids = pa.array((prompts[i] + completions[i] for i in order), pa.list_(pa.int32()), size=len(order))
    rows = Dataset(pa.table({"input_ids": ids, "start": [len(prompts[i]) for i in order]}))
    steps = _setup.step_count(len(order), settings)
    config = SFTConfig(
        **_setup.arguments(work, settings, loaded.bf16, seed, settings.learning_rate, steps),
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    return _lean()(
        model=loaded.model,
        args=config,
        data_collator=collate,
        train_dataset=rows,
        processing_class=loaded.tokenizer,
    )


def _lean() -> Any:
    """TRL's SFTTrainer without what costs time at every step and is not read: entropy, accuracy, operation counts."""
    import torch
    from torch.nn.functional import cross_entropy
    from trl import SFTTrainer

    class Lean(SFTTrainer):  # type: ignore[misc]
        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            ids, labels = inputs["input_ids"], inputs["labels"]
            if self.aux_loss_enabled or return_outputs:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            if self.model.config.get_text_config().vocab_size <= _SMALL_VOCABULARY:
                logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
                total = cross_entropy(logits.flatten(0, 1).float(), labels[:, 1:].flatten(), reduction="sum")
            else:
                total = -model(input_ids=ids, labels=labels, fused_lm_head=True, use_cache=False).log_probs.sum()
            if num_items_in_batch is None:
                return total / (labels[:, 1:] != _rows.IGNORED).sum().clamp(min=1)
            count = torch.as_tensor(num_items_in_batch).clamp(min=1)  # of all processes, whose gradients are averaged
            return total / count * self.accelerator.num_processes

        def floating_point_ops(self, inputs: Any) -> int:
            return 0

    return Lean
