"""The rows of the ledger as frozen dataclasses. The arrow schemas are derived from them in `schemas.py`.

A record carries no `run` and no `round`: the lake adds both from the path of the part (see `store.py`).
Notation: ids are 16 hex digits (`ids.content_id`); text offsets count characters; times are milliseconds.
"""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["correct", "incorrect", "no_answer", "unverified"]
Finish = Literal["stop", "length", "abort"]
Split = Literal["train", "heldout"]
Wrong = Literal["none", "false_accept", "false_reject", "unverified"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `gold` is JSON (see `gold.py`) and is never shown to a model."""

    id: str
    domain: str
    level: int
    prompt: str
    gold: str
    verifier: str
    source: str
    split: Split


@dataclass(frozen=True, slots=True)
class Attempt:
    """One completion of one problem. `id` = hash(problem, model, strategy, sampling, seed index): idempotent."""

    id: str
    problem_id: str
    model_id: str
    strategy: str
    seed: int
    text: str
    steps: list[int]  # offset in `text` at which each step starts
    tokens: int
    logprob: float  # sum over the completion's tokens, natural logarithm
    finish: Finish
    parent: str | None = None  # attempt this one continues (tree search)
    node: str | None = None  # position in the search tree


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says of an attempt. `unverified` never trains and never counts as wrong."""

    outcome: Outcome
    reason: str
    answer: str = ""  # what was extracted
    verifier: str = ""
    version: int = 0
    isolation: str = ""  # guarantees proven when it ran
    ms: float = 0.0
    attempt_id: str = ""


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """What is known of one step. `kind` names the check: same_value, same_solution, trace, stacks, plan."""

    index: int
    outcome: Outcome
    kind: str
    reason: str
    attempt_id: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What a verifier says of an attempt, or held-out sample, that was judged before. Stands beside the verdict."""

    attempt_id: str
    outcome: Outcome
    reason: str
    answer: str
    verifier: str
    version: int
    isolation: str
    ms: float
    checked_steps: int
    wrong_steps: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Curation of one attempt: kept, or dropped by a named rule."""

    attempt_id: str
    problem_id: str
    kept: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Example:
    """One member of an SFT dataset."""

    dataset_id: str
    attempt_id: str
    problem_id: str
    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One preference pair: a correct and an incorrect attempt of the same problem."""

    dataset_id: str
    problem_id: str
    chosen_id: str
    rejected_id: str
    prompt: str
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A problem written by the model, accepted or refused with the reason."""

    id: str
    model_id: str
    source_problem_id: str  # the ledger's problem it was asked to vary
    domain: str
    level: int
    text: str
    accepted: bool
    reason: str
    problem_id: str = ""  # set when accepted


@dataclass(frozen=True, slots=True)
class Model:
    """One set of weights. `id` = hash of the weights."""

    id: str
    parent_id: str
    objective: str
    hyperparameters: str  # JSON
    dataset_id: str
    path: str
    tokens_seen: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Loss:
    """One logged point of a training run."""

    model_id: str
    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class EvalSample:
    """One held-out sample; all are kept, so every score can be recomputed by SQL."""

    id: str
    problem_id: str
    model_id: str
    domain: str
    level: int
    sample: int
    text: str
    answer: str
    outcome: Outcome
    reason: str
    steps_ok: bool  # no checked step is wrong
    tokens: int
    finish: Finish


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one model on one domain and level, or over several (`domain` all, `level` 0).

    `band` is easy, middle, hard, middle+hard or all.
    """

    model_id: str
    domain: str
    level: int
    band: str
    metric: str  # pass@k, maj@k, no_answer, truncated, unverified, tokens
    k: int
    value: float
    low: float  # 95 % interval, bootstrap over problems
    high: float
    problems: int
    samples: int


@dataclass(frozen=True, slots=True)
class RoundResult:
    """The decision that ends a round."""

    incumbent_id: str
    challenger_id: str
    promoted: bool
    why: str
    incumbent_pass1: float
    challenger_pass1: float
    gain_low: float
    gain_high: float
    generated: int
    correct: int
    kept: int


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of the quality gate."""

    relation: str
    expectation: str
    severity: Literal["critical", "warning"]
    success: bool
    observed: str
    bad_rows: str  # JSON list of the first offending rows


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a verifier made of one labelled attempt of the audit. `wrong` compares the label with what was accepted.

    Accepted: the outcome is correct and no checked step is wrong. `unverified` is a false reject without a verdict.
    """

    problem_id: str
    verifier: str
    version: int
    kind: str
    text: str
    accept: bool  # the label: a sound verifier accepts it
    outcome: Outcome
    reason: str
    wrong: Wrong
