"""What the generate stage costs over vLLM itself. Prints a table, with `--json` one object last.

    python -m bench.generation [--model FOLDER] [--problems 200] [--samples 4] [--runs 3] [--threads 1] [--json]

Ours: the whole stage, best_of_n through the hosted engine, attempts written and committed to a store. Bare:
`LLM.generate` in a process of its own on the same prompts with the same sampling, seeds and logprobs, and once more
without seeds and logprobs (`plain`), which gives less. The three take turns on the same machine; medians count.
Not measured: quality, verification, start-up (reported apart).
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from data import domains
from data.ids import derived_seed
from data.records import Problem
from data.store import At, Store
from tasks.engines import start
from tasks.generate import generate
from tasks.policy import blank_policy
from tasks.settings import BootstrapSettings, EngineSettings, GenerateSettings, SamplingSettings

SEED_POLICY = Path(__file__).parents[1] / "data" / "seed_policy"
DOMAINS = ("chain_sum", "equations", "programs")
LENGTH, SEQUENCES, MEMORY_SHARE = 512, 512, 0.4  # two engines share the device


def problems(count: int, seed: int) -> list[Problem]:
    """Fresh problems of levels 1 to 6 of the generated domains, in equal parts."""
    sources = [domains.load(name).problems("train", seed, level) for name in DOMAINS for level in range(1, 7)]
    each = -(-count // len(sources))
    return [p for source in sources for p in islice(source, each)][:count]


def bare(conn: Connection, model: str, sampling: SamplingSettings, samples: int) -> None:
    """Serve `LLM.generate` alone: takes (prompts, seeds or None), gives (tokens, seconds)."""
    os.environ |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"}
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    from vllm import LLM, SamplingParams
    from vllm.platforms import current_platform

    # as in the engine: chunked prefill and seeds do not go together on a CPU
    special: dict[str, Any] = {"gpu_memory_utilization": MEMORY_SHARE}
    if current_platform.is_cpu():
        special = {"enable_chunked_prefill": False, "max_num_batched_tokens": 8192, "enforce_eager": True}
    llm = LLM(model=model, max_model_len=LENGTH, max_num_seqs=SEQUENCES, **special)
    conn.send("ready")
    while True:
        prompts, seeds = conn.recv()
        extra = [{"seed": s, "logprobs": 0} for s in seeds] if seeds else [{}] * len(prompts)
        shared = {"n": samples, **sampling.model_dump()}
        parameters = [SamplingParams(**shared, **e) for e in extra]
        began = time.perf_counter()
        outputs = llm.generate(prompts, parameters, use_tqdm=False)
        seconds = time.perf_counter() - began
        conn.send((sum(len(c.token_ids) for o in outputs for c in o.outputs), seconds))


def measure(model: Path, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Tokens per second of the three ways, `runs` times each in turns after one unmeasured turn."""
    sampling = SamplingSettings(max_tokens=128)
    settings = GenerateSettings(samples=arguments.samples, sampling=sampling)
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=bare, args=(far, str(model), sampling, arguments.samples), daemon=True)
    engine = start(model, EngineSettings(max_model_len=LENGTH, max_num_seqs=SEQUENCES, memory_share=MEMORY_SHARE))
    process.start()
    near.recv()
    store = Store(folder)

    def ours(asked: list[Problem], run: int) -> tuple[int, float]:
        began = time.perf_counter()
        made = generate(store, At("bench", run, run), asked, "bench", lambda: engine, lambda _: [], settings)
        return made.tokens, time.perf_counter() - began

    def theirs(asked: list[Problem], seeded: bool) -> tuple[int, float]:
        seeds = [derived_seed("bench", p.id) for p in asked] if seeded else None
        near.send(([p.prompt + "\n" for p in asked], seeds))
        tokens, seconds = near.recv()
        return tokens, seconds

    ways: dict[str, Callable[[list[Problem], int], tuple[int, float]]] = {
        "ours": ours,
        "bare": lambda asked, _: theirs(asked, True),
        "plain": lambda asked, _: theirs(asked, False),
    }
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for run in range(arguments.runs + 1):
        asked = problems(arguments.problems, run)
        for name, way in ways.items():
            tokens, seconds = way(asked, run)
            if run:
                speeds[name].append(tokens / seconds)
    startup = engine.startup_seconds
    engine.close()
    process.terminate()
    middle = {name: median(values) for name, values in speeds.items()}
    return {
        "tokens_per_s": {name: round(v) for name, v in middle.items()},
        "ratio": round(middle["ours"] / middle["bare"], 3),
        "ratio_plain": round(middle["ours"] / middle["plain"], 3),
        "startup_seconds": round(startup, 2),
        "runs": {name: [round(v) for v in values] for name, values in speeds.items()},
    }


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="default: the seed policy, or a random one of its shape")
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3, choices=range(3, 100), metavar="RUNS (3 or more)")
    parser.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", "1")))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    with TemporaryDirectory() as folder:
        model = arguments.model or SEED_POLICY
        if not (model / "config.json").is_file():
            model = Path(folder, "model")
            blank_policy(model, BootstrapSettings())
        result = measure(model, arguments, Path(folder, "home"))
    print(f"{'':8s}{'tokens/s':>10s}  runs")
    for name, speed in result["tokens_per_s"].items():
        print(f"{name:8s}{speed:10,d}  {' '.join(f'{v:,d}' for v in result['runs'][name])}")
    print(f"ours / bare {result['ratio']:.3f}, ours / plain {result['ratio_plain']:.3f}")
    print(f"start {result['startup_seconds']} s")
    if arguments.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
