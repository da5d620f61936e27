"""A ledger of made-up attempts with planted copies, for measuring curation at scale. Not a model's writing.

    python bench/_traces.py HOME N [--seed 0]

HOME gets one run `bench`, round 1: N attempts of some 500 characters at N/4 problems, their verdicts and step
verdicts, held-out problems and samples. What was planted lies beside it, not in it:
- `HOME.near.parquet`: copy_id, source_id, kind (words, moved, both; same and spaces are exact copies),
  jaccard (exact: `_planted.alike`), chain (copy of a copy), across (of another problem's attempt)
- `HOME.contaminated.parquet`: problem_id, heldout_id, kind (verbatim, spaced, renumbered, reordered)
"""

import argparse
import random
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from _planted import DISGUISES, alike, near, replaced
from _stories import DOMAINS, LEVELS, Numbers, numbers, prompts, solutions

from data.gold import Answer, dump
from data.records import Model
from data.store import At, Stage, Store

AT, MODEL = At("bench", 1, 0), "bench"
SAMPLES, SHARD, HELD_OUT, DRAWS = 4, 50_000, 2_000, 4  # DRAWS: samples of a held-out problem
EXACT, NEAR, CHAIN, ACROSS, CONTAMINATED = 0.06, 0.10, 0.02, 0.01, 0.01  # shares of the problems
WRONG, LUCKY, UNSURE = 0.25, 0.03, 0.02  # shares of the attempts; UNSURE: half no answer, half unverified
TRUNCATED = 0.03


@dataclass(frozen=True, slots=True)
class Copy:
    """One planted copy of an attempt."""

    copy_id: str
    source_id: str
    kind: str
    jaccard: float
    chain: bool
    across: bool


@dataclass(frozen=True, slots=True)
class World:
    """All problems, `count` to train on and then the held-out ones, and where copies are planted (problem indices)."""

    seed: int
    count: int
    numbers: Numbers
    prompts: list[str]
    ids: list[str]
    across: set[int]  # the next problem is a near copy of this one


def write(home: Path, attempts: int, seed: int = 0) -> None:
    """Fill an empty home with so many attempts (a multiple of 4, at least 400) and put the truth beside it."""
    if attempts % SAMPLES or attempts < 400 or (home / "manifests" / AT.run).exists():
        raise SystemExit(f"the number of attempts is a multiple of {SAMPLES} from 400 on, and {home} has no such run")
    rng, draw, store = np.random.default_rng(seed), random.Random(seed), Store(home)
    home.mkdir(parents=True, exist_ok=True)
    world, contaminated = _world(rng, draw, seed, attempts // SAMPLES)
    _write_problems(store, world)
    pq.write_table(_write_attempts(store, rng, draw, world), home.with_name(f"{home.name}.near.parquet"))
    _write_samples(store, rng, world)
    pq.write_table(contaminated, home.with_name(f"{home.name}.contaminated.parquet"))
    store.publish()


def _world(rng: np.random.Generator, draw: random.Random, seed: int, count: int) -> tuple[World, pa.Table]:
    held_out = min(HELD_OUT, count // 4)
    n = numbers(rng, count + held_out)
    twins = np.flatnonzero(rng.random(count // 2) < ACROSS) * 2
    marked = np.setdiff1d(np.flatnonzero(rng.random(count) < CONTAMINATED), np.concatenate([twins, twins + 1]))
    sources = rng.integers(count, count + held_out, len(marked))
    n.copy(twins + 1, twins)
    n.copy(marked, sources)
    told = prompts(rng, n)
    for i in twins:
        told[i + 1] = replaced(told[i], 1, draw)
    kinds = [draw.choice(sorted(DISGUISES)) for _ in marked]
    for i, source, kind in zip(marked, sources, kinds, strict=True):
        told[i] = DISGUISES[kind](told[source])
    ids = [_id(f"{seed} {i} {prompt}") for i, prompt in enumerate(told)]
    truth = {"problem_id": [ids[i] for i in marked], "heldout_id": [ids[i] for i in sources], "kind": kinds}
    return World(seed, count, n, told, ids, set(twins.tolist())), pa.table(truth)


def _write_problems(store: Store, w: World) -> None:
    stage = store.stage(AT, "problems", "bench")
    for relation, split, which in (
        ("problems", "train", slice(0, w.count)),
        ("eval_problems", "heldout", slice(w.count, None)),
    ):
        ids, n = w.ids[which], w.numbers
        answers = n.values[np.arange(len(w.ids)), n.level][which].tolist()
        columns = {
            "id": ids,
            "domain": pa.array(DOMAINS).take(pa.array(n.domain[which])),
            "level": n.level[which],
            "prompt": w.prompts[which],
            "gold": [dump(Answer(str(answer))) for answer in answers],
        }
        fixed = {"verifier": "symbolic", "source": "bench", "split": split}
        stage.write(relation, "all", pa.table(columns | {k: pa.repeat(v, len(ids)) for k, v in fixed.items()}))
    stage.write("models", "all", [Model(MODEL, "", "given", "{}", "", "", 0, 0.0)])
    stage.commit()


def _write_attempts(store: Store, rng: np.random.Generator, draw: random.Random, w: World) -> pa.Table:
    """Generate and verify, committed; returns what was planted."""
    generate, verify = store.stage(AT, "generate", "bench"), store.stage(AT, "verify", "bench")
    planted: list[Copy] = []
    for start in range(0, w.count, SHARD // SAMPLES):
        problems = np.arange(start, min(start + SHARD // SAMPLES, w.count))
        planted += _write_shard(generate, verify, rng, draw, w, problems)
    generate.commit()
    verify.commit()
    rows = list(zip(*map(astuple, planted), strict=True))
    return pa.table({f.name: list(column) for f, column in zip(fields(Copy), rows, strict=True)})


def _write_shard(
    generate: Stage, verify: Stage, rng: np.random.Generator, draw: random.Random, w: World, problems: np.ndarray
) -> list[Copy]:
    whose = np.repeat(problems, SAMPLES)
    ids = [_id(f"{w.ids[p]} {k}") for p in problems.tolist() for k in range(SAMPLES)]
    plan = list(_plan(rng, draw, w, problems))
    outcome, finish, wrong_at, ends_wrong = _fates(rng, w.numbers.level[whose])
    for row in {row for copy, source, _, _ in plan for row in (copy, source)}:  # what is planted must get through
        outcome[row], finish[row], wrong_at[row], ends_wrong[row] = "correct", "stop", -1, False
    lines = solutions(rng, w.numbers, whose, wrong_at, ends_wrong)
    texts = pc.binary_join_element_wise(*lines, pa.scalar("\n")).to_pylist()
    planted = []
    for copy, source, kind, chain in plan:
        texts[copy] = near(texts[source], kind, draw)
        across = bool(whose[copy] != whose[source])
        nearness = alike(*((w.prompts[whose[i]], texts[i]) for i in (copy, source)))
        planted.append(Copy(ids[copy], ids[source], kind, nearness, chain, across))
    cut = np.flatnonzero(finish == "length")
    for i in cut.tolist():
        texts[i] = texts[i][: draw.randrange(50, len(texts[i]) - 8)]
    text = pa.array(texts)
    key = str(problems[0])
    generate.write("attempts", key, _attempts(rng, ids, [w.ids[p] for p in whose.tolist()], text, finish))
    verify.write("verdicts", key, _verdicts(ids, outcome, w.numbers, whose, ends_wrong))
    verify.write("step_verdicts", key, _steps(ids, w.numbers.level[whose], wrong_at, finish))
    return planted


def _plan(
    rng: np.random.Generator, draw: random.Random, w: World, problems: np.ndarray
) -> Iterator[tuple[int, int, str, bool]]:
    """Which row becomes a copy of which: (copy, source, kind, whether the source is a copy itself)."""
    chance = rng.random(len(problems)).tolist()
    for i, p in enumerate(problems.tolist()):
        first = i * SAMPLES
        if p in w.across:
            yield first + SAMPLES, first, draw.choice(["words", "moved", "both"]), False
        elif chance[i] < EXACT:
            yield first + 1, first, draw.choice(["same", "spaces"]), False
        elif chance[i] < EXACT + NEAR:
            yield first + 1, first, draw.choice(["words", "words", "moved", "both"]), False
            if chance[i] < EXACT + CHAIN:
                yield first + 2, first + 1, "words", True


def _fates(rng: np.random.Generator, level: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, finish, the line with a wrong value (-1: none) and whether the answer is wrong, for each attempt."""
    chance, size = rng.random(len(level)), len(level)
    wrong, lucky, unsure = chance < WRONG, (chance >= WRONG) & (chance < WRONG + LUCKY), chance > 1 - UNSURE
    outcome = np.where(wrong, "incorrect", "correct").astype(object)
    outcome[unsure] = np.where(chance[unsure] > 1 - UNSURE / 2, "no_answer", "unverified")
    finish = np.where(rng.random(size) < TRUNCATED, "length", "stop").astype(object)
    outcome[finish == "length"] = "no_answer"
    return outcome, finish, np.where(wrong | lucky, rng.integers(0, level), -1), wrong.copy()


def _attempts(
    rng: np.random.Generator, ids: list[str], problem_ids: list[str], text: pa.Array, finish: np.ndarray
) -> pa.Table:
    length = pc.utf8_length(text).to_numpy()
    offsets = [[0, *(i + 1 for i, c in enumerate(t) if c == "\n")] for t in text.to_pylist()]
    columns = {
        "id": ids,
        "problem_id": problem_ids,
        "seed": np.arange(len(ids)) % SAMPLES,
        "text": text,
        "steps": pa.array(offsets, pa.list_(pa.int64())),
        "tokens": length // 4,
        "logprob": -rng.gamma(2.0, 20.0, len(ids)),
        "finish": finish,
    }
    return pa.table(columns | {"model_id": [MODEL] * len(ids), "strategy": ["best_of_n"] * len(ids)})


def _verdicts(ids: list[str], outcome: np.ndarray, n: Numbers, whose: np.ndarray, ends_wrong: np.ndarray) -> pa.Table:
    answer = pa.array(n.values[whose, n.level[whose]] + 3 * ends_wrong).cast(pa.string())
    known = pa.array(np.isin(outcome, ["correct", "incorrect"]))
    columns = {"attempt_id": ids, "outcome": outcome, "answer": pc.if_else(known, answer, "")}
    fixed = {"reason": "compared", "verifier": "symbolic", "version": 1, "isolation": "bench", "ms": 0.5}
    return pa.table(columns | {k: pa.repeat(v, len(ids)) for k, v in fixed.items()})


def _steps(ids: list[str], level: np.ndarray, wrong_at: np.ndarray, finish: np.ndarray) -> pa.Table:
    """A verdict for every line that does an operation, of the attempts that were not cut off."""
    count = np.where(finish == "stop", level, 0)
    row = np.repeat(np.arange(len(ids)), count)
    index = np.concatenate([np.arange(LEVELS)[:c] for c in count.tolist()])
    outcome = np.where(wrong_at[row] == index, "incorrect", "correct")
    columns = {"attempt_id": pa.array(ids).take(pa.array(row)), "index": index, "outcome": outcome}
    return pa.table(columns | {k: [v] * len(row) for k, v in {"kind": "same_value", "reason": ""}.items()})


def _write_samples(store: Store, rng: np.random.Generator, w: World) -> None:
    stage = store.stage(AT, "evaluate", "bench")
    heldout = np.repeat(np.arange(w.count, len(w.ids)), DRAWS)
    outcome, finish, wrong_at, ends_wrong = _fates(rng, w.numbers.level[heldout])
    lines = solutions(rng, w.numbers, heldout, wrong_at, ends_wrong)
    text = pc.binary_join_element_wise(*lines, pa.scalar("\n"))
    draws = np.arange(len(heldout)) % DRAWS
    columns = {
        "id": [_id(f"sample {w.ids[p]} {k}") for p, k in zip(heldout.tolist(), draws.tolist(), strict=True)],
        "problem_id": [w.ids[p] for p in heldout.tolist()],
        "domain": pa.array(DOMAINS).take(pa.array(w.numbers.domain[heldout])),
        "level": w.numbers.level[heldout],
        "sample": draws,
        "text": text,
        "outcome": outcome,
        "steps_ok": wrong_at < 0,
        "tokens": pc.utf8_length(text).to_numpy() // 4,
        "finish": finish,
        "answer": lines[-1],
    }
    fixed = {"model_id": MODEL, "reason": "compared"}
    stage.write("eval_samples", "all", pa.table(columns | {k: [v] * len(text) for k, v in fixed.items()}))
    stage.commit()


def _id(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path, help="an empty or absent folder")
    parser.add_argument("attempts", type=int, help="a multiple of 4")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.perf_counter()
    write(options.home.absolute(), options.attempts, options.seed)
    print(f"{options.attempts} attempts in {options.home}, {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
