"""Each file in data/sql: one SELECT, its grain on the first line, and given rows lead to the expected ones."""

from dataclasses import dataclass, field
from functools import partial
from hashlib import md5
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data import catalog, duck
from data.store import At, Store
from tests.rows import ask, fill, given

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """`expect` lists columns that matter, in order of the rows as the statement returns them (`by`: sort first)."""

    relation: str
    given: dict[str, Rows]
    expect: Rows
    params: dict[str, Any] = field(default_factory=dict)
    by: str = ""
    tables: dict[str, pa.Table] = field(default_factory=dict)


PROBLEMS = [
    {"id": "p", "domain": "sums", "level": 2, "prompt": "1+1"},
    {"id": "q", "domain": "sums", "level": 5, "prompt": "7+7"},
]
ATTEMPTS = [
    {"id": "a", "problem_id": "p", "text": "1+1\n#### 2", "tokens": 5},
    {"id": "b", "problem_id": "p", "text": "3\n#### 2", "tokens": 4},
    {"id": "c", "problem_id": "p", "text": "#### 3", "tokens": 3},
    {"id": "d", "problem_id": "q", "text": "#### 14", "tokens": 3},
    {"id": "e", "problem_id": "q", "text": "?", "tokens": 9},
]
VERDICTS = [
    {"attempt_id": "a", "version": 1, "outcome": "incorrect"},  # an older version was wrong about it
    {"attempt_id": "a", "version": 2, "ms": 2.0},
    {"attempt_id": "b"},
    {"attempt_id": "c", "outcome": "incorrect"},
    {"attempt_id": "d"},
    {"attempt_id": "e", "outcome": "unverified"},
]
STEPS = [
    {"attempt_id": "a", "index": 0},
    {"attempt_id": "b", "index": 0, "outcome": "incorrect"},
    {"attempt_id": "b", "index": 1},
]
JUDGED = {"problems": PROBLEMS, "attempts": ATTEMPTS, "verdicts": VERDICTS, "step_verdicts": STEPS}
MODEL = {"id": "m", "dataset_id": "d", "objective": "sft"}
SAMPLE = {"model_id": "m", "domain": "sums", "level": 1, "problem_id": "p", "steps_ok": True}
FIRST = {"round": 0, "seed": "1"}

TRIED = [(a, p) for a in ATTEMPTS for p in PROBLEMS if a["problem_id"] == p["id"]]


def attempted(*rows: dict[str, Any], round: int = 0) -> pa.Table:
    """What `sft_attempts` gives, with what matters."""
    usual = {"problem_id": "p", "prompt": "1+1+1", "text": "", "tokens": 5, "finish": "stop", "lucky": False}
    usual |= {"outcome": "correct", "fault": None, "round": round}
    return pa.Table.from_pylist([{**usual, "draw": i, **row} for i, row in enumerate(rows)])


PAIRED = {
    "attempts": [
        {"id": "a", "steps": [0, 4], "logprob": -9.0},
        {"id": "b", "steps": [0, 4]},
        {"id": "c", "steps": [0, 2], "logprob": -1.0},
        {"id": "d", "steps": [0, 4], "logprob": -2.0},
        {"id": "e", "logprob": -2.0},
        {"id": "f", "logprob": -0.1},
        {"id": "g", "logprob": -0.1},
    ],
    "step_verdicts": [
        *({"attempt_id": x, "index": 0, "kind": "same_value"} for x in "abd"),
        {"attempt_id": "a", "index": 1, "kind": "same_value"},
        {"attempt_id": "c", "index": 0, "kind": "same_value", "outcome": "incorrect"},
        {"attempt_id": "d", "index": 1, "kind": "same_value", "outcome": "incorrect"},
    ],
}
FORKED = {
    "attempted": attempted(
        {"attempt_id": "a", "text": "1+2\n#### 3"},
        {"attempt_id": "b", "text": "2+1\n#### 3", "tokens": 9, "lucky": True},
        {"attempt_id": "c", "text": "8\n#### 8", "outcome": "incorrect"},
        {"attempt_id": "d", "text": "1+2\n#### 4", "outcome": "incorrect", "tokens": 4},
        {"attempt_id": "e", "text": "#### 7", "outcome": "incorrect", "tokens": 4, "draw": 7},
        {"attempt_id": "f", "text": "#### 7", "outcome": "incorrect", "draw": 8},
        {"attempt_id": "g", "text": "#### 9", "outcome": "incorrect", "finish": "length"},
    ),
    "decided": pa.table({"attempt_id": [*"abcdefg"], "sound": [True, *[False] * 6]}),
}
PAIRS = {**FIRST, "pairs_per_problem": 1, "step_pairs_per_problem": 1, "compared": 16, "drop_lucky": False}
REVIEWS = [
    {"attempt_id": "a", "version": 2, "outcome": "correct"},
    {"attempt_id": "a", "version": 3, "outcome": "incorrect"},
    {"attempt_id": "b", "version": 3, "wrong_steps": 1},
    {"attempt_id": "d", "version": 3, "wrong_steps": 2},
    {"attempt_id": "s", "version": 3, "outcome": "unverified"},
    {"attempt_id": "never stored", "version": 3},
]
FLIPPED = {
    **JUDGED,
    "reviews": REVIEWS,
    "decisions": [{"attempt_id": "a", "kept": True}, {"attempt_id": "d"}],
    "examples": [{"attempt_id": x, "dataset_id": "d"} for x in "abd"],
    "pairs": [{"chosen_id": "a", "rejected_id": "c", "dataset_id": "f", "round": 1}],
    "models": [MODEL, {"id": "n", "dataset_id": "f", "round": 1}],
    "rounds": [{"promoted": False}, {"promoted": True, "round": 1}],
}
FLIPS = [
    {"attempt_id": "a", "kept": True, "role": "example", "used_in_round": 0, "model_id": "m", "fate": "incorrect"},
    {"attempt_id": "a", "kept": True, "role": "chosen", "used_in_round": 1, "model_id": "n", "old_fate": "correct"},
    {"attempt_id": "d", "kept": False, "role": "example", "dataset_id": "d", "fate": "lucky"},
]

TRACED = pa.Table.from_pylist(
    [
        {"attempt_id": "a", "model_id": "m", "outcome": "correct", "tokens": 5},
        {"attempt_id": "c", "model_id": "n", "outcome": "incorrect", "tokens": 6},
    ]
)
for _name in ("domain", "level", "source", "strategy", "written_in_round", "verifier", "verifier_version", "isolation",
              "steps_checked", "steps_wrong"):  # fmt: skip
    TRACED = TRACED.append_column(_name, pa.nulls(2, pa.string()))
LEARNT = {
    "models": [
        {"id": "given", "objective": "given"},
        {**MODEL, "parent_id": "given", "tokens_seen": 100, "seconds": 5.0},
        {**MODEL, "id": "n"},
        {**MODEL, "id": "later", "round": 1, "objective": "given"},
    ],
    "examples": [
        {"dataset_id": "d", "attempt_id": "a", "problem_id": "p", "prompt": "1+1", "completion": "2"},
        {"dataset_id": "d", "attempt_id": "b", "problem_id": "p", "prompt": "1+1", "completion": "2 "},
        {"dataset_id": "d", "attempt_id": "c", "problem_id": "q"},
    ],
    "pairs": [
        {"dataset_id": "f", "problem_id": "p", "chosen_id": "a", "rejected_id": r, "prompt": "1+1", "chosen": "2"}
        | {"rejected": text}
        for r, text in (("x", "3"), ("y", "4"))
    ],
    "losses": [{"model_id": "m", "step": step, "loss": loss} for step, loss in ((20, 0.5), (10, 2.5))],
}

CASES = [
    Case(
        "judged",
        JUDGED,
        [
            {
                "attempt_id": "a",
                "outcome": "correct",
                "version": 2,
                "checked_steps": 1,
                "wrong_steps": 0,
                "lucky": False,
            },
            {"attempt_id": "b", "outcome": "correct", "checked_steps": 2, "wrong_steps": 1, "lucky": True},
            {"attempt_id": "c", "outcome": "incorrect", "lucky": False, "level": 2, "prompt": "1+1"},
            {"attempt_id": "d", "outcome": "correct", "checked_steps": 0, "lucky": False, "split": "train"},
            {"attempt_id": "e", "outcome": "unverified", "lucky": False},
        ],
        by="attempt_id",
    ),
    Case("judged", {"attempts": ATTEMPTS[:1]}, [{"attempt_id": "a", "outcome": None, "prompt": None, "lucky": False}]),
    Case(
        "outcomes",
        JUDGED,
        [
            {"round": 0, "domain": "sums", "outcome": "correct", "attempts": 3},
            {"round": 0, "domain": "sums", "outcome": "incorrect", "attempts": 1},
            {"round": 0, "domain": "sums", "outcome": "unverified", "attempts": 1},
        ],
    ),
    Case(
        "solve_rate",
        JUDGED,
        [
            {"problem_id": "p", "attempts": 3, "verified": 3, "solved": 1, "rate": 1 / 3},
            {"problem_id": "q", "attempts": 2, "verified": 1, "solved": 1, "rate": 1.0},
        ],
        by="problem_id",
    ),
    Case(
        "hardest_solved",
        {**JUDGED, "verdicts": [*VERDICTS[:4], {"attempt_id": "d"}, {"attempt_id": "e", "outcome": "incorrect"}]},
        [{"problem_id": "p", "solved": 1, "level_rate": 1 / 3}, {"problem_id": "q", "solved": 1, "level_rate": 0.5}],
    ),
    Case("hardest_solved", {**JUDGED, "verdicts": [{"attempt_id": "b"}]}, []),  # only ever by luck
    Case(
        "trained_on",
        {
            "models": [MODEL, {"id": "n", "dataset_id": "f", "objective": "dpo"}, {**MODEL, "id": "o", "round": 1}],
            "examples": [{"dataset_id": "d", "attempt_id": "a", "prompt": "1+1", "completion": "2"}],
            "pairs": [
                {"dataset_id": "f", "chosen_id": "a", "rejected_id": "b", "chosen": "2", "rejected": "3"},
                {"dataset_id": "f", "chosen_id": "a", "rejected_id": "c", "chosen": "2", "rejected": "4"},
            ],
        },
        [
            {"model_id": "m", "role": "example", "attempt_id": "a", "prompt": "1+1", "completion": "2"},
            {"model_id": "n", "role": "chosen", "attempt_id": "a", "completion": "2"},
            {"model_id": "n", "role": "rejected", "attempt_id": "b", "completion": "3"},
            {"model_id": "n", "role": "rejected", "attempt_id": "c", "completion": "4"},
        ],
        by="model_id, role, attempt_id",
    ),
    Case(
        "acceptance",
        {
            "proposals": [
                {"domain": "sums", "accepted": True, "reason": "solved"},
                {"domain": "sums", "accepted": True, "reason": "solved"},
                {"domain": "sums", "reason": "duplicate"},
                {"domain": "sums", "reason": "does not parse"},
            ]
        },
        [
            {"accepted": True, "reason": "solved", "proposals": 2, "share": 0.5},
            {"accepted": False, "reason": "does not parse", "proposals": 1, "share": 0.25},
            {"accepted": False, "reason": "duplicate", "proposals": 1, "share": 0.25},
        ],
    ),
    Case(
        "drop_reasons",
        {"decisions": [{"kept": True, "reason": "kept"}, {"reason": "lucky"}, {"reason": "lucky", "round": 1}]},
        [
            {"round": 0, "kept": True, "reason": "kept", "attempts": 1, "share": 0.5},
            {"round": 0, "kept": False, "reason": "lucky", "attempts": 1, "share": 0.5},
            {"round": 1, "kept": False, "reason": "lucky", "attempts": 1, "share": 1.0},
        ],
    ),
    Case(
        "frontier",
        {
            "eval_samples": [
                {**SAMPLE, "tokens": 4},
                {**SAMPLE, "steps_ok": False, "tokens": 8},
                {**SAMPLE, "outcome": "no_answer", "finish": "length"},
                {**SAMPLE, "outcome": "unverified"},
            ]
        },
        [
            {"model_id": "m", "problems": 1, "samples": 3, "pass1": 2 / 3, "strict_pass1": 1 / 3, "coverage": 0.75}
            | {"truncated": 0.25, "tokens": 3.0}
        ],
    ),
    Case(
        "lineage",
        {**JUDGED, "examples": [{"attempt_id": "b", "round": 1}, {"attempt_id": "ghost"}]},
        [
            {"attempt_id": "b", "round": 1, "outcome": "correct", "wrong_steps": 1, "split": "train", "finish": "stop"},
            {"attempt_id": "ghost", "outcome": None, "wrong_steps": None, "split": None, "finish": None},
        ],
        by="attempt_id",
    ),
    Case(
        "pair_lineage",
        {
            **JUDGED,
            "pairs": [
                {"problem_id": "p", "chosen_id": "a", "rejected_id": "b"},
                {"problem_id": "p", "chosen_id": "d", "rejected_id": "c"},
            ],
        },
        [
            {"rejected_id": "b", "chosen_outcome": "correct", "rejected_outcome": "lucky", "same_problem": True},
            {"rejected_id": "c", "chosen_outcome": "correct", "rejected_outcome": "incorrect", "same_problem": False},
        ],
        by="rejected_id",
    ),
    Case(
        "audit",
        {
            "probes": [
                *({"verifier": "v", "version": 2, "kind": "gold", "accept": True, "wrong": "none"} for _ in range(29)),
                {"verifier": "v", "version": 2, "kind": "gold", "accept": True, "wrong": "unverified"},
                *({"verifier": "v", "version": 2, "kind": "near_miss", "wrong": "none"} for _ in range(69)),
                {"verifier": "v", "version": 2, "kind": "near_miss", "wrong": "false_accept"},
            ]
        },
        [
            {"kind": "all", "verifier": "v", "version": 2, "must_refuse": 70, "false_accepts": 1, "must_accept": 30}
            | {"false_accept_rate": 1 / 70, "false_accept_low": 0.002526246, "false_accept_high": 0.07658187}
            | {"false_reject_rate": 1 / 30, "false_reject_low": 0.005908590, "false_reject_high": 0.16670391},
            {"kind": "gold", "false_accept_rate": None, "false_accept_low": 0, "false_accept_high": 1},
            {"kind": "near_miss", "false_accepts": 1, "must_accept": 0, "false_rejects": 0, "false_reject_high": 1},
        ],
    ),
    Case(
        "sft_attempts",
        {
            **JUDGED,
            "problems": [*PROBLEMS, {"id": "u", "split": "heldout"}],
            "attempts": [
                *ATTEMPTS,
                {"id": "f", "problem_id": "gone"},
                {"id": "g", "problem_id": "u"},
                {"id": "h", "problem_id": "q"},
                {"id": "i", "problem_id": "q", "round": 1},
            ],
            "verdicts": [*VERDICTS, {"attempt_id": "f"}, {"attempt_id": "g"}],
        },
        [
            {"attempt_id": "a", "fault": None, "prompt": "1+1", "text": "1+1\n#### 2", "wrong_steps": 0},
            {"attempt_id": "b", "fault": None, "lucky": True},
            {"attempt_id": "c", "fault": "incorrect"},
            {"attempt_id": "d", "fault": None, "domain": "sums", "level": 5, "finish": "stop", "tokens": 3},
            {"attempt_id": "e", "fault": "unverified"},
            {"attempt_id": "f", "fault": "unknown problem"},
            {"attempt_id": "g", "fault": "held-out problem"},
            {"attempt_id": "h", "fault": "unverified"},
        ],
        FIRST,
        by="attempt_id",
    ),
    Case(
        "sft_decisions",
        {},
        [
            {"attempt_id": "a", "problem_id": "p", "kept": True, "reason": "kept", "sound": True},
            {"attempt_id": "b", "kept": False, "reason": "lucky", "sound": False},
            {"attempt_id": "c", "kept": False, "reason": "incorrect", "sound": False},
            {"attempt_id": "d", "kept": False, "reason": "duplicate", "sound": True},
        ],
        {"round": 0},
        by="attempt_id",
        tables={
            "attempted": attempted(*({"attempt_id": x, "fault": "incorrect" if x == "c" else None} for x in "abcd")),
            "dropped": pa.table({"attempt_id": ["b", "d"], "reason": ["lucky", "duplicate"], "sound": [False, True]}),
        },
    ),
    Case(  # one of level 1 is kept by rule, so one of level 1 by chance, be it lucky
        "sft_control",
        {},
        [
            {"attempt_id": "a", "kept": False, "reason": "not drawn", "sound": True},
            {"attempt_id": "b", "kept": True, "reason": "kept", "sound": False},
            {"attempt_id": "c", "kept": False, "reason": "incorrect"},
            {"attempt_id": "d", "kept": False, "reason": "duplicate"},
            {"attempt_id": "e", "kept": False, "reason": "not drawn"},  # the rules keep none of level 2
        ],
        FIRST,
        by="attempt_id",
        tables={
            "attempted": attempted(
                *(
                    {"attempt_id": x, "text": x, "domain": "d", "level": 1 + (x == "e")}
                    | {"fault": "incorrect" if x == "c" else None}
                    for x in "abcde"
                )
            ),
            "decided": pa.table(
                {
                    "attempt_id": [*"abcde"],
                    "problem_id": ["p"] * 5,
                    "kept": [True, *[False] * 4],
                    "reason": ["kept", "lucky", "incorrect", "duplicate", "length outlier"],
                    "sound": [True, False, False, True, False],
                }
            ),
        },
    ),
    Case(
        "sft_examples",
        {
            "problems": [*PROBLEMS, {"id": "r", "domain": "sums", "level": 1, "prompt": "old"}],
            "examples": [
                *({"attempt_id": w, "problem_id": "q", "prompt": "has fresh ones", "round": 2} for w in "uvw"),
                {"attempt_id": "x", "problem_id": "r", "prompt": "old", "round": 2},
                {"attempt_id": "y", "problem_id": "r", "prompt": "was itself a replay", "round": 2},
                {"attempt_id": "z", "problem_id": "r", "prompt": "too old", "round": 1},
            ],
            "decisions": [
                *({"attempt_id": w, "kept": True, "round": 2} for w in "uvwx"),
                {"attempt_id": "y", "kept": True, "round": 1},
                {"attempt_id": "z", "kept": True, "round": 1},
            ],
        },
        [
            {"attempt_id": "a", "prompt": "1+1", "completion": "1+1\n#### 2", "replay": False},
            {"attempt_id": "d", "prompt": "7+7", "replay": False},
            {"attempt_id": "x", "prompt": "old", "replay": True},
        ],
        {"round": 3, "seed": "1", "replay_rounds": 1, "replay_share": 1 / 3},  # one: of the level without fresh ones
        by="replay, attempt_id",
        tables={
            "attempted": attempted(
                *(
                    {"attempt_id": a["id"], "text": a["text"]} | {k: p[k] for k in ("domain", "level", "prompt")}
                    for a, p in TRIED
                ),
                round=3,
            ),
            "decided": pa.table({"attempt_id": ["a", "c", "d"], "kept": [True, False, True]}),
        },
    ),
    Case(
        "dataset_id",
        {},
        [{"dataset_id": md5(b"pairs1122").hexdigest()[:16]}],
        {"kind": "pairs"},
        tables={"members": pa.table({"member": ["22", "11"]})},
    ),
    Case(
        "dpo_pairs",
        PAIRED,
        [
            {"chosen_id": "a", "rejected_id": "c", "kind": "outcome", "shared": 0, "rejected": "8\n#### 8"},
            {"chosen_id": "a", "rejected_id": "d", "kind": "step", "shared": 4, "chosen": "1+2\n#### 3"},
        ],
        PAIRS,
        by="problem_id, kind, turn",
        tables=FORKED,
    ),
    Case(  # likelier first, then closer in length; copies count once, and what was cut off not at all
        "dpo_pairs",
        PAIRED,
        [{"chosen_id": "a", "rejected_id": x, "kind": "outcome"} for x in "cde"],
        {**PAIRS, "step_pairs_per_problem": 0, "pairs_per_problem": 9},
        by="turn",
        tables=FORKED,
    ),
    Case(  # the fork is the likeliest, too
        "dpo_pairs",
        {**PAIRED, "attempts": [{**row, "logprob": -float(ord(row["id"]) != 100)} for row in PAIRED["attempts"]]},
        [{"chosen_id": "a", "rejected_id": "d", "kind": "step"}],
        PAIRS,
        tables=FORKED,
    ),
    Case("dpo_pairs", PAIRED, [], {**PAIRS, "step_pairs_per_problem": 0, "pairs_per_problem": 0}, tables=FORKED),
    Case(
        "dpo_pairs",
        PAIRED,
        [{"chosen_id": x, "rejected_id": "c"} for x in "b"],
        {**PAIRS, "drop_lucky": False, "step_pairs_per_problem": 0},
        tables={**FORKED, "decided": pa.table({"attempt_id": [*"abcdefg"], "sound": [False, True, *[False] * 5]})},
    ),
    Case(
        "review_work",
        {
            **JUDGED,
            "verdicts": [{**row, "verifier": "symbolic"} for row in VERDICTS],
            "eval_samples": [SAMPLE, SAMPLE],
            "eval_problems": [{"id": "p", "verifier": "exact"}, {"id": "p", "verifier": "exact", "round": 1}],
        },
        [
            {"relation": "attempts", "verifier": "symbolic", "texts": 5},
            {"relation": "eval_samples", "verifier": "exact", "texts": 2},
        ],
    ),
    Case(
        "reviewed",
        {**JUDGED, "reviews": REVIEWS, "eval_samples": [{**SAMPLE, "id": "s", "steps_ok": False}]},
        [
            {"attempt_id": "a", "old_fate": "correct", "fate": "incorrect", "old_version": 2, "version": 3},
            {"attempt_id": "b", "old_fate": "lucky", "fate": "lucky", "held_out": False},
            {"attempt_id": "d", "old_fate": "correct", "fate": "lucky"},
            {"attempt_id": "s", "old_fate": "lucky", "fate": "unverified", "held_out": True, "old_version": None},
        ],
        by="attempt_id",
    ),
    Case("flips", FLIPPED, FLIPS, by="attempt_id, used_in_round, role"),
    Case(
        "flipped_models",
        FLIPPED,
        [
            {"model_id": "m", "role": "example", "flipped": 2, "share": 2 / 3, "promoted": False},
            {"model_id": "n", "role": "chosen", "round": 1, "flipped": 1, "share": 1.0, "promoted": True},
        ],
        by="model_id",
    ),
    Case(
        "ends",
        {
            "scores": [{"model_id": "m"}, {"model_id": "n", "round": 1}, {"run": "other", "model_id": "o"}],
            "rounds": [
                {"round": 1, "incumbent_id": "m", "challenger_id": "n", "promoted": True},
                {"round": 2, "incumbent_id": "n", "challenger_id": "p"},
                {"run": "third", "round": 1, "incumbent_id": "t"},
            ],
        },
        [{"run": "other", "first_id": "o", "last_id": "o"}, {"run": "r", "first_id": "m", "last_id": "n"}],
    ),
    Case(
        "reviewed_scores",
        {"reviews": REVIEWS, "eval_samples": [{**SAMPLE, "id": x} for x in "abs"] + [{**SAMPLE, "id": "new"}]},
        [{"model_id": "m", "samples": 3, "flipped": 3, "old_pass1": 1.0, "pass1": 0.5}],
    ),
    Case(
        "claims",
        {
            **JUDGED,
            "imports": [
                {"attempt_id": x, "file": "f", "claimed": claimed}
                for x, claimed in (("a", "correct"), ("b", "correct"), ("c", "correct"), ("d", ""), ("e", "incorrect"))
            ],
        },
        [
            {"claimed": "", "outcome": "correct", "attempts": 1, "agrees": None},
            {"claimed": "correct", "outcome": "correct", "attempts": 2, "agrees": True},
            {"claimed": "correct", "outcome": "incorrect", "attempts": 1, "agrees": False},
            {"claimed": "incorrect", "outcome": "unverified", "attempts": 1, "agrees": None},
        ],
    ),
    Case(
        "export_lineage",
        {**JUDGED, "attempts": [*ATTEMPTS, {"id": "a", "problem_id": "p", "round": 1, "model_id": "later"}]},
        [
            {
                "attempt_id": "a",
                "domain": "sums",
                "level": 2,
                "verifier_version": 2,
                "outcome": "correct",
                "steps_checked": 1,
                "steps_wrong": 0,
                "written_in_round": 0,
                "model_id": "",
                "tokens": 5,
            },
            {"attempt_id": "b", "outcome": "lucky", "steps_checked": 2, "steps_wrong": 1},
            {"attempt_id": "e", "outcome": "unverified", "level": 5, "steps_checked": 0},
            {"attempt_id": "x", "outcome": None, "domain": None, "steps_checked": 0, "tokens": None},
        ],
        {"run": "r"},
        by="attempt_id",
        tables={"sides": pa.table({"attempt_id": ["a", "b", "e", "x"]})},
    ),
    Case(
        "export_examples",
        {
            "problems": [{**PROBLEMS[0], "gold": "two"}, {**PROBLEMS[0], "gold": "two", "round": 1}],
            "examples": [
                {"attempt_id": "a", "problem_id": "p", "prompt": "1+1", "completion": "#### 2", "dataset_id": "d"},
                {"attempt_id": "a", "problem_id": "p", "dataset_id": "another"},
                {"attempt_id": "b", "dataset_id": "d"},
                {"attempt_id": "c", "dataset_id": "d", "round": 1},
                {"attempt_id": "c", "dataset_id": "d", "run": "s"},
            ],
        },
        [
            {"attempt_id": "a", "prompt": "1+1", "completion": "#### 2", "gold": "two", "model_id": "m", "tokens": 5},
            {"attempt_id": "b", "model_id": None, "gold": None},
        ],
        {"run": "r", "round": 0, "dataset": "d"},
        by="attempt_id",
        tables={"traced": TRACED},
    ),
    Case(
        "export_pairs",
        {
            "problems": [{**PROBLEMS[0], "gold": "two"}],
            "pairs": [
                {"chosen_id": "a", "rejected_id": "c", "problem_id": "p", "chosen": "2", "rejected": "3"},
                {"chosen_id": "a", "rejected_id": "c", "dataset_id": "another"},
                {"chosen_id": "a", "rejected_id": "c", "run": "s"},
            ],
        },
        [
            {
                "chosen": "2",
                "rejected": "3",
                "gold": "two",
                "outcome": "correct",
                "rejected_outcome": "incorrect",
                "model_id": "m",
                "rejected_model_id": "n",
                "tokens": 5,
                "rejected_tokens": 6,
            },
        ],
        {"run": "r", "round": 0, "dataset": ""},
        tables={"traced": TRACED},
    ),
    Case(
        "steps",
        {
            "attempts": [
                {"id": "a", "text": "8-2\n\n7\n#### 6"},
                {"id": "b", "text": "1>*2=2>+1=4\ndef f(x):"},
                {"id": "c", "text": "<think>one\ntwo\n</think>\nx=3\n#### 3"},
                {"id": "d", "text": "a b\n#### plan\nunstack b a"},
                {"id": "e", "text": "e\u0301 \U0001f600\n \u2003\u00a0\n\tso\n"},
                {"id": "f", "text": ""},
            ],
            "step_verdicts": [
                {"attempt_id": "a", "index": 0, "kind": "same_value"},
                {"attempt_id": "a", "index": 1, "kind": "same_value", "outcome": "incorrect", "reason": "7, not 6"},
                {"attempt_id": "b", "index": 2, "kind": "trace", "outcome": "incorrect"},
                {"attempt_id": "b", "index": 3, "kind": "trace", "outcome": "incorrect", "reason": "a part is missing"},
                {"attempt_id": "c", "index": 0, "kind": "same_solution"},
                {"attempt_id": "d", "index": 0, "kind": "plan"},
            ],
        },
        [
            {"attempt_id": "a", "index": 0, "text": "8-2", "kind": "same_value", "outcome": "correct"},
            {"attempt_id": "a", "index": 1, "text": "7", "outcome": "incorrect", "reason": "7, not 6"},
            {"attempt_id": "b", "index": 2, "text": "+1=4", "kind": "trace"},
            {"attempt_id": "b", "index": 3, "text": None, "reason": "a part is missing"},
            {"attempt_id": "c", "index": 0, "text": "x=3", "kind": "same_solution"},
            {"attempt_id": "d", "index": 0, "text": None, "kind": "plan"},
            {"attempt_id": "e", "index": 0, "text": "e\u0301 \U0001f600", "kind": None, "outcome": None},
            {"attempt_id": "e", "index": 1, "text": "\tso", "reason": None},
        ],
        by="attempt_id, index",
    ),
    Case(
        "members",
        LEARNT,
        [
            {"dataset_id": "d", "role": "example", "attempt_id": "a", "problem_id": "p", "completion": "2"},
            {"dataset_id": "d", "role": "example", "attempt_id": "b", "problem_id": "p", "completion": "2 "},
            {"dataset_id": "d", "role": "example", "attempt_id": "c", "problem_id": "q"},
            {"dataset_id": "f", "role": "chosen", "attempt_id": "a", "prompt": "1+1", "completion": "2"},
            {"dataset_id": "f", "role": "rejected", "attempt_id": "x", "completion": "3"},
            {"dataset_id": "f", "role": "rejected", "attempt_id": "y", "completion": "4"},
        ],
        by="dataset_id, role, attempt_id",
    ),
    Case(
        "datasets",
        LEARNT,
        [
            {"dataset_id": "d", "kind": "examples", "members": 3, "problems": 2, "models": ["m", "n"]},
            {"dataset_id": "f", "kind": "pairs", "members": 2, "problems": 1, "models": []},
        ],
        by="dataset_id",
    ),
    Case(
        "trainings",
        LEARNT,
        [
            {"model_id": "m", "parent_id": "given", "members": 3, "steps": 20, "first_loss": 2.5, "last_loss": 0.5}
            | {"tokens_per_second": 20.0},
            {"model_id": "n", "members": 3, "steps": None, "last_loss": None, "tokens_per_second": None},
        ],
        by="model_id",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.relation)
def test_given_rows_lead_to_the_expected_ones(case: Case):
    tables = {name: given(name, *rows) for name, rows in case.given.items()} | case.tables
    text = catalog.statement(case.relation)
    found = ask(f"SELECT * FROM ({text}) ORDER BY {case.by}" if case.by else text, case.params, **tables)
    assert len(found) == len(case.expect), found
    for row, expected in zip(found, case.expect, strict=True):
        for column, value in expected.items():
            assert row[column] == pytest.approx(value), (column, row)


@pytest.mark.parametrize("name", catalog.files())
def test_every_file_is_one_select_with_its_grain_and_a_case(name: str):
    text = catalog.statement(name)
    assert text.startswith("-- grain: one row per ")
    assert not any(";" in line.split("--")[0] for line in text.splitlines())
    body = next(line for line in text.splitlines() if not line.startswith("-- "))
    assert body.split()[0] in ("WITH", "SELECT")
    assert name in {c.relation for c in CASES}
    assert max(map(len, text.splitlines())) <= 120


def test_no_query_over_one_run_sees_another(home: Path):
    for number, run in enumerate(("a", "b", "c")):
        fill(Store(home), At(run, 1, 0), "verify", verdicts=[{"attempt_id": x} for x in "xy"[: number + 1]])
        fill(Store(home), At(run, 2, 0), "verify", verdicts=[{"attempt_id": "z", "outcome": "incorrect"}])
    Store(home).publish()
    over = "SELECT attempt_id, count(*) OVER (PARTITION BY reason) AS n FROM verdicts WHERE {} ORDER BY attempt_id"
    shares = (
        "SELECT outcome, count(*) / sum(count(*)) OVER (PARTITION BY reason) AS share FROM verdicts WHERE run = 'b'"
    )
    shares += " GROUP BY reason, outcome ORDER BY outcome"
    for ask_it in (Store(home).query, partial(duck.sql, home)):
        assert [tuple(r.values()) for r in ask_it(over.format("run = 'a'")).to_pylist()] == [("x", 2), ("z", 2)]
        assert {r["n"] for r in ask_it(over.format("run = 'b' AND round = 1")).to_pylist()} == {2}
        assert {r["n"] for r in ask_it(over.format("round = 2")).to_pylist()} == {3}
        assert [r["share"] for r in ask_it(shares).to_pylist()] == pytest.approx([2 / 3, 1 / 3])


def test_an_unknown_statement_lists_the_known_ones():
    with pytest.raises(LookupError, match="sft_decisions"):
        catalog.statement("nope")
