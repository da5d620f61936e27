"""The datasets of the ledger, and the one that a user means. Not here: their rows (`export.py`)."""

from dataclasses import dataclass
from typing import Literal

from data import manifest
from data.errors import UserError
from data.store import Store

Kind = Literal["examples", "pairs"]
SHOWN = 12  # known datasets that an error lists


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset of the ledger: members of one kind that one round of one run was given."""

    kind: Kind
    run: str
    round: int
    id: str
    rows: int

    def __str__(self) -> str:
        return f"{self.id} ({self.run}/{self.round}, {self.rows:,} {self.kind})"


def find(store: Store, wanted: str, kind: Kind) -> Dataset:
    """The dataset of that id (or a prefix of it that no other has), `run/round`, run (its last round), or `latest`.

    Raises UserError that lists what there is.
    """
    counted = f"SELECT run, round, dataset_id, count(*) FROM {kind} GROUP BY run, round, dataset_id ORDER BY ALL"
    known = [Dataset(kind, *row.values()) for row in store.query(counted).to_pylist()]
    if not known:
        raise UserError(f"no {kind} have been curated in {store.home} yet: start a run, or set FLYWHEEL_HOME")
    found = _named(store, wanted, known)
    if len({d.id for d in found}) == 1:
        return found[0]
    listed = ", ".join(map(str, (found or known)[-SHOWN:]))
    if found:
        raise UserError(f"{wanted!r} may be any of {listed}: give more of the id")
    raise UserError(f"there is no dataset {wanted!r} of {kind}: known are {listed}; or write latest")


def _named(store: Store, wanted: str, known: list[Dataset]) -> list[Dataset]:
    """What `wanted` may mean, by the first reading that fits."""
    if wanted == "latest":
        stages = [m for m in manifest.committed(store.home) if any(p.relation == known[0].kind for p in m.parts)]
        when = {(m.run, m.round): m.created for m in stages}
        return [max(known, key=lambda d: when[d.run, d.round])]
    placed = [d for d in known if f"{d.run}/{d.round}" == wanted]
    return placed or [d for d in known if d.run == wanted][-1:] or [d for d in known if d.id.startswith(wanted or "-")]
