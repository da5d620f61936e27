"""The stage in which the model writes problems: variations of this round's, accepted only with a certain gold.

The gold is always computed by the domain's own code from the text; nothing the model says about the answer counts. A
user's own problems are not varied, since a file has no reference that could answer a new question.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter

from prefect import task
from prefect.cache_policies import NO_CACHE

from data import domains
from data.ids import content_id, derived_seed
from data.progress import Progress, silent
from data.records import Problem, Proposal
from data.schemas import rows
from data.store import At, Stage, Store
from tasks.engines import Completion, Engine, Request
from tasks.settings import GenerateSettings, VerifySettings
from verifiers._pool import Pool

VERSION = 1
LONGEST = 2000  # characters of a proposal that a parser is shown
INSTRUCTION = (
    "You write practice problems. You are given `vary:` and a problem. Write one new problem of the same kind and in "
    "exactly the same format, with other numbers or operations, about as hard or slightly harder. Write the problem "
    "alone: no solution, no answer beyond what the format shows, no comment."
)
ACCEPTED = "accepted"
CHECKING = VerifySettings()


@dataclass(frozen=True, slots=True)
class Proposed:
    """How many problems were asked for and accepted; `reasons` counts all of them."""

    asked: int
    accepted: int
    rate: float
    reasons: dict[str, int]


def vary_prompt(prompt: str) -> str:
    """What a model is asked when it shall write a problem like this one. The completion is the whole new problem."""
    return f"vary: {prompt}"


def propose(
    store: Store,
    at: At,
    model_id: str,
    engine: Callable[[], Engine],
    settings: GenerateSettings,
    progress: Progress = silent,
    checking: VerifySettings = CHECKING,
) -> Proposed:
    """Stage `propose`: writes `proposals`, and the accepted ones to `problems`, which the round then tries too.

    Asks for `settings.proposals` variations, a part every `settings.shard`; `engine` stays the caller's, who closes it.
    """
    drawn = [p for p in rows(store.read("problems", at.run, [at.round]), Problem) if not p.source.startswith("model:")]
    requests = _requests(at, [p for p in drawn if ":" not in p.domain], settings)
    asked = [settings.sampling.model_dump(), [(r.id, r.seed) for r, _ in requests]]
    stage = store.stage(at, "propose", content_id("propose", VERSION, model_id, asked, sorted(p.id for p in drawn)))
    if stage.done:
        return Proposed(**stage.meta["proposed"])
    known = {p.id for p in drawn} | set(store.read("problems", at.run, range(at.round))["id"].to_pylist())
    startup = tokens = 0.0
    for start in range(0, len(requests), settings.shard):
        chunk = requests[start : start + settings.shard]
        if not stage.has("proposals", str(start)):
            began = perf_counter()
            running = engine()
            startup += perf_counter() - began
            written = {c[0].request_id: c[0] for c in running.complete([r for r, _ in chunk])}
            tokens += sum(c.tokens for c in written.values())
            earlier = {p.problem_id for p in rows(stage.partial("proposals"), Proposal) if p.accepted}
            answers = [(written[r.id], source) for r, source in chunk if r.id in written]
            stage.write("proposals", str(start), _judged(answers, model_id, known, earlier, checking))
        progress(start + len(chunk), len(requests), "problems proposed")
    return _commit(stage, model_id, tokens, startup)


def _requests(at: At, sources: Sequence[Problem], settings: GenerateSettings) -> list[tuple[Request, Problem]]:
    """The problems to vary in random order, from the start again when there are too few."""
    order = sorted(sources, key=lambda p: content_id("vary", at.seed, at.round, p.id))
    s = settings.sampling
    chosen = [(order[i % len(order)], i // len(order)) for i in range(settings.proposals if order else 0)]
    return [
        (
            Request(
                id=f"{source.id}-{turn}",
                prompt=vary_prompt(source.prompt),
                system=INSTRUCTION,
                temperature=s.temperature,
                top_p=s.top_p,
                max_tokens=s.max_tokens,
                seed=derived_seed("vary", at.seed, at.round, source.id, turn),
            ),
            source,
        )
        for source, turn in chosen
    ]


def _judged(
    answers: Iterable[tuple[Completion, Problem]],
    model_id: str,
    known: set[str],
    earlier: set[str],
    checking: VerifySettings,
) -> list[Proposal]:
    """A row for every completion: accepted, or refused with the first reason that applies."""
    proposed = set(earlier)
    found: list[tuple[Proposal, Problem | None]] = []
    for completion, source in answers:
        text = completion.text.strip()
        whole = completion.finish == "stop" and len(text) <= LONGEST
        problem = domains.load(source.domain).parse(text) if whole else None
        reason = _fault(completion, problem, source, known, proposed)
        if problem and not reason:
            proposed.add(problem.id)
        level = problem.level if problem else source.level
        row_id = content_id("proposal", model_id, completion.request_id, text)
        row = Proposal(row_id, model_id, source.id, source.domain, level, text, False, reason)
        found.append((row, None if reason else problem))
    passing = _passing([p for _, p in found if p], checking)
    return [_decided(row, problem, passing) for row, problem in found]


def _fault(
    completion: Completion, problem: Problem | None, source: Problem, known: set[str], proposed: set[str]
) -> str:
    """Why a proposal is refused before anything runs; empty when nothing speaks against it."""
    if completion.finish != "stop":
        return "cut off"
    if problem is None:
        return "too long" if len(completion.text.strip()) > LONGEST else "does not parse whole"
    if problem.id == source.id:
        return "equals its source"
    if problem.split != "train":
        return "held out"
    if problem.id in known:
        return "already in the ledger"
    return "proposed twice" if problem.id in proposed else ""


def _passing(problems: Sequence[Problem], checking: VerifySettings) -> set[str]:
    """Ids of the problems whose verifier accepts the solution of the domain's own solver."""
    if not problems:
        return set()
    with Pool(checking.workers, checking.timeout_s) as pool:
        judged = pool.judge([(p.id, p, domains.load(p.domain).solve(p)) for p in problems])
        return {p.id for p, found in zip(problems, judged, strict=True) if found.verdict.outcome == "correct"}


def _decided(row: Proposal, problem: Problem | None, passing: set[str]) -> Proposal:
    if problem is None:
        return row
    if problem.id not in passing:
        return replace(row, reason="its reference does not pass")
    return replace(row, accepted=True, reason=ACCEPTED, problem_id=problem.id)


def _commit(stage: Stage, model_id: str, tokens: float, startup: float) -> Proposed:
    """Write the accepted proposals as problems, parsed again from their text, and commit."""
    proposals = rows(stage.partial("proposals"), Proposal)
    accepted = [domains.load(p.domain).parse(p.text) for p in proposals if p.accepted]
    stage.write("problems", "accepted", [replace(p, source=f"model:{model_id}") for p in accepted])
    reasons = dict(sorted(Counter(p.reason for p in proposals).items()))
    share = len(accepted) / len(proposals) if proposals else 0.0
    result = Proposed(len(proposals), len(accepted), share, reasons)
    meta = {"proposed": asdict(result), "rows": len(proposals), "tokens": int(tokens), "startup_seconds": startup}
    stage.commit(meta)
    return result


propose_task = task(name="propose", cache_policy=NO_CACHE)(propose)
