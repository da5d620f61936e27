"""Decontaminate: which training problems are copies of held-out problems, or of a user's benchmarks. All of it is SQL.

Two signals: the problem has most of the text's telling n-grams, numbers included; both have the same normal form, but
for few letters. Both, or equal forms: `drop`; one alone: `review`. Either way the problem stays out of training until
a person clears it (`clearances.py`). Numbers and signs matter: with another number it is another problem, and a fresh
problem of the same template is no copy.
Not seen: paraphrases, translations, copies in pieces, and what a completion quotes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from data import catalog
from data.ids import content_id
from data.records import Problem
from data.store import At, Store
from tasks import benchmarks
from tasks.clearances import cleared
from tasks.settings import DecontaminateSettings

VERSION = 1
HELD_OUT = "held-out"
LONGEST = 20_000  # characters of a text that are compared

_COMPARED = "SELECT benchmark, count(*) AS n FROM texts GROUP BY benchmark ORDER BY benchmark"
_STATES = """
    SELECT state, count(*) AS n
    FROM (SELECT if(bool_or(decision = 'drop'), 'drop', max(decision)) AS state FROM written GROUP BY problem_id)
    GROUP BY state"""


@dataclass(frozen=True, slots=True)
class Decontaminated:
    """How many problems were compared with how many texts of each benchmark, and how many of them are in which state.

    A problem that is like texts of several benchmarks counts once, with the gravest decision.
    """

    problems: int
    benchmarks: dict[str, int]
    dropped: int
    review: int
    cleared: int

    @property
    def remark(self) -> str:
        """What a person should know; empty when no problem stays out."""
        if not self.dropped + self.review:
            return ""
        return (
            f"{self.dropped + self.review:,} of {self.problems:,} problems stay out of training: {self.dropped:,} are "
            f"in a benchmark, {self.review:,} may be (see `flywheel contamination`)"
        )


def decontaminate(
    store: Store, at: At, settings: DecontaminateSettings, held_out: Sequence[Problem] = ()
) -> Decontaminated:
    """Stage `decontaminate`: writes `contaminations`. Compares with what the run holds out, `held_out`, and benchmarks.

    Raises UserError for a benchmark that cannot be read. A clearance given after the commit counts from the next round.
    """
    texts = pa.concat_tables([_of(held_out), benchmarks.read(settings.benchmarks, settings.column)])
    inputs = (
        store.inputs(at.run, sorted({0, at.round}), ("problems",)),
        store.inputs(at.run, range(at.round + 1), ("eval_problems",)),
        content_id(sorted(map(str, texts.to_pylist()))),
    )
    fingerprint = content_id("decontaminate", VERSION, settings.model_dump(), asdict(at), steps(), inputs)
    stage = store.stage(at, "decontaminate", fingerprint)
    if not stage.done:
        known = {"round": at.round, "longest": LONGEST, **settings.model_dump()}
        given = [(c.problem_id, c.because) for c in cleared(store.home).values()]
        with store.workspace(at.run, range(at.round + 1), settings.memory_gib) as ws:
            ws.give("benchmarks", texts)
            ws.give("clearances", _table(("problem_id", "because"), given))
            for name, text in steps():
                ws.table(name, text, known)
            if not stage.has("contaminations", "all"):
                stage.write("contaminations", "all", ws.stream("FROM found"))
            ws.give("written", stage.partial("contaminations"))
            counts = {row["benchmark"]: row["n"] for row in ws.arrow(_COMPARED).to_pylist()}
            states = {row["state"]: row["n"] for row in ws.arrow(_STATES).to_pylist()}
        numbers = (states.get(state, 0) for state in ("drop", "review", "cleared"))
        done = Decontaminated(counts.pop("", 0), counts, *numbers)
        stage.commit({"decontaminated": asdict(done)})
    return Decontaminated(**stage.meta["decontaminated"])


def clean(store: Store, at: At, problems: Sequence[Problem]) -> list[Problem]:
    """Those of this round's problems that may be trained on."""
    sql = "SELECT DISTINCT problem_id FROM contaminations WHERE round = $round AND decision <> 'cleared'"
    out = set(store.query(sql, {"round": at.round}, run=at.run, rounds=[at.round])["problem_id"].to_pylist())
    return [p for p in problems if p.id not in out]


@cache
def steps() -> tuple[tuple[str, str], ...]:
    """Name and SELECT of the tables that are made one after another: data/sql/decontaminate/<n>_<name>.sql."""
    return catalog.steps(catalog.SQL / "decontaminate")


def _of(problems: Sequence[Problem]) -> pa.Table:
    return _table(benchmarks.SCHEMA.names, [(HELD_OUT, p.id, p.prompt) for p in problems if p.split == "heldout"])


def _table(names: Sequence[str], found: Sequence[tuple[str, ...]]) -> pa.Table:
    """Text columns of these names."""
    return pa.table({name: pa.array([row[i] for row in found], pa.string()) for i, name in enumerate(names)})


decontaminate_task = task(name="decontaminate", cache_policy=NO_CACHE)(decontaminate)
