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

    id: str  # hash of its content: the same problem has the same id
    domain: str  # family of problems: a file of data/domains, or file/<name> of the user's own
    level: int  # how hard, from 1 upward; counted within its domain
    prompt: str  # the question as a model sees it
    gold: str  # right answer, or tests, as JSON (`gold.py`); never shown to a model
    verifier: str  # who judges attempts at it: a file of verifiers/
    source: str  # where it came from: generator and seed, file and row, or the proposing model
    split: Split  # train: may be trained on; heldout: only measures


@dataclass(frozen=True, slots=True)
class Attempt:
    """One completion of one problem. `id` = hash(problem, model, strategy, sampling, seed index): idempotent."""

    id: str  # hash of problem, model, strategy, sampling and seed index: the same try has the same id
    problem_id: str  # problem that it answers
    model_id: str  # model that wrote it
    strategy: str  # how it was searched: a file of tasks/search/
    seed: int  # number of the try at this problem, from 0
    text: str  # the completion, without the prompt
    steps: list[int]  # offset in `text` at which each step starts
    tokens: int  # length of the completion in tokens of its model
    logprob: float  # sum over the completion's tokens, natural logarithm
    finish: Finish  # stop: ended by itself; length: cut off at the limit; abort: the engine gave up
    parent: str | None = None  # attempt this one continues (tree search)
    node: str | None = None  # position in the search tree


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says of an attempt. `unverified` never trains and never counts as wrong."""

    outcome: Outcome  # correct, incorrect, no_answer, or unverified: the verifier could not tell
    reason: str  # what decided, in words
    answer: str = ""  # what was extracted
    verifier: str = ""  # who judged: a file of verifiers/
    version: int = 0  # of the verifier
    isolation: str = ""  # guarantees proven when it ran
    ms: float = 0.0  # time that the verdict took, in milliseconds
    attempt_id: str = ""  # attempt that was judged


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """What is known of one step. `kind` names the check: same_value, same_solution, trace, stacks, plan."""

    index: int  # number of the step in its attempt, from 0
    outcome: Outcome  # correct, incorrect, or unverified: it could not be checked
    kind: str  # the check: same_value, same_solution, trace, stacks, plan
    reason: str  # what decided, in words
    attempt_id: str = ""  # attempt that the step is of


@dataclass(frozen=True, slots=True)
class Review:
    """What a verifier says of an attempt, or held-out sample, that was judged before. Stands beside the verdict."""

    attempt_id: str  # attempt, or held-out sample, that was judged again
    outcome: Outcome  # correct, incorrect, no_answer, or unverified: the verifier could not tell
    reason: str  # what decided, in words
    answer: str  # what was extracted
    verifier: str  # who judged: a file of verifiers/
    version: int  # of the verifier
    isolation: str  # guarantees proven when it ran
    ms: float  # time that the verdict took, in milliseconds
    checked_steps: int  # steps that were checked
    wrong_steps: int  # checked steps that are incorrect


@dataclass(frozen=True, slots=True)
class Decision:
    """Curation of one attempt: kept, or dropped by a named rule."""

    attempt_id: str  # attempt that was decided on
    problem_id: str  # problem that it answers
    kept: bool  # whether it became an example
    reason: str  # kept, or the first rule that dropped it


@dataclass(frozen=True, slots=True)
class Example:
    """One member of an SFT dataset."""

    dataset_id: str  # hash of the members of the dataset
    attempt_id: str  # attempt that it was taken from
    problem_id: str  # problem that it answers
    prompt: str  # the question as a model sees it
    completion: str  # what the model learns to answer


@dataclass(frozen=True, slots=True)
class Pair:
    """One preference pair: a correct and an incorrect attempt of the same problem, both whole.

    `step`: both begin with the same right steps, then one goes wrong.
    """

    dataset_id: str  # hash of the members of the dataset
    problem_id: str  # problem that both answer
    chosen_id: str  # right attempt
    rejected_id: str  # wrong attempt
    prompt: str  # the question as a model sees it
    chosen: str  # text of the right attempt
    rejected: str  # text of the wrong attempt
    kind: Literal["outcome", "step"] = "outcome"  # step: both begin with the same right steps
    shared: int = 0  # characters that the right steps before a fork take; 0 for `outcome`


@dataclass(frozen=True, slots=True)
class Proposal:
    """A problem written by the model, accepted or refused with the reason."""

    id: str  # content hash of the proposal
    model_id: str  # model that wrote it
    source_problem_id: str  # the ledger's problem it was asked to vary
    domain: str  # family of the problem that it varies
    level: int  # level of the problem that it varies
    text: str  # what the model wrote
    accepted: bool  # whether it became a problem
    reason: str  # why it was accepted or refused
    problem_id: str = ""  # set when accepted


@dataclass(frozen=True, slots=True)
class Model:
    """One set of weights. `id` = hash of the weights."""

    id: str  # hash of the weights
    parent_id: str  # model that its training started from; empty: given, not trained here
    objective: str  # how it was trained: a file of tasks/objectives/; given: not here
    hyperparameters: str  # JSON
    dataset_id: str  # dataset that it was trained on; empty: none known
    path: str  # folder of the weights
    tokens_seen: int  # tokens that its training read, with repetitions
    seconds: float  # duration of its training, in seconds


@dataclass(frozen=True, slots=True)
class Loss:
    """One logged point of a training run."""

    model_id: str  # model that the training made
    step: int  # optimizer steps done
    loss: float  # mean cross-entropy a token in nats (sft), or the objective's own loss
    learning_rate: float  # learning rate at this step


@dataclass(frozen=True, slots=True)
class EvalSample:
    """One held-out sample; all are kept, so every score can be recomputed by SQL."""

    id: str  # hash of problem, model and sampling
    problem_id: str  # held-out problem that it answers
    model_id: str  # model that wrote it
    domain: str  # family of the problem
    level: int  # level of the problem
    sample: int  # number of the try at this problem, from 0
    text: str  # the completion, without the prompt
    answer: str  # what was extracted
    outcome: Outcome  # correct, incorrect, no_answer, or unverified: the verifier could not tell
    reason: str  # what decided, in words
    steps_ok: bool  # no checked step is wrong
    tokens: int  # length of the completion in tokens of its model
    finish: Finish  # stop: ended by itself; length: cut off at the limit; abort: the engine gave up


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one model on one domain and level, or over several (`domain` all, `level` 0).

    `band` is easy, middle, hard, middle+hard or all.
    """

    model_id: str  # model that was measured
    domain: str  # family of problems; all: every one
    level: int  # level of the problems; 0: several
    band: str  # easy, middle, hard, middle+hard or all
    metric: str  # pass@k, maj@k, no_answer, truncated, unverified, tokens
    k: int  # samples drawn a problem; 0 for metrics without
    value: float  # mean over levels, each with the same weight: a share from 0 to 1, or tokens
    low: float  # 95 % interval, bootstrap over problems
    high: float  # upper end of that interval
    problems: int  # problems with a value
    samples: int  # samples of all the problems


@dataclass(frozen=True, slots=True)
class RoundResult:
    """The decision that ends a round."""

    incumbent_id: str  # model that the round started with
    challenger_id: str  # model that it trained; empty: none
    promoted: bool  # whether the challenger took the incumbent's place
    why: str  # how it was decided, in a sentence
    incumbent_pass1: float  # held-out pass@1 of the incumbent, 0 to 1
    challenger_pass1: float  # held-out pass@1 of the challenger, 0 to 1
    gain_low: float  # lower end of the 95 % interval of the paired difference of pass@1
    gain_high: float  # upper end of that interval
    generated: int  # attempts of the round
    correct: int  # attempts with a correct verdict
    kept: int  # attempts that were kept


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of the quality gate."""

    relation: str  # table that was checked
    expectation: str  # what was expected, in words
    severity: Literal["critical", "warning"]  # critical: stops the round when it fails; warning: does not
    success: bool  # whether it held
    observed: str  # what was found instead, or the measured value
    bad_rows: str  # JSON list of the first offending rows


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a verifier made of one labelled attempt of the audit. `wrong` compares the label with what was accepted.

    Accepted: the outcome is correct and no checked step is wrong. `unverified` is a false reject without a verdict.
    """

    problem_id: str  # problem that the probe answers
    verifier: str  # who judged: a file of verifiers/
    version: int  # of the verifier
    kind: str  # what the probe tries: gold, near_miss, empty, ...
    text: str  # the attempt that was made up
    accept: bool  # the label: a sound verifier accepts it
    outcome: Outcome  # correct, incorrect, no_answer, or unverified: the verifier could not tell
    reason: str  # what decided, in words
    wrong: Wrong  # none, false_accept, false_reject or unverified: what the verifier made of the label


@dataclass(frozen=True, slots=True)
class Import:
    """Where an imported attempt comes from, and what its file says of it, which no verdict depends on."""

    attempt_id: str  # attempt that the row became
    file: str  # name of the file or dataset folder
    row: str  # row of the file, from 1, after the name of a split where there are several
    claimed: str  # correct or incorrect, as the file says; empty: it says nothing


@dataclass(frozen=True, slots=True)
class Contamination:
    """A training problem that is, or may be, in a benchmark, and the text there that is most like it."""

    problem_id: str  # the training problem
    benchmark: str  # held-out, or a file of `decontaminate.benchmarks`
    benchmark_id: str  # the held-out problem's id, or the row of the file
    overlap: float  # share of the benchmark text's telling n-grams that the problem has; 0 below a quarter
    ngrams: int  # n-grams of the benchmark text that tell something, being rare; 0: too few to count
    edit: float  # characters to change, as a share; 0: the same form; 1: other numbers or signs, or not compared
    signals: str  # which signals hold: n-grams, same form, few edits
    decision: Literal["drop", "review", "cleared"]  # drop or review: out of training; cleared: a person said why not
    why: str  # what a person cleared it for
    prompt: str  # the problem, its first 500 characters
    benchmark_prompt: str  # the benchmark's text, its first 500 characters
