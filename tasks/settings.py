"""The settings of the stages, as frozen pydantic models: every field has a default, bounds and a line.

Not here: recipes and the settings of a whole run (`flows/settings.py`), which compose these.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Base: frozen, unknown keys refused. A default has its type, or it would be another one when it is read back."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class EngineSettings(Settings):
    """The program that writes completions."""

    name: str = Field("vllm", description="engine: vllm, transformers, scripted or rehearsal (a file in tasks/engines)")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="number format of the weights")
    max_model_len: int = Field(1024, ge=64, description="longest prompt plus completion, in tokens")
    max_num_seqs: int = Field(512, ge=1, description="sequences generated at the same time")
    memory_share: float = Field(0.85, gt=0, le=1, description="share of the GPU's memory vLLM may take")
    cpu_kvcache_gib: int = Field(1, ge=1, description="memory for the key-value cache on a CPU, in GiB")
    tensor_parallel: int = Field(1, ge=1, description="GPUs one model is spread over")
    replicas: int = Field(
        1, ge=0, le=64, description="engines that share the requests, each on devices of its own; 0: all that fit"
    )
    devices: str = Field("", description="CUDA devices of the engine, such as 0,1; empty: all that are visible")
    lora: bool = Field(False, description="the model is served as a base with a LoRA adapter")
    lora_rank: int = Field(32, ge=1, description="largest LoRA rank served")
    keep_alive: bool = Field(False, description="keep the engine while training (new weights are loaded in place)")
    skill: float = Field(0.5, ge=0, le=1, description="scripted engine only: chance that an attempt is right")


class SamplingSettings(Settings):
    """How completions are drawn."""

    temperature: float = Field(1.0, ge=0, description="0 is greedy")
    top_p: float = Field(1.0, gt=0, le=1, description="nucleus: share of probability mass kept")
    max_tokens: int = Field(256, ge=1, description="longest completion, in tokens")


class GenerateSettings(Settings):
    """How many problems a round tries, and how."""

    strategy: str = Field("best_of_n", description="search strategy (a file in tasks/search)")
    problems: int = Field(1000, ge=1, description="problems per round")
    samples: int = Field(4, ge=1, description="attempts per problem")
    sampling: SamplingSettings = Field(SamplingSettings(), description="how attempts are drawn")
    shard: int = Field(256, ge=1, description="problems per committed part; a crash repeats at most one")
    proposals: int = Field(0, ge=0, description="problems the model is asked to write per round")
    mastered_share: float = Field(0.2, ge=0, le=1, description="share of problems kept for levels already mastered")


class Rules(Settings):
    """The rules of curation (one file each in data/sql/rules): which are on."""

    contaminated: bool = Field(True, description="drop answers to problems that are in a benchmark")
    lucky: bool = Field(True, description="drop right answers with a wrong step")
    truncated: bool = Field(True, description="drop texts that did not end by themselves")
    endless: bool = Field(True, description="drop texts that go round in circles")
    foreign_characters: bool = Field(True, description="drop broken characters and scripts nobody asked for")
    length_outlier: bool = Field(True, description="drop texts far longer or shorter than others of their level")
    duplicate: bool = Field(True, description="drop the same answer to the same prompt again")
    used_before: bool = Field(True, description="drop answers that an earlier round of the run has used")
    near_duplicate: bool = Field(True, description="drop nearly the same answer as one that stays")
    over_the_cap: bool = Field(True, description="drop what is over per_problem, alike answers first")
    level_balance: bool = Field(True, description="drop what is over level_times the median level")


class CurateSettings(Settings):
    """Which attempts become training data."""

    rules: Rules = Field(Rules(), description="which rules of curation are on")
    control: bool = Field(
        False, description="keep as many of each level by chance instead: what the rules are to be compared with"
    )
    per_problem: int = Field(2, ge=1, description="most examples of one problem")
    pairs_per_problem: int = Field(1, ge=0, description="most preference pairs of one problem")
    step_pairs_per_problem: int = Field(
        1, ge=0, description="most pairs that share right steps and part at a wrong one, where steps are judged"
    )
    compared: int = Field(
        16, ge=2, le=256, description="answers to one problem that are compared; a cap of as many takes them as drawn"
    )
    similarity: float = Field(
        0.8, ge=0.6, le=1, description="near copies share this part of their runs of three tokens, or more"
    )
    endless_share: float = Field(0.4, gt=0, le=1, description="share of a text that one piece over and over may cover")
    foreign_share: float = Field(0.01, ge=0, le=1, description="rarer scripts in the texts of a domain are foreign")
    length_mads: float = Field(8, ge=0, description="median deviations from the median length that are usual")
    length_times: float = Field(3, ge=1, description="times longer or shorter than the median that are usual anyway")
    level_times: float = Field(10, ge=1, description="most examples of a level, in times the median level")
    memory_gib: float = Field(3.0, ge=0.5, description="memory DuckDB may take; what does not fit spills to the disk")
    replay_rounds: int = Field(2, ge=0, description="earlier rounds of this run whose examples are mixed in")
    replay_share: float = Field(0.25, ge=0, lt=1, description="share of a dataset that is replayed")
    min_examples: int = Field(32, ge=1, description="smallest dataset a round may train on")


class GateSettings(Settings):
    """What a round may look like: shares outside are warnings; all else that is checked stops the round."""

    most_truncated: float = Field(0.2, ge=0, le=1, description="warn above this share of attempts cut off at the limit")
    most_unverified: float = Field(0.05, ge=0, le=1, description="warn above this share of attempts nobody could judge")
    least_accepted: float = Field(0.02, ge=0, le=1, description="warn below this share of correct attempts: too hard")
    most_accepted: float = Field(0.98, ge=0, le=1, description="warn above this share of correct attempts: too easy")
    most_of_one_level: float = Field(0.75, gt=0, le=1, description="warn when more of the examples are of one level")
    golds: int = Field(1000, ge=1, le=100_000, description="golds per verifier that are read as the verifier does")
    memory_gib: float = Field(2.0, ge=0, description="memory of the checks, in GiB; 0: half of the machine's")


class DecontaminateSettings(Settings):
    """What counts as a copy of a held-out problem, or of a benchmark's."""

    benchmarks: list[str] = Field([], description="further texts to stay clear of: JSONL, Parquet, datasets folders")
    column: str = Field("", description="their text; empty: the first of prompt, question, problem and text")
    by_ngrams: bool = Field(True, description="signal: the problem has most n-grams of a benchmark text")
    ngram: int = Field(8, ge=3, le=50, description="words, numbers and signs of an n-gram")
    overlap: float = Field(0.6, gt=0, le=1, description="share of a benchmark text's n-grams that makes a copy")
    least_ngrams: int = Field(3, ge=1, description="fewest n-grams of a benchmark text that say anything")
    common: int = Field(20, ge=1, description="n-grams of more problems than this are boilerplate and do not count")
    by_form: bool = Field(True, description="signal: equal but for case, spaces, punctuation and the order of clauses")
    edit: float = Field(0.1, ge=0, le=0.5, description="share of letters, never numbers or signs, that may be changed")
    memory_gib: float = Field(3.0, ge=0.5, description="memory DuckDB may take; what does not fit spills to the disk")


class DistillSettings(Settings):
    """How the model is trained."""

    objectives: list[str] = Field(
        ["sft"], min_length=1, description="trained one after another: sft, dpo (files in tasks/objectives)"
    )
    start_from: Literal["base", "incumbent"] = Field("base", description="weights a round starts from")
    epochs: float = Field(1.0, gt=0, description="passes over the dataset")
    max_steps: int = Field(0, ge=0, description="most optimiser steps of one objective; 0: no limit")
    batch_size: int = Field(64, ge=1, description="sequences per device and step")
    accumulate: int = Field(1, ge=1, description="batches per optimiser step")
    learning_rate: float = Field(6e-4, gt=0, description="peak learning rate of SFT")
    dpo_learning_rate: float = Field(5e-5, gt=0, description="peak learning rate of DPO")
    dpo_beta: float = Field(0.1, gt=0, description="strength of DPO's pull to the reference")
    schedule: Literal["cosine", "constant"] = Field("cosine", description="learning rate after the warm-up")
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps that warm up")
    weight_decay: float = Field(0.0, ge=0, description="AdamW weight decay")
    max_length: int = Field(
        1024, ge=16, description="longest prompt plus completion, in tokens; longer rows are dropped by name"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="arithmetic of the training step")
    lora: bool = Field(False, description="train a LoRA adapter instead of all weights")
    lora_rank: int = Field(32, ge=1, description="LoRA rank")
    gradient_checkpointing: bool = Field(False, description="trade time for memory")
    save_steps: int = Field(200, ge=1, description="steps between checkpoints")
    threads: int = Field(0, ge=0, description="CPU threads; 0: all cores")


class EvaluateSettings(Settings):
    """The held-out measurement."""

    problems: int = Field(16, ge=1, description="held-out problems per domain and level")
    samples: int = Field(16, ge=1, description="samples per problem; also the largest k of pass@k")
    sampling: SamplingSettings = Field(SamplingSettings(), description="how samples are drawn")
    bootstrap: int = Field(2000, ge=100, description="resamples behind each interval")
    seed: int = Field(0, ge=0, description="seed of the held-out problems and their samples, the same for every run")


class VerifySettings(Settings):
    """The verifier pool."""

    workers: int = Field(0, ge=0, description="worker processes; 0: one per core")
    timeout_s: float = Field(5.0, gt=0, description="longest a single check may take before its worker is killed")


class AuditSettings(Settings):
    """The error budget of the verifiers: a round whose audit is above it trains nothing."""

    probes: int = Field(400, ge=20, le=100_000, description="labelled attempts per verifier and round")
    per_problem: int = Field(12, ge=1, description="most probes of one problem in one pass over the problems")
    false_accepts: float = Field(0.001, ge=0, le=1, description="most of the attempts to refuse that may be accepted")
    false_rejects: float = Field(0.03, ge=0, le=1, description="most of the right attempts that may not be accepted")


class BootstrapSettings(Settings):
    """What the seed policy is and what it is shown."""

    width: int = Field(160, ge=16, description="hidden size")
    layers: int = Field(4, ge=1, description="transformer blocks")
    heads: int = Field(5, ge=1, description="attention heads")
    examples: int = Field(160_000, ge=100, description="worked solutions in the dataset")
    weights: dict[str, float] = Field({}, description="how often each domain is shown; 1 where not given")
    highest_level: int = Field(12, ge=1, le=12, description="last level of the soft tail")
    decay: float = Field(1.6, ge=1, description="each level is this many times rarer than the one below")
    vary_share: float = Field(0.08, ge=0, lt=1, description="share of examples that write a problem instead")
    seed: int = Field(0, ge=0, description="seed of weights and data")
