"""Training teaches what it is given and nothing else: loss on the completion, the end learned, no step done twice."""

import errno
import json
import os
import signal
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from data.errors import UserError
from data.records import Example, Problem
from data.store import At, Store
from data.weights import weights_id
from tasks import distill
from tasks.engines import _prompts
from tasks.first_model import ModelRef
from tasks.objectives import _rows, _run, dpo, sft
from tasks.objectives._setup import TrainingError
from tasks.settings import DistillSettings
from tests import tiny

SUMS = [(f"{a}+{b}=?", f"{a}+{b}\n#### {a + b}") for a in range(2, 5) for b in range(2, 4)]
SETTINGS = DistillSettings(
    batch_size=6, epochs=60, learning_rate=5e-3, warmup=0.1, precision="float32", threads=1, save_steps=1000
)


def examples(rows: list[tuple[str, str]], system: str = "") -> pa.Table:
    prompts, completions = [r[0] for r in rows], [r[1] for r in rows]
    return pa.table({"prompt": prompts, "completion": completions, "system": [system] * len(rows)})


def shifted(folder: Path, **changes: object) -> Path:
    """The model's tokenizer, changed."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for name, value in changes.items():
        setattr(tokenizer, name, value)
    tokenizer.save_pretrained(folder)
    return folder


def answers(folder: Path, system: str = "", most: int = 40) -> list[str]:
    """Greedy completions of all prompts with the end of sequence where the model wrote it."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    said = []
    for prompt, _ in SUMS:
        ids = torch.tensor(_prompts.encode(tokenizer, [_prompts.render(tokenizer, system, prompt)]))
        out = model.generate(ids, max_new_tokens=most, do_sample=False, attention_mask=torch.ones_like(ids))
        said.append(tokenizer.decode(out[0, ids.shape[1] :]))
    return said


@pytest.mark.parametrize("kind", ["plain", "pad_is_eos", "chat"])
def test_a_memorised_completion_is_said_and_ended(kind: str, tmp_path: Path) -> None:
    base = tiny.qwen3(tmp_path / "base") if kind == "chat" else tiny.llama(tmp_path / "base")
    if kind == "pad_is_eos":
        shifted(base, pad_token=tiny.EOS)
    system = "Answer." if kind == "chat" else ""
    report = sft.train(examples(SUMS, system), base, tmp_path / "out", SETTINGS, seed=1)
    assert report.losses[-1].loss < 0.1 < 1 < report.losses[0].loss
    assert answers(tmp_path / "out", system) == [completion + tiny.EOS for _, completion in SUMS]
    assert report.steps == 60
    assert not list(tmp_path.glob("out.*"))


def test_prompt_and_padding_carry_no_loss(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(shifted(tiny.llama(tmp_path / "m"), pad_token=tiny.EOS))
    encoded = _rows.encode(examples([("1+2=?", "3"), ("1=?", "1")]), tokenizer, ["completion"], 64)
    rows = [
        {"input_ids": p + c, "start": len(p)} for p, c in zip(encoded.prompts, encoded.texts["completion"], strict=True)
    ]
    batch = sft.collate(rows)
    assert tokenizer.decode(rows[0]["input_ids"]) == "1+2=?\n3<eos>"
    trained = [[t for t in labels if t != _rows.IGNORED] for labels in batch["labels"].tolist()]
    assert [tokenizer.decode(t) for t in trained] == ["3<eos>", "1<eos>"]
    assert batch["labels"][1, 6:].eq(_rows.IGNORED).all()


def test_rows_are_rendered_as_the_engine_feeds_them(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny.qwen3(tmp_path / "m"))
    encoded = _rows.encode(examples([("1+2=?", "3")], "Think."), tokenizer, ["completion"], 99)
    assert encoded.prompts == _prompts.encode(tokenizer, [_prompts.render(tokenizer, "Think.", "1+2=?")])


def test_long_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    base = tiny.llama(tmp_path / "base")
    rows = examples([("1+1=?", "2"), ("1+1=?", "2" * 100)])
    settings = DistillSettings(max_length=32, batch_size=4)
    report = sft.train(rows, base, tmp_path / "out", settings, seed=0)
    assert (report.dropped, report.steps, report.tokens) == (1, 1, 8)
    with pytest.raises(TrainingError, match="none of 1 rows fits in max_length=32"):
        sft.train(rows.slice(1), base, tmp_path / "none", settings, seed=0)


def test_the_order_is_random_complete_and_of_like_lengths() -> None:
    lengths = [10 + i * 7 % 90 for i in range(640)]
    order = _rows.schedule(lengths, 16, 2.0, 0, seed=3)
    assert sorted(order) == sorted([*range(640)] * 2)
    assert order == _rows.schedule(lengths, 16, 2.0, 0, seed=3) != _rows.schedule(lengths, 16, 2.0, 0, seed=4)
    batches = [order[i : i + 16] for i in range(0, len(order), 16)]
    padded = sum(16 * max(lengths[i] for i in b) for b in batches)
    assert padded < 1.1 * sum(lengths[i] for i in order)
    assert len(_rows.schedule(lengths, 16, 2.0, 48, seed=3)) == 48


def margin(folder: Path, rows: list[tuple[str, str, str]]) -> float:
    """Mean log-probability of the chosen completion less that of the rejected one, in nats."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)

    def logprob(prompt: str, completion: str) -> float:
        start, ids = len(prompt) + 1, tokenizer(f"{prompt}\n{completion}<eos>", return_tensors="pt")["input_ids"]
        with torch.no_grad():
            said = model(ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])
        return said[start - 1 :].sum().item()

    return sum(logprob(p, good) - logprob(p, bad) for p, good, bad in rows) / len(rows)


def test_dpo_widens_the_margin(tmp_path: Path) -> None:
    base = tiny.llama(tmp_path / "base")
    pairs = [(f"{a}+1=?", f"#### {a + 1}", f"#### {a + 2}") for a in range(1, 7)]
    table = pa.table({n: [r[i] for r in pairs] for i, n in enumerate(("prompt", "chosen", "rejected"))})
    settings = DistillSettings(batch_size=6, epochs=15, dpo_learning_rate=1e-3, precision="float32")
    report = dpo.train(table, base, tmp_path / "out", settings, seed=0)
    assert report.losses[0].loss == pytest.approx(0.6931, abs=1e-3)  # ln 2: the reference is where it starts
    assert margin(tmp_path / "out", pairs) > margin(base, pairs) + 5


def test_lora_yields_an_adapter_that_the_next_objective_continues(tmp_path: Path) -> None:
    base = tiny.llama(tmp_path / "base")
    settings = DistillSettings(lora=True, lora_rank=4, batch_size=6, epochs=2, learning_rate=1e-2, precision="float32")
    sft.train(examples(SUMS), base, tmp_path / "sft", settings, seed=0)
    adapter = json.loads((tmp_path / "sft" / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == str(base)
    assert not (tmp_path / "sft" / "model.safetensors").exists()
    pairs = pa.table({"prompt": ["1+1=?"], "chosen": ["2"], "rejected": ["3"]})
    report = dpo.train(pairs, tmp_path / "sft", tmp_path / "dpo", settings, seed=0)
    assert report.losses[0].loss == pytest.approx(0.6931, abs=1e-3)
    assert weights_id(tmp_path / "dpo") != weights_id(tmp_path / "sft")
    assert not (tmp_path / "dpo" / "ref").exists()
    merged = sft.train(examples(SUMS), tmp_path / "sft", tmp_path / "full", DistillSettings(batch_size=6), seed=0)
    assert merged.steps == 1
    assert (tmp_path / "full" / "model.safetensors").exists()


def kill_child_after(sign: Path) -> threading.Thread:
    """SIGKILL this process's training child as soon as `sign` exists."""

    def wait_and_kill() -> None:
        while not sign.exists():
            time.sleep(0.005)
        for line in Path(f"/proc/{os.getpid()}/task").iterdir():
            for pid in (line / "children").read_text().split():
                if b"tasks.objectives._run" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(int(pid), signal.SIGKILL)

    thread = threading.Thread(target=wait_and_kill, daemon=True)
    thread.start()
    return thread


@pytest.mark.killing
def test_a_killed_training_continues_to_the_same_weights(tmp_path: Path) -> None:
    base = tiny.llama(tmp_path / "base")
    store, at = Store(tmp_path / "home"), At("r", 1, 7)
    settings = SETTINGS.model_copy(update={"objectives": ["sft", "dpo"], "save_steps": 5, "epochs": 80})
    stage = store.stage(at, "curate", "x")
    stage.write("examples", "all", [Example("d", f"a{i}", f"p{i}", p, c) for i, (p, c) in enumerate(SUMS)])
    gold = '{"kind": "answer", "value": "1"}'
    stage.write("problems", "all", [Problem("p0", "chain_sum", 1, SUMS[0][0], gold, "symbolic", "t", "train")])
    stage.commit()
    out = store.run_dir("r") / "models" / "round-1-sft"
    told: list[tuple[int, int, str]] = []

    def teach() -> distill.Trained:
        datasets = {"examples": "d", "pairs": "none"}
        return distill.distill(store, at, settings, ModelRef("b", base), datasets, lambda *a: told.append(a))

    killer = kill_child_after(out.with_name("round-1-sft.work") / "checkpoint-5" / "complete")
    with pytest.raises(TrainingError, match="killed by SIGKILL"):
        teach()
    killer.join()
    assert not out.exists()
    trained = teach()
    assert trained.path == out and trained.skipped == ["dpo"]
    assert (trained.steps, told[-1][1]) == (80, 80)
    rows = distill.training_rows(store, at, "examples", "d")
    assert rows["system"].to_pylist()[0] and not rows["system"].to_pylist()[1]
    seed = distill.derived_seed(7, 1, "distill", "sft")
    sft.train(rows, base, tmp_path / "undisturbed", settings, seed)
    assert weights_id(tmp_path / "undisturbed") == weights_id(out) == trained.id
    again = teach()
    assert again == trained
    (model,) = store.read("models", "r").to_pylist()
    assert (model["id"], model["parent_id"], model["dataset_id"]) == (trained.id, weights_id(base), "d")
    assert store.read("losses", "r")["step"].to_pylist()[-1] == 80


def test_a_run_with_other_inputs_starts_afresh(tmp_path: Path) -> None:
    base = tiny.llama(tmp_path / "base")
    settings = DistillSettings(batch_size=6)
    stale = tmp_path / "out.work" / "checkpoint-1"
    stale.mkdir(parents=True)
    (stale.parent / "key").write_text("another run")
    (stale / "complete").touch()
    assert sft.train(examples(SUMS), base, tmp_path / "out", settings, seed=0).steps == 1
    first = weights_id(tmp_path / "out")
    sft.train(examples(SUMS), base, tmp_path / "out", settings, seed=0)
    assert weights_id(tmp_path / "out") == first
    sft.train(examples(SUMS[:3]), base, tmp_path / "out", settings, seed=0)
    assert weights_id(tmp_path / "out") != first


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no space left while training into"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "no space left while training into"),
        (MemoryError(), "ran out of memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "lower distill.batch_size"),
    ],
)
def test_want_of_space_or_memory_is_named(failure: Exception, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=sentence), _run._named_failures(tmp_path):
        raise failure


def test_a_base_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="that is not a model folder"):
        sft.train(examples(SUMS), tmp_path, tmp_path / "out", SETTINGS, seed=0)
