"""The rules of curation: data/sql/rules/<name>.sql, one SELECT of the attempts to drop; the file name is the rule.

Line 1 is `-- drops: <phrase for a person>`. A rule reads `candidates` (the round's right attempts, with their texts),
`alive` (ids of those that no earlier rule has dropped) and every relation of the ledger; `$names` are settings of
curation, `$round` and `$seed`. What it selects beside the living does nothing. Tables that it wants first are SELECTs
of their own, rules/<name>/<n>_<table>.sql, in the order of n. Not here: the order of the rules (`tasks/curate.py`).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data.catalog import SQL, mentioned, steps

_DROPS = "-- drops: "


@dataclass(frozen=True, slots=True)
class Rule:
    """`reason` stands in the ledger; `drops` says it to a person; `steps` are (table, SELECT), made in this order."""

    name: str
    drops: str
    select: str
    steps: tuple[tuple[str, str], ...] = ()

    @property
    def reason(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")

    def reads(self) -> set[str]:
        """Words of its SQL: a superset of the relations it reads."""
        return mentioned("\n".join([self.select, *(text for _, text in self.steps)]))


@cache
def rules() -> dict[str, Rule]:
    """Every rule by its name. Raises ValueError for a file without its first line."""
    return {f.stem: _rule(f) for f in sorted((SQL / "rules").glob("*.sql"))}


def _rule(file: Path) -> Rule:
    text = file.read_text()
    if not text.startswith(_DROPS):
        raise ValueError(f"{file} must begin with '{_DROPS}' and a phrase that says what the rule drops")
    return Rule(file.stem, text.splitlines()[0].removeprefix(_DROPS), text, steps(file.with_suffix("")))
