"""Models whose weights nobody needs any more. Their rows, samples and scores stay in the ledger.

Needed are the weights of every model on the promoted path: what was promoted, every incumbent, what a run began with,
and all their ancestors. Not here: removing any (`garbage.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data import strays
from data.integrity import Found
from data.store import SETTINGS, Store
from data.weights import FILES, weights_id


@dataclass(frozen=True, slots=True)
class Unpromoted:
    """A model with its weights still in `folder`. `since`: when its run ended, in seconds since 1970."""

    run: str
    id: str
    folder: Path
    since: float


def unpromoted(home: Path, found: Found) -> Iterator[Unpromoted]:
    """Models of runs that have ended, of rounds that ended in a decision, off the promoted path.

    Not those whose folder holds other weights, or lies outside of their run, or stands in the settings of any run.
    """
    ledger = Store(home)
    models, rounds = ledger.read("models").to_pylist(), ledger.read("rounds").to_pylist()
    needed = {r["challenger_id"] for r in rounds if r["promoted"]} | {r["incumbent_id"] for r in rounds}
    needed |= {m["id"] for m in models if m["objective"] == "given"}
    _add_ancestors(needed, {m["id"]: m["parent_id"] for m in models})
    decided = {(r["run"], r["round"]) for r in rounds}
    settings = [f.read_text(errors="replace") for f in home.glob(f"*/{SETTINGS}")]
    for m in models:
        folder, since = home / m["run"] / "models" / Path(m["path"]).name, strays.ended_at(home, m["run"])
        if m["id"] in needed or (m["run"], m["round"]) not in decided or not since:
            continue
        if any(str(folder) in text or m["path"] in text for text in settings):
            continue
        if any(folder.glob(FILES)) and weights_id(folder) == m["id"]:
            yield Unpromoted(m["run"], m["id"], folder, since)


def _add_ancestors(ids: set[str], parent: dict[str, str]) -> None:
    left = list(ids)
    while left:
        before = parent.get(left.pop(), "")
        if before and before not in ids:
            ids.add(before)
            left.append(before)
