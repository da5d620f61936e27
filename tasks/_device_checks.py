"""Checks of `flywheel doctor` of what generates and trains: a real engine, what a run left behind, a GPU's memory.

A check changes nothing; what it brings to mend it may. Not here: the other checks (`doctor.py`).
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from data.errors import UserError
from tasks import _workers
from tasks._findings import Finding
from tasks.engines import Request
from tasks.serving import Serving
from tasks.settings import EngineSettings


def engine(settings: EngineSettings, model: Path) -> Finding:
    """A real start of the engine with the model in this folder, and one completion. The device should be free."""
    alone = settings.model_copy(update={"replicas": 1, "tensor_parallel": 1, "lora": False})
    if settings.name == "scripted":
        return Finding("engine", "ok", "scripted: there is nothing to start")
    try:
        with Serving(alone) as serving:
            started = serving.of(model)()
            ((done,),) = started.complete([Request("doctor", "1 + 1", max_tokens=8)])
    except UserError as e:
        other = ", or use --set engine.name=transformers (slower)" if settings.name == "vllm" else ""
        return Finding("engine", "failed", f"{e}: run `make setup`{other}")
    text = f"{settings.name} started in {started.startup_seconds:.1f} s and wrote {done.tokens} tokens"
    return Finding("engine", "ok", text)


def orphans() -> Finding:
    """Engines and trainings whose run is gone: they would hold the device's memory."""
    left = [pid for pid, parent in _workers.running() if parent and not Path(f"/proc/{parent}").exists()]
    if not left:
        return Finding("processes", "ok", "no engine and no training without its run")
    text = f"{len(left)} engines or trainings without their run: {', '.join(map(str, left))}"
    return Finding("processes", "failed", text, lambda: _kill(left))


def gpu_memory() -> Iterator[Finding]:
    """Memory of a GPU that no process seen here holds. Nothing where there is no nvidia-smi."""
    if shutil.which("nvidia-smi") is None:
        return
    try:
        gpus = _nvidia("--query-gpu=index,memory.used,memory.total")
        users = _nvidia("--query-compute-apps=pid,used_memory")
    except (OSError, subprocess.SubprocessError) as e:
        yield Finding("gpu", "failed", f"nvidia-smi does not answer: {e}")
        return
    yield gpu_finding(gpus, [int(pid) for pid, _ in users if Path(f"/proc/{pid}").exists()])


def gpu_finding(gpus: list[list[str]], seen: list[int]) -> Finding:
    """`gpus`: index, MiB used, MiB in all; `seen`: processes of this machine that compute on one of them."""
    full = [
        f"{int(used) / 1024:.1f} of {int(most) / 1024:.0f} GiB of GPU {i}"
        for i, used, most in gpus
        if _held(used, most)
    ]
    if full and not seen:
        text = f"{', '.join(full)} are taken by no process that is seen here: an engine may find too little"
        return Finding("gpu", "warning", text)
    return Finding("gpu", "ok", f"{len(gpus)} GPUs, {len(seen)} processes on them")


def _kill(pids: list[int]) -> str:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return "killed"


def _nvidia(query: str) -> list[list[str]]:
    command = ["nvidia-smi", query, "--format=csv,noheader,nounits"]
    text = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    return [[word.strip() for word in line.split(",")] for line in text.splitlines() if line.strip()]


def _held(used: str, most: str) -> bool:
    """More than a driver takes for itself."""
    return used.isdigit() and most.isdigit() and int(used) > max(1024, int(most) // 50)
