"""Tokens a second of the objective `sft` (TRL) against a plain PyTorch loop on the same rows in the same batches.

    python -m bench.training [--json] [--width 128] [--layers 4] [--heads 4] [--steps 60] [--threads 2]

Both run in this process, in turn and each `--repeats` times, the best of each counts: the same model, attention,
number format, optimiser and gradient clipping. Reading and tokenising are reported apart, as `startup_seconds`.
`eager_ratio`: how much faster explicit attention is than torch's fused kernel in the plain loop (on a CPU).
"""

import argparse
import json
import os
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def rows(count: int) -> Any:
    """Worked chain sums of levels 1 to 8 as a table."""
    import pyarrow as pa

    from data.domains import load

    domain = load("chain_sum")
    found = [p for level in range(1, 9) for p in islice(domain.problems("train", 0, level), count // 8)]
    return pa.table({"prompt": [p.prompt for p in found], "completion": [domain.solve(p) for p in found]})


def plain(base: Path, batches: list[Any], attention: str, bf16: bool, rate: float) -> float:
    """Seconds of the loop that anyone would write: forward, loss, backward, clip, step."""
    import torch
    from torch.nn.functional import cross_entropy
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, attn_implementation=attention).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0, fused=True)
    started = time.perf_counter()
    for batch in batches:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            logits = model(input_ids=batch["input_ids"], use_cache=False).logits[:, :-1]
            loss = cross_entropy(logits.flatten(0, 1).float(), batch["labels"][:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
    return time.perf_counter() - started


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures of one comparison."""
    import torch

    from tasks.objectives import _rows, _setup, sft
    from tasks.policy import blank_policy
    from tasks.settings import BootstrapSettings, DistillSettings

    torch.set_num_threads(options.threads)
    settings = DistillSettings(max_steps=options.steps, epochs=1000)
    table = rows(64 * options.steps)
    with tempfile.TemporaryDirectory() as folder:
        base, out = Path(folder) / "base", Path(folder) / "out"
        shape = BootstrapSettings(width=options.width, layers=options.layers, heads=options.heads)
        parameters = blank_policy(base, shape)
        encoded = _rows.encode(table, _setup.load_tokenizer(base), ["completion"], settings.max_length)
        order = _setup.order_of(encoded, len(table), settings, 0)
        whole = [
            {"input_ids": p + c, "start": len(p)}
            for p, c in zip(encoded.prompts, encoded.texts["completion"], strict=True)
        ]
        batches = [sft.collate([whole[i] for i in order[k : k + 64]]) for k in range(0, len(order), 64)]
        tokens = sum(len(whole[i]["input_ids"]) for i in order)
        bf16 = _setup.use_bf16("auto")
        plain(base, batches[:3], "eager", bf16, 1e-4)  # warm
        loops, trainers, startup, sdpa = [], [], [], []
        for repeat in range(options.repeats):
            loops.append(plain(base, batches, "eager", bf16, settings.learning_rate))
            report = sft.train(table, base, out.with_name(f"out{repeat}"), settings, 0)
            trainers.append(report.seconds)
            startup.append(report.startup_seconds)
            sdpa.append(plain(base, batches[: len(batches) // 3], "sdpa", bf16, settings.learning_rate) * 3)
    return {
        "parameters": parameters,
        "threads": options.threads,
        "bf16": bf16,
        "steps": options.steps,
        "tokens": tokens,
        "padding_share": round(1 - tokens / sum(b["input_ids"].numel() for b in batches), 4),
        "plain_tokens_per_s": round(tokens / min(loops)),
        "trainer_tokens_per_s": round(tokens / min(trainers)),
        "ratio": round(min(loops) / min(trainers), 3),
        "eager_ratio": round(min(sdpa) / min(loops), 2),
        "startup_seconds": round(min(startup), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    for name, default in {"width": 128, "layers": 4, "heads": 4, "steps": 60, "threads": 2, "repeats": 2}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    found = measure(options)
    for name, value in found.items():
        print(f"{name:24} {value:>12,}" if not isinstance(value, bool) else f"{name:24} {value!s:>12}")
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
