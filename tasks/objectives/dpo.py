"""Direct preference optimisation on verified right/wrong pairs with TRL's DPOTrainer. Its start is its reference."""

import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from data.weights import weights_id
from tasks.objectives import TrainReport, _rows, _setup
from tasks.objectives._work import Work, run_key
from tasks.settings import DistillSettings

RELATION = "pairs"
VERSION = 1


def train(table: pa.Table, base: Path, out: Path, settings: DistillSettings, seed: int) -> TrainReport:
    """Train on `prompt`, `chosen` and `rejected` (and `system`, for chat models) from the model in `base`.

    Writes `out` by rename; call again after a kill to continue. Raises TrainingError when nothing can be trained.
    """
    began = time.perf_counter()
    work = Work(out, run_key(f"dpo-{VERSION}", table, weights_id(base), settings, seed))
    if (report := work.finished()) is not None:
        return report
    tokenizer = _setup.load_tokenizer(base)
    encoded = _rows.encode(table, tokenizer, ["chosen", "rejected"], settings.max_length)
    order = _setup.order_of(encoded, len(table), settings, seed)
    loaded = _setup.load(base, tokenizer, encoded.longest(), settings, seed)
    trainer = _trainer(work, loaded, encoded, order, settings, seed)
    tokens = encoded.tokens()
    return _setup.run(trainer, loaded, work, sum(tokens[i] for i in order), encoded.dropped, began)


def _trainer(
    work: Work, loaded: _setup.Loaded, encoded: _rows.Encoded, order: list[int], settings: DistillSettings, seed: int
) -> Any:
    """TRL's trainer over the pairs in `order`, with the reference's log-probabilities computed before training."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    class Encoded(DPOTrainer):  # type: ignore[misc]
        """TRL's trainer of pairs that are token ids already."""

        def _prepare_dataset(self, dataset: Any, *rest: Any) -> Any:
            return dataset

        def floating_point_ops(self, inputs: Any) -> int:
            return 0

    ids = {
        "prompt_ids": encoded.prompts,
        "chosen_ids": encoded.texts["chosen"],
        "rejected_ids": encoded.texts["rejected"],
    }
    kind, n = pa.list_(pa.int32()), len(order)
    rows = Dataset(pa.table({name: pa.array((of[i] for i in order), kind, size=n) for name, of in ids.items()}))
    config = DPOConfig(
        **_setup.arguments(
            work, settings, loaded.bf16, seed, settings.dpo_learning_rate, _setup.step_count(n, settings)
        ),
        beta=settings.dpo_beta,
        max_length=None,
        precompute_ref_log_probs=True,
    )
    trainer = Encoded(
        model=loaded.model,
        args=config,
        data_collator=DataCollatorForPreference(pad_token_id=0),  # masks follow lengths, so any id pads
        train_dataset=rows,
        processing_class=loaded.tokenizer,
    )
    if loaded.adapter:
        loaded.model.delete_adapter("ref")  # TRL's copy of the starting adapter has served
    return trainer
