"""Rounds for the tests of the quality gate: a good one, and for every expectation rows that break it. No tests here."""

import json
from typing import Any

from data import gold

Rows = list[dict[str, Any]]
Ledger = dict[str, Rows]
USUAL: dict[str, dict[str, Any]] = {
    "problems": {"domain": "sums", "level": 1, "verifier": "exact", "gold": gold.dump(gold.Answer("2")), "prompt": "?"},
    "eval_problems": {"split": "heldout"},
    "attempts": {"problem_id": "p1", "model_id": "m", "tokens": 3},
    "verdicts": {"verifier": "exact", "version": 1},
    "step_verdicts": {"kind": "same_value"},
    "decisions": {"problem_id": "p1", "kept": True, "reason": "kept"},
    "examples": {"dataset_id": "d", "problem_id": "p1", "prompt": "1+1"},
    "pairs": {"problem_id": "p1", "prompt": "1+1", "chosen": "2", "rejected": "3"},
    "eval_samples": {"round": 0, "problem_id": "h1", "model_id": "m", "tokens": 2},
    "scores": {"round": 0, "model_id": "m", "metric": "pass@k", "value": 0.5, "high": 1.0, "problems": 2, "samples": 8},
}
# DuckDB's hash() is the same for these two texts.
ONE_HASH = {
    "right0": "x+3x-3x=14\n4x-3x=14\nx=14\n#### 14",
    "wrong0": "x+3x-3x=14\n4x-3x=14\nx=13\n#### 13",
}


def good() -> Ledger:
    """Round 1: four right attempts that train, four wrong ones; one held-out problem, evaluated in round 0."""
    right, wrong = ([f"{kind}{i}" for i in range(4)] for kind in ("right", "wrong"))
    return {
        "problems": [{"id": "p1", "prompt": "1+1"}, {"id": "p2", "prompt": "4-2", "level": 2}],
        "eval_problems": [{"id": "h1", "prompt": "what is\n 9-7 ?"}],
        "models": [{"id": "m"}],
        "attempts": [{"id": a, "text": ONE_HASH.get(a, f"so {a} it is")} for a in right + wrong],
        "verdicts": [{"attempt_id": a} for a in right] + [{"attempt_id": a, "outcome": "incorrect"} for a in wrong],
        "step_verdicts": [{"attempt_id": a, "index": i} for a in right for i in range(2)],
        "decisions": [{"attempt_id": a} for a in right]
        + [{"attempt_id": a, "kept": False, "reason": "incorrect"} for a in wrong],
        "examples": [{"attempt_id": a, "completion": f"so {a} it is"} for a in right],
        "pairs": [{"chosen_id": r, "rejected_id": w} for r, w in zip(right, wrong, strict=True)],
        "eval_samples": [{"id": f"s{i}", "sample": i} for i in range(2)],
        "scores": [{"k": 1}, {"k": 2}, {"metric": "tokens", "value": 7.0, "high": 9.0}],
    }


def merged(*ledgers: Ledger) -> Ledger:
    """The rows of all, relation by relation."""
    names = dict.fromkeys(name for ledger in ledgers for name in ledger)
    return {name: [row for ledger in ledgers for row in ledger.get(name, [])] for name in names}


def tried(name: str, outcome: str = "correct", at: str = "p1", kept: bool = False, **own: Any) -> Ledger:
    """An attempt with its verdict and its decision; `own`: columns of the attempt."""
    return {
        "attempts": [{"id": name, "text": name, "problem_id": at, **own}],
        "verdicts": [{"attempt_id": name, "outcome": outcome}],
        "decisions": [
            {"attempt_id": name, "problem_id": at, "kept": kept, "reason": "kept" if kept else "over the cap"}
        ],
    }


def trained(name: str, outcome: str = "correct", at: str = "p1", kept: bool = True, **own: Any) -> Ledger:
    """An attempt that is an example."""
    return merged(tried(name, outcome, at, kept, **own), _example(name, problem_id=at))


def pair(name: str, good: str = "correct", bad: str = "incorrect", at: str = "p1", **columns: Any) -> Ledger:
    """A pair of the attempts `name` and `not name`, with these outcomes."""
    members = {"problem_id": at, "chosen_id": name, "rejected_id": f"not {name}"}
    return merged(tried(name, good, at), tried(f"not {name}", bad, at), {"pairs": [{**members, **columns}]})


def _example(name: str, **columns: Any) -> Ledger:
    return {"examples": [{"attempt_id": name, "completion": name, **columns}]}


def _only(relation: str, name: str, **columns: Any) -> Ledger:
    """One row; `name` in the first column of the relation that names it."""
    key = {"problems": "id", "eval_samples": "id", "scores": "model_id", "attempts": "id"}.get(relation, "attempt_id")
    return {relation: [{key: name, **columns}]}


def _beside(ledger: Ledger, relation: str, name: str, **columns: Any) -> Ledger:
    return merged(ledger, _only(relation, name, **columns))


def _golds(*texts: str) -> Ledger:
    return {"problems": [{"id": f"gold {text}", "gold": text} for text in texts]}


_WRONG_STEP = {"outcome": "incorrect", "index": 1}
_NO_GOLDS = ["{", json.dumps({"kind": "riddle"}), json.dumps({"kind": "answer"})]
_UNREADABLE = json.dumps({"kind": "tests", "entry": "f", "cases": [{"literal": "open("}]})
HIDDEN = {"problems": [{"id": "hidden", "prompt": "3-1", "split": "heldout"}]}  # what some of the planted need

PLANTED: dict[str, dict[str, Ledger]] = {
    "problems": {
        "problem_id is unique": merged(_only("problems", "twin"), _only("problems", "twin")),
        "id, domain, prompt and verifier are known": _only("problems", "no prompt", prompt=" "),
        "split is known": _only("problems", "odd split", split="test"),
        "the level is not negative": _only("problems", "below", level=-1),
        "the gold is of a known kind, with all that it needs": _golds(*_NO_GOLDS),
        "the gold can be read (a sample)": _golds(_UNREADABLE),
        "no prompt to train on is held out too": _only("problems", "leaked problem", prompt="what  is 9-7\n?"),
    },
    "attempts": {
        "attempt_id is unique": _beside(tried("twin attempt"), "attempts", "twin attempt"),
        "the problem is known": tried("at nothing", at="nowhere"),
        "the model is named": tried("nameless", model_id=""),
        "finish is known": tried("tired", finish="tired"),
        "the attempt was judged": {**tried("unjudged"), "verdicts": []},
        "the attempt has tokens": tried("silent", tokens=0),
        "likelihood and steps fit the text": merged(tried("overrun", steps=[0, 99]), tried("too sure", logprob=0.5)),
    },
    "verdicts": {
        "outcome is known": tried("maybe", "maybe"),
        "one verdict per attempt and verifier version": _beside(tried("judged twice"), "verdicts", "judged twice"),
        "the attempt is known": _only("verdicts", "judged ghost"),
        "the verifier is named": {**tried("by nobody"), **_only("verdicts", "by nobody", verifier="")},
        "the time is not negative": {**tried("early"), **_only("verdicts", "early", ms=-1.0)},
        "equal texts on a problem get equal outcomes": merged(
            tried("alike", text="alike"),
            tried("other", "incorrect", text="alike"),
            tried("third", "unverified", text="alike"),
        ),
    },
    "step_verdicts": {
        "outcome is known": _beside(tried("odd step"), "step_verdicts", "odd step", outcome="perhaps"),
        "a step has one verdict of a kind": _beside(
            _beside(tried("twin step"), "step_verdicts", "twin step"), "step_verdicts", "twin step"
        ),
        "the index is not negative": _beside(tried("step below"), "step_verdicts", "step below", index=-1),
        "the attempt is known": _only("step_verdicts", "step of none"),
    },
    "decisions": {
        "one decision per attempt": _beside(tried("decided twice"), "decisions", "decided twice"),
        "every attempt has a decision with its reason": {**tried("undecided"), "decisions": []},
        "the attempt is known": _only("decisions", "decided ghost"),
        "the problem is the attempt's": {**tried("elsewhere"), **_only("decisions", "elsewhere", problem_id="p2")},
        "what is kept is correct": tried("kept though wrong", "incorrect", kept=True),
    },
    "examples": {
        "prompt and completion are known": merged(tried("no text", kept=True), _example("no text", completion=None)),
        "the completion is not empty": merged(tried("blank", kept=True), _example("blank", completion=" \n\t\u2003")),
        "no prompt and completion twice": merged(
            trained("copy"), tried("copy of it", kept=True), _example("copy of it", completion="copy")
        ),
        "the attempt is known": _example("of nothing"),
        "the attempt has a model": trained("of no model", model_id=""),
        "the model is in the ledger": trained("of a stranger", model_id="stranger"),
        "the problem is the attempt's": merged(tried("moved", kept=True), _example("moved", problem_id="p2")),
        "a decision has kept it": trained("not kept", kept=False),
        "the attempt's outcome is correct": trained("trained wrong", "incorrect"),
        "the attempt's finish is stop": trained("cut off", finish="length"),
        "the attempt's split is train": trained("trained held out", at="hidden"),
        "no checked step is wrong": _beside(trained("lucky"), "step_verdicts", "lucky", **_WRONG_STEP),
        "the prompt is not held out": merged(tried("leaked", kept=True), _example("leaked", prompt=" what is 9-7 ?")),
    },
    "pairs": {
        "no pair twice": merged(pair("pair twice"), {"pairs": pair("pair twice")["pairs"]}),
        "the chosen one is correct": pair("bad choice", "incorrect"),
        "the rejected one is incorrect or lucky": pair("good loss", bad="unverified"),
        "the split is train": pair("pair held out", at="hidden"),
        "no checked step of the chosen one is wrong": _beside(
            pair("lucky pair"), "step_verdicts", "lucky pair", **_WRONG_STEP
        ),
        "both attempts are of the pair's problem": pair("mixed pair", problem_id="p2"),
        "the two texts differ": pair("same pair", chosen="2", rejected="2"),
        "the prompt is not held out": pair("leaked pair", prompt="what is 9-7 ?"),
    },
    "eval_samples": {
        "one sample per model, problem and turn": merged(*[_only("eval_samples", "again", model_id="again")] * 2),
        "the problem is held out": _only("eval_samples", "of training", problem_id="p1"),
        "outcome is known": _only("eval_samples", "sample maybe", outcome="maybe", sample=2),
        "finish is known": _only("eval_samples", "sample tired", finish="tired", sample=3),
        "the sample has tokens": _only("eval_samples", "sample silent", tokens=0, sample=4),
    },
    "scores": {
        "one score per model, group and metric": merged(*[_only("scores", "scored twice")] * 2),
        "shares are between 0 and 1": _only("scores", "above", value=1.5, high=2.0),
        "the value lies in its interval": _only("scores", "outside", low=0.6),
        "it rests on samples": _only("scores", "of nothing", samples=1),
    },
}  # fmt: skip
# Planted rows that break a further expectation.
ALSO: dict[tuple[str, str], list[str]] = {
    ("problems", "the gold can be read (a sample)"): [f"gold {text}" for text in _NO_GOLDS],
    ("attempts", "the model is named"): ["of no model"],
    ("decisions", "one decision per attempt"): ["twin attempt"],
    ("decisions", "what is kept is correct"): ["decided ghost", "trained wrong"],
    ("examples", "the attempt has a model"): ["of nothing"],
    ("examples", "the model is in the ledger"): ["of nothing", "of no model"],
    ("examples", "the problem is the attempt's"): ["of nothing"],
    ("examples", "a decision has kept it"): ["of nothing"],
    ("examples", "the attempt's outcome is correct"): ["of nothing"],
    ("examples", "the attempt's finish is stop"): ["of nothing"],
    ("examples", "the attempt's split is train"): ["of nothing"],
}
MAY = {"judged twice"}  # comes up as often as it has newest verdicts, wherever attempts are counted
