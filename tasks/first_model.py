"""The model a run starts from, made local and entered in the ledger. Not here: models that a round trains."""

import json
from dataclasses import dataclass
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from data.errors import UserError
from data.ids import content_id
from data.records import Model
from data.store import At, Store
from data.weights import weights_id
from tasks.engines._model import HUB_ID

VERSION = 1
SEED_POLICY = Path(__file__).parents[1] / "data" / "seed_policy"
FIRST = Path("models") / "first"  # in a run folder: the first model, where it has to be written


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model in a local folder; `id` is the hash of its weights."""

    id: str
    path: Path


def resolve(model: str, scripted_skill: float, folder: Path) -> Path:
    """The local folder of 'seed', a path, 'scripted' (written to `folder`) or a hub id (fetched once, then cached).

    Raises UserError when there is no such model.
    """
    if model == "scripted":
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scripted.json").write_text(json.dumps({"skill": scripted_skill}))
        return folder
    path = SEED_POLICY if model == "seed" else Path(model).expanduser()
    if path.is_dir():
        return path.absolute()
    if model == "seed" or not HUB_ID.fullmatch(model):
        raise UserError(f"no model at {path}: give the folder of a model, a hub id such as Qwen/Qwen3-1.7B, or 'seed'")
    return _from_hub(model)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.txt", "*.jinja"]))
    except Exception as e:  # the hub client raises many types; each means that the model is not to be had
        raise UserError(f"model {name!r} is neither a local folder nor to be had from the hub: {e}") from e


def register(store: Store, at: At, path: Path) -> ModelRef:
    """Enter the model of `path` in `models` as one without parent; the stage `first-model`, done once."""
    model_id = weights_id(path)
    stage = store.stage(at, "first-model", content_id("first-model", VERSION, model_id, str(path)))
    if not stage.done:
        stage.write("models", "first", [Model(model_id, "", "given", "{}", "", str(path), 0, 0.0)])
        stage.commit({"rows": 1})
    return ModelRef(model_id, path)


register_task = task(name="first-model", cache_policy=NO_CACHE)(register)
