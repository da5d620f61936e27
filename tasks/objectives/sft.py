"""Supervised fine-tuning on verified examples with TRL's SFTTrainer: loss on the completion and its end alone."""

import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.objectives import TrainReport, _rows, _setup
from tasks.objectives._weights import weights_id
from tasks.objectives._work import Work, run_key
from tasks.settings import DistillSettings

RELATION = "examples"
VERSION = 1


def train(table: pa.Table, base: Path, out: Path, settings: DistillSettings, seed: int) -> TrainReport:
    """Train on `prompt` and `completion` (and `system`, for chat models) from the model in `base`.

    Writes `out` by rename; call again after a kill to continue. Raises TrainingError when nothing can be trained.
    """
    began = time.perf_counter()
    work = Work(out, run_key(f"sft-{VERSION}", table, weights_id(base), settings, seed))
    if (report := work.finished()) is not None:
        return report
    loaded = _setup.load(base, settings, seed)
    encoded = _rows.encode(table, loaded.tokenizer, ["completion"], settings.max_length)
    if not encoded.rows:
        raise _setup.TrainingError(
            f"none of the {len(table)} examples fits in max_length={settings.max_length} tokens: nothing to train on"
        )
    per_step = settings.batch_size * settings.accumulate * _setup.world_size()
    order = _rows.schedule(encoded.lengths(), settings.batch_size, settings.epochs, settings.max_steps * per_step, seed)
    trainer = _trainer(work, loaded, encoded, order, settings, seed)
    lengths = encoded.tokens()
    return _setup.run(trainer, loaded, work, sum(lengths[i] for i in order), encoded.dropped, began)


def _trainer(
    work: Work, loaded: _setup.Loaded, encoded: _rows.Encoded, order: list[int], settings: DistillSettings, seed: int
) -> Any:
    """TRL's trainer over the rows in `order`."""
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    prompts, completions = encoded.prompts, encoded.texts["completion"]
    rows = Dataset(
        pa.table(
            {
                "input_ids": [prompts[i] + completions[i] for i in order],
                "labels": [[_rows.IGNORED] * len(prompts[i]) + completions[i] for i in order],
            }
        )
    )

    class Lean(SFTTrainer):  # type: ignore[misc]
        """Without the entropy and token accuracy of every step, and with the head only where there is a loss."""

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            labels = inputs.pop("labels")
            outputs = model(**inputs, labels=labels, fused_lm_head=True, use_cache=False)
            count = outputs.label_mask.sum() if num_items_in_batch is None else num_items_in_batch
            loss = -outputs.log_probs.sum() / torch.as_tensor(count).clamp(min=1)
            if self.args.average_tokens_across_devices and num_items_in_batch is not None:
                loss = loss * self.accelerator.num_processes
            return loss

    steps = _setup.step_count(len(order), settings)
    config = SFTConfig(
        **_setup.arguments(work, settings, loaded.bf16, seed, settings.learning_rate, steps),
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    return Lean(
        model=loaded.model,
        args=config,
        train_dataset=rows,
        processing_class=loaded.tokenizer,
        callbacks=[_setup.watch(work)],
    )
