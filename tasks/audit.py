"""The audit: every verifier of a round judges labelled probes, and a round with one above its error budget stops.

Fresh probes each round, of this round's own problems, by `verifiers/probes/<verifier>.py` (a verifier without such a
file gets those that hold for any). Accepted means what training means by it: correct, and no checked step is wrong.
Above the budget is the observed rate, not its interval: with fewer than 1,000 probes to refuse and the default budget
of 0.1 %, a single false accept stops the round. An `unverified` right answer counts as a false reject.
Not here: what a refused round leads to (flows), and problems the model wrote, which bring no verifier of their own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from data import domains, duck, registry
from data.errors import UserError
from data.ids import content_id, derived_seed
from data.progress import Progress, silent
from data.records import ProbeResult, Problem, Wrong
from data.schemas import placed, rows, to_table
from data.store import At, Store
from tasks.settings import AuditSettings, VerifySettings
from tasks.verify import judge_once, versions
from verifiers._judge import Judged
from verifiers._pool import Pool
from verifiers.probes import Probe
from verifiers.probes._common import idle

VERSION = 1
PASSES = 8  # over the problems of a verifier, fresh probes each time, when they are few
NAMED = 3  # offending probes that the message shows
SHOWN = 60  # characters of each

Item = tuple[Problem, Probe]


@dataclass(frozen=True, slots=True)
class Audited:
    """Whether the round may go on. `rates`: the rows of the view `audit` over all kinds, one per verifier."""

    passed: bool
    probes: int
    why: str  # empty when it passed
    rates: list[dict[str, Any]]


def audit(
    store: Store, at: At, settings: AuditSettings, checking: VerifySettings, progress: Progress = silent
) -> Audited:
    """Stage `audit`: judges fresh probes of every verifier that this round's drawn problems name, writes `probes`.

    A killed stage repeats at most one verifier.
    """
    problems = rows(store.read("problems", at.run, [at.round]), Problem)
    drawn = {p.id: p for p in problems if not p.source.startswith("model:")}
    asked = {name: made(name, drawn.values(), at, settings) for name in sorted({p.verifier for p in drawn.values()})}
    texts = [(p.id, probe.kind, probe.text, probe.accept) for items in asked.values() for p, probe in items]
    known = versions(drawn.values())
    stage = store.stage(at, "audit", content_id("audit", VERSION, texts, known, checking.timeout_s))
    if not stage.done:
        left = [name for name in asked if not stage.has("probes", name)]
        with Pool(checking.workers, checking.timeout_s) as pool:
            for done, name in enumerate(left, len(asked) - len(left)):
                progress(done, len(asked), f"{len(asked[name])} probes of {name}")
                judged = judge_once(pool, [(p, probe.text) for p, probe in asked[name]])
                both = zip(asked[name], judged, strict=True)
                stage.write("probes", name, [result(p, probe, found, known[name]) for (p, probe), found in both])
        progress(len(asked), len(asked), "verifiers audited")
        stage.commit({"rows": len(texts), "rates": _rates(store, rows(stage.partial("probes"), ProbeResult))})
    found = rows(stage.partial("probes"), ProbeResult)
    over = "; ".join(broken(stage.meta["rates"], found, {p.id: p.prompt for p in drawn.values()}, settings))
    return Audited(not over, len(found), f"the audit found {over}" if over else "", stage.meta["rates"])


def made(verifier: str, problems: Iterable[Problem], at: At, settings: AuditSettings) -> list[Item]:
    """Up to `settings.probes` distinct probes of one verifier, of its problems in an order drawn for this round."""
    mine = [p for p in problems if p.verifier == verifier]
    mine.sort(key=lambda p: content_id("audit", at.seed, at.round, p.id))
    items: dict[tuple[str, str], Item] = {}
    for number, problem in product(range(PASSES), mine):
        rng = Random(derived_seed("audit", at.seed, at.round, number, problem.id))
        fresh = list(_probes(problem, rng))
        for probe in rng.sample(fresh, min(settings.per_problem, len(fresh))):
            items.setdefault((problem.id, probe.text), (problem, probe))
        if len(items) >= settings.probes:
            break
    return list(items.values())[: settings.probes]


def _probes(problem: Problem, rng: Random) -> Iterator[Probe]:
    try:
        solution = str(domains.load(problem.domain).solve(problem))
    except UserError:  # a file with tests has no solution
        solution = ""
    if problem.verifier in registry.known("verifiers.probes"):
        yield from registry.load("verifiers.probes", problem.verifier).probes(problem, rng, solution)
    else:
        yield from idle(problem, rng)
        yield from [Probe("gold", solution, True)] if solution else []


def result(problem: Problem, probe: Probe, found: Judged, version: int) -> ProbeResult:
    """The label against what was accepted."""
    accepted = found.verdict.outcome == "correct" and all(step.outcome != "incorrect" for step in found.steps)
    outcome = found.verdict.outcome
    wrong: Wrong = "none"
    if accepted and not probe.accept:
        wrong = "false_accept"
    elif probe.accept and not accepted:
        wrong = "unverified" if outcome == "unverified" else "false_reject"
    probed = problem.id, problem.verifier, version, probe.kind, probe.text, probe.accept
    return ProbeResult(*probed, outcome, found.verdict.reason, wrong)


def _rates(store: Store, found: Sequence[ProbeResult]) -> list[dict[str, Any]]:
    """The rows of data/sql/audit.sql over all kinds."""
    place = pa.repeat("", len(found)), pa.repeat(pa.scalar(0, pa.int32()), len(found))
    here = pa.table([*to_table(found, ProbeResult).columns, *place], schema=placed(ProbeResult))
    table = duck.query(store.home, [], "FROM audit WHERE kind = 'all'", {}, {"probes": here})
    return [dict(row) for row in table.drop_columns(["run", "round", "kind"]).to_pylist()]


def broken(
    rates: Sequence[dict[str, Any]], found: Sequence[ProbeResult], prompts: dict[str, str], settings: AuditSettings
) -> Iterator[str]:
    """One sentence per verifier and kind of error above the budget, with the first probes that were judged wrongly."""
    for rate in rates:
        for of, error, said, budget in (
            ("must_refuse", "false_accept", "accepted {} of {} attempts that it must refuse", settings.false_accepts),
            ("must_accept", "false_reject", "refused {} of {} right attempts", settings.false_rejects),
        ):
            if (rate[f"{error}_rate"] or 0) <= budget:
                continue
            counts = said.format(rate[f"{error}s"], rate[of])
            low, high = (f"{100 * rate[f'{error}_{end}']:.2g}" for end in ("low", "high"))
            share = f"{100 * rate[f'{error}_rate']:.2g} % [{low}, {high}], budget {100 * budget:g} %"
            mine = [r for r in found if r.verifier == rate["verifier"] and r.wrong != "none"]
            bad = [r for r in mine if (r.wrong == "false_accept") == (error == "false_accept")]
            named = ", ".join(f"{r.kind} of {_short(prompts[r.problem_id])}: {_short(r.text)}" for r in bad[:NAMED])
            yield f"that {rate['verifier']} {counts} ({share}): {named}"


def _short(text: str) -> str:
    """The end of a text, where the answer is, on one line."""
    return repr(text if len(text) <= SHOWN else "…" + text[-SHOWN:])


audit_task = task(name="audit", cache_policy=NO_CACHE)(audit)
