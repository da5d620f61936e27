"""The identity of a model: a hash of the bytes of its weights. Not of its tokenizer, config or path."""

import hashlib
from pathlib import Path

from data.errors import UserError

REMOVED = "weights-removed.json"  # in the folder of a model whose weights `flywheel gc` removed: which, when and why
FILES = "*.safetensors"
_CHUNK = 1 << 22


def weights_id(folder: Path) -> str:
    """16 hex digits over the safetensors files of a model folder (names and bytes).

    An adapter folder is identified by its adapter alone. Raises UserError when the folder holds no weights.
    """
    files = sorted([*folder.glob(FILES), *folder.glob("scripted.json")])  # the latter: the scripted engine
    if not files and (folder / REMOVED).exists():
        raise UserError(
            f"the weights of {folder} were removed by `flywheel gc` ({REMOVED} says why): give another model"
        )
    if not files:
        raise UserError(f"no *.safetensors in {folder}: that is not a model folder, give one that holds weights")
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as f:
            while block := f.read(_CHUNK):
                digest.update(block)
    return digest.hexdigest()[:16]
