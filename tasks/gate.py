"""The quality gate: may this round be trained on? Critical expectations that fail say no and name the rows.

Not here: what is expected (`_quality_rules.py`) of which tables (`_quality_tables.py`), the engine that checks
(`data/expectations.py`), the page of the result (`quality_page.py`), and what becomes of a round that did not pass
(flows).
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from data import expectations, schemas
from data.ids import content_id
from data.records import Check
from data.store import At, Store
from tasks import quality_page
from tasks._quality_rules import MEASURED, RELATIONS
from tasks._quality_tables import examine
from tasks.settings import CurateSettings, GateSettings

VERSION = 2


@dataclass(frozen=True, slots=True)
class Gated:
    """Whether the round may be trained on; `failed` are critical and block it, `warnings` do not."""

    passed: bool
    checks: int
    failed: list[Check]
    warnings: list[Check]
    page: Path

    @property
    def why(self) -> str:
        """What failed, for a person: `examples: there are at least 32 examples (12)`; empty when nothing did."""
        return "; ".join(f"{c.relation}: {c.expectation} ({c.observed})" for c in self.failed)

    @property
    def remark(self) -> str:
        """One line that names the page, empty when all expectations hold."""
        found = [f"{len(c)} {what}" for c, what in ((self.failed, "failed"), (self.warnings, "warnings")) if c]
        return f"Quality: {' and '.join(found)} of {self.checks} checks: {self.page}" if found else ""


def gate(store: Store, at: At, curate: CurateSettings, limits: GateSettings) -> Gated:
    """Check this round's data, commit the checks and write their page.

    Raises ExpectationsError, and commits nothing, when a check could not be made.
    """
    own = set(RELATIONS) - {*MEASURED}
    inputs = store.inputs(at.run, [at.round], own), store.inputs(at.run, [at.round - 1], MEASURED)
    fingerprint = content_id("gate", VERSION, curate.model_dump(), limits.model_dump(), asdict(at), inputs)
    stage = store.stage(at, "gate", fingerprint)
    if not stage.done:
        with store.workspace(at.run, range(at.round + 1), limits.memory_gib) as ws:
            with expectations.engine(ws.connection) as engine:
                stage.write("checks", "all", examine(ws, engine, at.round, curate, limits))
            stage.commit({"startup_seconds": engine.startup_seconds})
    page = quality_page.write(store, at.run, at.round)
    checks = schemas.rows(stage.partial("checks"), Check)
    broken = [c for c in checks if not c.success]
    failed = [c for c in broken if c.severity == "critical"]
    return Gated(not failed, len(checks), failed, [c for c in broken if c.severity == "warning"], page)


gate_task = task(name="gate", cache_policy=NO_CACHE)(gate)
