"""One training run as a process, whose end frees the device: `python -m tasks.objectives._run <job> <parent pid>`.

The job folder holds `job.json` and `table.arrow`; the report, or one sentence on what failed, goes to `report.json`.
With several GPUs it starts itself again under torch's launcher, one process a GPU. Not the caller: `tasks/distill.py`.
"""

import contextlib
import ctypes
import errno
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from data import registry
from data.errors import UserError
from tasks.objectives import TrainReport
from tasks.settings import DistillSettings

_PR_SET_PDEATHSIG = 1


def main(folder: Path, parent: int) -> int:
    """Run the job in `folder`; 0 when `report.json` holds a report, 1 when it holds an error."""
    _die_with(parent)
    job = json.loads((folder / "job.json").read_text())
    if job["objective"] != "scripted":
        _one_process_per_gpu(folder)
    with pa.memory_map(str(folder / "table.arrow")) as source:
        table = pa.ipc.open_file(source).read_all()
    base, out = Path(job["base"]), Path(job["out"])
    settings = DistillSettings.model_validate(job["settings"])
    try:
        with _named_failures(out):
            objective = registry.load("tasks.objectives", job["objective"])
            report: TrainReport = objective.train(table, base, out, settings, job["seed"])
    except UserError as e:
        _answer(folder, {"error": str(e)})
        return 1
    _answer(folder, {"report": asdict(report)})
    return 0


@contextlib.contextmanager
def _named_failures(out: Path) -> Iterator[None]:
    """Out of memory and disk full as UserErrors. Whatever else goes wrong keeps its traceback, for the log."""
    try:
        yield
    except MemoryError as e:
        raise UserError(f"training ran out of memory: {_MEMORY}") from e
    except OSError as e:
        if e.errno != errno.ENOSPC:
            raise
        raise UserError(f"no space left while training into {out}: free some disk space and resume the run") from e
    except Exception as e:
        text = str(e)
        if type(e).__name__ == "OutOfMemoryError" or "not enough memory" in text:  # torch's, of a GPU and of a CPU
            raise UserError(f"training ran out of memory ({text.splitlines()[0]}): {_MEMORY}") from e
        if "No space left on device" in text:  # safetensors and torch wrap the system's error in their own
            raise UserError(f"no space left while training into {out}: free some disk space and resume the run") from e
        raise


_MEMORY = (
    "lower distill.batch_size (and raise distill.accumulate), or set distill.gradient_checkpointing or distill.lora"
)


def _answer(folder: Path, what: dict[str, object]) -> None:
    if os.environ.get("RANK", "0") == "0":
        draft = folder / "report.json.draft"
        draft.write_text(json.dumps(what))
        draft.rename(folder / "report.json")


def _die_with(parent: int) -> None:
    """Be killed when the thread that started this process ends, also when its process is killed."""
    if "RANK" in os.environ:
        parent = os.getppid()  # started by the launcher, which dies with the parent
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _one_process_per_gpu(folder: Path) -> None:
    """Become torch's launcher when there are several GPUs and nobody has launched us yet."""
    if "RANK" in os.environ:
        return
    import torch

    if (gpus := torch.cuda.device_count()) > 1:
        launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={gpus}"]
        job = ["-m", "tasks.objectives._run", str(folder), "0"]
        os.execv(sys.executable, [sys.executable, *launcher, *job])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
