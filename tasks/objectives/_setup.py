"""Loading a model for training, the arguments every TRL trainer here shares, and the loop around `trainer.train`.

Not here: what is trained on (`_rows.py`), where it is kept (`_work.py`), which loss (`sft.py`, `dpo.py`).
Heavy libraries are imported inside functions, so that importing an objective costs nothing.
"""

import json
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import Died, UserError
from tasks.objectives import LossPoint, TrainReport, _rows
from tasks.objectives._work import Work
from tasks.settings import DistillSettings

_LOG_POINTS = 50  # about as many points are logged in a run
_SHORT = 256  # tokens up to which explicit bfloat16 attention beats torch's fused kernel on a CPU, 1.2 to 2 times
_LORA = {"lora_dropout": 0.0, "bias": "none", "task_type": "CAUSAL_LM", "target_modules": "all-linear"}


class TrainingError(UserError):
    """A training run that cannot start or has died, in one sentence for the user."""


class TrainingDied(TrainingError, Died):
    """The training's process was killed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to train. `adapter`: only a LoRA adapter is trained and written."""

    model: Any
    tokenizer: Any
    adapter: bool
    bf16: bool
    dtype: Any  # of the weights in the folder it came from; the result is written in it


def use_bf16(precision: str) -> bool:
    """Whether steps run in bfloat16: where the device computes in it natively, unless the setting decides."""
    import torch

    if precision != "auto":
        return precision == "bfloat16"
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and "avx512_bf16" in cpu.read_text()


def load_tokenizer(base: Path) -> Any:
    """The tokenizer in `base`. Raises TrainingError when there is none."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError, KeyError) as e:
        raise _unusable(base, e) from e


def load(base: Path, tokenizer: Any, longest: int, settings: DistillSettings, seed: int) -> Loaded:
    """The model in `base`, a full model or an adapter folder, for sequences of at most `longest` tokens.

    Full training keeps float32 master weights. With `lora` the base stays as stored and an adapter is trained: the
    one in `base`, or a new one. Raises TrainingError when the folder holds no loadable model.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, set_seed

    gpu = torch.cuda.is_available()
    adapter_config = base / "adapter_config.json"
    try:
        root = base
        if adapter_config.exists():
            root = Path(json.loads(adapter_config.read_text())["base_model_name_or_path"])
        stored = AutoConfig.from_pretrained(root).dtype or torch.float32
        dtype = stored if settings.lora and gpu else torch.float32
        model = AutoModelForCausalLM.from_pretrained(root, dtype=dtype)
    except (OSError, ValueError, KeyError) as e:
        raise _unusable(base, e) from e
    bf16 = use_bf16(settings.precision)
    if bf16 and not gpu and longest <= _SHORT:
        model.set_attn_implementation("eager")
    if adapter_config.exists() or settings.lora:
        set_seed(seed)  # a new adapter is initialised at random
        model = _with_adapter(model, base if adapter_config.exists() else None, settings)
    return Loaded(model, tokenizer, settings.lora, bf16, stored)


def _unusable(base: Path, error: Exception) -> TrainingError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return TrainingError(f"no trainable model in {base}: {lines[0]}")


def _with_adapter(model: Any, adapter: Path | None, settings: DistillSettings) -> Any:
    """The model with its stored adapter, merged when all weights are trained, or with a new one."""
    from peft import LoraConfig, PeftModel, get_peft_model

    if adapter is None:
        lora = LoraConfig(r=settings.lora_rank, lora_alpha=2 * settings.lora_rank, **_LORA)
        return get_peft_model(model, lora)
    peft = PeftModel.from_pretrained(model, str(adapter), is_trainable=settings.lora)
    return peft if settings.lora else peft.merge_and_unload().requires_grad_(True)


def arguments(work: Work, settings: DistillSettings, bf16: bool, seed: int, rate: float, steps: int) -> dict[str, Any]:
    """Keyword arguments of any TRL config: one pass over rows that are already in order, checkpoints, no reporting."""
    import torch

    cpu = not torch.cuda.is_available()
    return {
        "output_dir": str(work.folder),
        "per_device_train_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.accumulate,
        "num_train_epochs": 1,
        "learning_rate": rate,
        "lr_scheduler_type": "cosine" if settings.schedule == "cosine" else "constant_with_warmup",
        "warmup_steps": int(settings.warmup * steps),
        "weight_decay": settings.weight_decay,
        "optim": "adamw_torch_fused",
        "train_sampling_strategy": "sequential",
        "remove_unused_columns": False,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": not cpu,
        "use_cpu": cpu,
        "bf16": bf16,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "logging_steps": max(1, steps // _LOG_POINTS),
        "logging_nan_inf_filter": False,
        "save_steps": settings.save_steps,
        "save_total_limit": 2,
        "report_to": [],
        "disable_tqdm": True,
        "seed": seed,
    }


def world_size() -> int:
    """Processes that train together under `accelerate launch`; 1 otherwise."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def order_of(encoded: _rows.Encoded, given: int, settings: DistillSettings, seed: int) -> list[int]:
    """The order of training. Raises TrainingError when not one of the `given` rows was short enough."""
    if not encoded.rows:
        raise TrainingError(
            f"none of {given} rows fits in max_length={settings.max_length} tokens: nothing to train on"
        )
    most = settings.max_steps * settings.batch_size * settings.accumulate * world_size()
    return _rows.schedule(encoded.lengths(), settings.batch_size, settings.epochs, most, seed)


def step_count(rows: int, settings: DistillSettings) -> int:
    """Optimiser steps of one pass over that many rows."""
    return math.ceil(rows / (settings.batch_size * settings.accumulate * world_size()))


def watch(work: Work) -> Any:
    """A trainer callback: tells progress, counts seconds over restarts, declares checkpoints complete.

    The checkpoint after the last step is skipped: the result itself is written then.
    """
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            spent = state.log_history[-1]["seconds"] if state.log_history else 0.0
            self.zero = time.perf_counter() - spent

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step >= state.max_steps:
                control.should_save = False

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            point = state.log_history[-1]
            point["seconds"] = time.perf_counter() - self.zero
            if state.is_world_process_zero and "loss" in point:
                work.tell(step=state.global_step, steps=state.max_steps, loss=point["loss"])

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.is_world_process_zero:
                work.mark(state.global_step)

    return Watch()


def run(trainer: Any, loaded: Loaded, work: Work, tokens: int, dropped: int, began: float) -> TrainReport:
    """Train from the last checkpoint, publish the result, and report. `began`: clock when the process set out."""
    from transformers import PrinterCallback

    ready = time.perf_counter()
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(watch(work))
    trainer.train(resume_from_checkpoint=work.checkpoint())
    state = trainer.state
    losses = [LossPoint(p["step"], p["loss"], p["learning_rate"]) for p in state.log_history if "loss" in p]
    seconds = state.log_history[-1]["seconds"]
    report = TrainReport(state.global_step, tokens, seconds, ready - began, losses, dropped)
    if state.is_world_process_zero:
        work.publish(lambda folder: _save(loaded, folder), report)
    return report


def _save(loaded: Loaded, folder: Path) -> None:
    """A complete model (or adapter) folder in the number format it came in."""
    if loaded.adapter:
        loaded.model.save_pretrained(folder, selected_adapters=["default"])
    else:
        loaded.model.to(loaded.dtype).save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
