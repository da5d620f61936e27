"""What `model` names: a folder with a whole model, a folder with a LoRA adapter, or the id of a model on the hub.

`find` looks at file names and the adapter's JSON only, so a wrong path costs milliseconds. Nothing is downloaded by it.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tasks.engines import EngineError

TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

SMALL_BYTES = 100 * 2**20


@dataclass(frozen=True, slots=True)
class Source:
    """`base` is a path or hub id; `adapter` the folder of a LoRA adapter on it, or empty."""

    base: str
    adapter: str = ""

    @property
    def small(self) -> bool:
        """Whether one CPU thread is as fast as several (1.3 M parameters: 9,800 tokens/s with 1 and with 2)."""
        return self.local and sum(f.stat().st_size for f in Path(self.base).glob("*.safetensors")) < SMALL_BYTES

    @property
    def local(self) -> bool:
        """Whether nothing needs to be fetched."""
        return Path(self.base).is_dir()


def fetch(source: Source) -> None:
    """Make sure that a hub id can be loaded, from the cache or the network. Raises EngineError when not."""
    if source.local:
        return
    from transformers import AutoConfig

    try:
        AutoConfig.from_pretrained(source.base)
    except OSError as e:
        reason = str(e).strip().split("\n")[0]
        raise EngineError(f"no model at {source.base}: no such folder, and not loaded from the hub ({reason})") from e


def quiet_threads(source: Source) -> None:
    """OpenMP threads that wait asleep, one for a small model, unless the environment says otherwise.

    Spinning threads beside any other busy program made a small model ten times slower. Called before torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if source.small:
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def find(model: Path | str) -> Source:
    """The model that `model` names. Raises EngineError when there is none, or when its folder is not complete."""
    folder = Path(model)
    if not folder.is_dir():
        if HUB_ID.fullmatch(str(model)) and not folder.parent.exists():
            return Source(str(model))
        raise EngineError(
            f"no model at {model}: give a folder with config.json and weights, or a hub id such as org/name"
        )
    adapter = folder / "adapter_config.json"
    if adapter.is_file():
        base = str(json.loads(adapter.read_text()).get("base_model_name_or_path") or "")
        if not base:
            raise EngineError(
                f"the LoRA adapter at {model} does not say which model it belongs to (base_model_name_or_path)"
            )
        return Source(find(base).base, str(folder.resolve()))
    if not (folder / "config.json").is_file():
        raise EngineError(f"no model at {model}: the folder has no config.json")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise EngineError(f"the model at {model} has no tokenizer: copy tokenizer.json into the folder")
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):
        raise EngineError(f"the model at {model} has no weights: expected *.safetensors in the folder")
    return Source(str(folder.resolve()))
