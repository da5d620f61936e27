"""Every engine keeps the contract of `tasks/engines`: scripted, transformers and vLLM on tiny random models."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from data import domains
from tasks.engines import Engine, EngineError, Request, _replicas, start, vllm
from tasks.engines._model import find, quiet_threads
from tasks.engines._prompts import render
from tasks.settings import EngineSettings
from tests import tiny

NAMES = ["scripted", "transformers", "vllm"]
LENGTH = 128


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two Llamas of one architecture, `a` and `b`, with a skill each for the scripted engine."""
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(["a", "b"]):
        tiny.llama(folder / name, seed=seed)
        (folder / name / "scripted.json").write_text(json.dumps({"skill": float(seed)}))
    return folder


@pytest.fixture(scope="session", params=[*NAMES, pytest.param("transformers x 2", marks=pytest.mark.killing)])
def engine(request: pytest.FixtureRequest, models: Path) -> Iterator[Engine]:
    """One running engine of each kind for the whole session, and one pair of replicas."""
    name, _, replicas = request.param.partition(" x ")
    running = _replicas.start(models / "a", settings(name).model_copy(update={"replicas": int(replicas or 1)}))
    yield running
    running.close()


def settings(name: str) -> EngineSettings:
    return EngineSettings(name=name, dtype="float32", max_model_len=LENGTH, max_num_seqs=16)


def batch(n: int = 3, temperature: float = 1.0) -> list[Request]:
    return [
        Request(str(i), domains.load("chain_sum").EXAMPLES[i % 3], "Answer.", n, temperature, max_tokens=20, seed=i)
        for i in range(10)
    ]


def answers(engine: Engine, requests: list[Request]) -> dict[str, list[str]]:
    return {c[0].request_id: [x.text for x in c] for c in engine.complete(requests)}


def test_every_request_is_answered_once_and_whole(engine: Engine) -> None:
    requests = [replace(r, n=1 + i % 3) for i, r in enumerate(batch())]
    found = list(engine.complete(requests))
    assert sorted(c[0].request_id for c in found) == sorted(r.id for r in requests)
    by_id = {r.id: r for r in requests}
    for completions in found:
        asked = by_id[completions[0].request_id]
        assert [c.index for c in completions] == list(range(asked.n))
        for c in completions:
            assert c.request_id == asked.id and c.finish in ("stop", "length")
            assert 0 < c.tokens <= asked.max_tokens and c.prompt_tokens > 0 and c.logprob < 0
            assert (c.tokens == asked.max_tokens) or c.finish == "stop" or engine.startup_seconds == 0
    assert list(engine.complete([])) == []


def test_greedy_is_deterministic_and_the_same_for_every_index(engine: Engine) -> None:
    first = answers(engine, batch(temperature=0))
    assert first == answers(engine, batch(temperature=0))
    assert all(len(set(texts)) == 1 for texts in first.values())


def test_seeds_reproduce_and_differ(engine: Engine) -> None:
    first = answers(engine, batch(n=4))
    assert first == answers(engine, list(reversed(batch(n=4))))
    other = answers(engine, [replace(r, seed=r.seed + 1000) for r in batch(n=4)])
    if engine.startup_seconds:  # a real model
        assert first != other
        assert any(len(set(texts)) > 1 for texts in first.values())


def test_other_weights_change_the_answers_and_the_old_ones_bring_them_back(engine: Engine, models: Path) -> None:
    before = {p: p.read_bytes() for p in (models / "a").iterdir()}
    greedy = batch(n=1, temperature=0)
    first = answers(engine, greedy)
    engine.load_weights(models / "b")
    assert answers(engine, greedy) != first
    engine.load_weights(models / "a")
    assert answers(engine, greedy) == first
    assert before == {p: p.read_bytes() for p in (models / "a").iterdir()}


def test_missing_weights_leave_the_engine_running(engine: Engine, models: Path) -> None:
    with pytest.raises(EngineError, match="no model at"):
        engine.load_weights(models / "none")
    assert len(answers(engine, batch())) == 10


def test_a_prompt_that_does_not_fit_aborts_alone(engine: Engine) -> None:
    long = Request("long", "1+" * LENGTH, n=2)
    tight = Request("tight", "1" * (LENGTH - 5), n=1, max_tokens=50)
    found = {c[0].request_id: c for c in engine.complete([*batch(), long, tight])}
    assert [(c.text, c.finish, c.tokens) for c in found["long"]] == [("", "abort", 0)] * 2
    assert all(c.prompt_tokens + c.tokens <= LENGTH for c in found["tight"])
    assert len(found) == 12 and all(c.finish != "abort" for key, cs in found.items() if key != "long" for c in cs)


def test_a_caller_may_stop_early(engine: Engine) -> None:
    stream = engine.complete(batch())
    next(stream)
    stream.close()
    assert len(answers(engine, batch())) == 10


def test_a_batch_longer_than_one_prefill_is_reproducible(models: Path, engine: Engine) -> None:
    many = [Request(f"m{i}", "1+" * 40 + str(i), n=1, max_tokens=2, seed=i) for i in range(120)]
    assert len(answers(engine, many)) == 120


def test_logprobs_are_the_models_own(models: Path, engine: Engine) -> None:
    if not engine.startup_seconds:
        pytest.skip("the scripted engine has no model")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(models / "a")
    model = AutoModelForCausalLM.from_pretrained(models / "a", dtype=torch.float32)
    asked = replace(batch()[0], temperature=0.7, n=1, max_tokens=8)
    [[c]] = list(engine.complete([asked]))
    prompt = tokenizer(render(tokenizer, asked.system, asked.prompt))["input_ids"]
    written = tokenizer(c.text)["input_ids"] + ([tokenizer.eos_token_id] if c.finish == "stop" else [])
    with torch.inference_mode():
        scores = model(torch.tensor([prompt + written])).logits[0].log_softmax(-1)
    own = sum(scores[len(prompt) - 1 + i, token].item() for i, token in enumerate(written))
    assert len(written) == c.tokens and c.logprob == pytest.approx(own, abs=1e-2)


@pytest.mark.parametrize("name", NAMES)
def test_bad_models_are_one_sentence(name: str, tmp_path: Path, models: Path) -> None:
    with pytest.raises(EngineError, match="no model at") as missing:
        start(tmp_path / "nowhere", settings(name))
    assert "\n" not in str(missing.value)
    if name == "scripted":
        return
    if name == "transformers":
        with pytest.raises(EngineError, match="no model at org/nothing: no such folder"):
            start(Path("org/nothing"), settings(name))
    with pytest.raises(EngineError, match=r"no config\.json"):
        start(tmp_path, settings(name))
    shutil.copy(models / "a" / "config.json", tmp_path)
    with pytest.raises(EngineError, match="no tokenizer"):
        start(tmp_path, settings(name))


def test_threads_are_chosen_for_a_small_model_unless_the_user_did(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    quiet_threads(find(models / "a"))
    assert (os.environ["OMP_NUM_THREADS"], os.environ["OMP_WAIT_POLICY"]) == ("1", "passive")
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    quiet_threads(find(models / "a"))
    assert os.environ["OMP_NUM_THREADS"] == "4"
    monkeypatch.delenv("OMP_NUM_THREADS")
    quiet_threads(find("org/large"))
    assert "OMP_NUM_THREADS" not in os.environ


def test_more_gpus_than_there_are_is_one_sentence() -> None:
    class Machine:
        def is_cpu(self) -> bool:
            return False

        def device_count(self) -> int:
            return 2

    vllm._check_devices(Machine(), replace_settings(tensor_parallel=2))
    with pytest.raises(EngineError, match=r"needs 4 device\(s\) but sees 2: lower"):
        vllm._check_devices(Machine(), replace_settings(tensor_parallel=4))


def test_vllm_not_installed_is_one_sentence(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "vllm" else find(name))
    with pytest.raises(EngineError, match="vLLM is not installed: install"):
        start(models / "a", settings("vllm"))


def test_a_killed_engine_is_an_error_at_once_and_a_closed_one_is_gone(models: Path) -> None:
    running = start(models / "a", settings("transformers"))
    stream = running.complete(batch(n=64))
    os.kill(running.pid, signal.SIGKILL)
    began = time.perf_counter()
    with pytest.raises(EngineError, match="died \\(killed by SIGKILL\\)"):
        list(stream)
    assert time.perf_counter() - began < 2
    assert not Path(f"/proc/{running.pid}").exists()
    running.close()
    running.close()
    with pytest.raises(EngineError, match="closed"):
        list(running.complete(batch()))


@pytest.mark.killing
def test_the_engine_dies_with_its_owner_even_when_a_thread_started_it(models: Path) -> None:
    """Killing the owner ends the child; the end of the thread that started it does not."""
    import subprocess
    import sys

    code = (
        "import sys, threading, time\n"
        "from pathlib import Path\n"
        "from tasks.engines import Request, start\n"
        "from tasks.settings import EngineSettings\n"
        "box = []\n"
        "def begin(): box.append(start(Path(sys.argv[1]), EngineSettings(name='transformers', max_model_len=64)))\n"
        "t = threading.Thread(target=begin); t.start(); t.join(); time.sleep(0.3)\n"
        "assert len(list(box[0].complete([Request('1', '1+1=?', max_tokens=2)]))) == 1\n"
        "print(box[0].pid, flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(models / "a")]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    assert owner.stdout is not None
    child = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    until = time.monotonic() + 5
    while time.monotonic() < until and Path(f"/proc/{child}/stat").exists():
        if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            break  # dead, and not yet reaped by init
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{child}").exists()


def test_qwen3_with_chat_template_and_lora_through_vllm(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = tiny.qwen3(tmp_path / "base")
    adapted = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(r=8, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False),
    )
    adapted.save_pretrained(tmp_path / "adapter")
    running = start(base, replace_settings(lora=True, lora_rank=8))
    try:
        greedy = batch(n=1, temperature=0)
        plain = answers(running, greedy)
        running.load_weights(tmp_path / "adapter")
        assert answers(running, greedy) != plain
        running.load_weights(base)
        assert answers(running, greedy) == plain
        [[c]] = list(running.complete([greedy[0]]))
        assert c.prompt_tokens > len(greedy[0].prompt + greedy[0].system)  # the template's own words
        stream = running.complete(batch(n=16))
        os.kill(running.pid, signal.SIGKILL)
        with pytest.raises(EngineError, match="died \\(killed by SIGKILL\\)"):
            list(stream)
    finally:
        running.close()


def replace_settings(**changes: object) -> EngineSettings:
    return settings("vllm").model_copy(update=changes)


def test_the_scripted_engine_is_as_good_as_its_dial(models: Path) -> None:
    from data.gold import Answer, load

    problems = [
        p
        for name in ("chain_sum", "equations")
        for p, _ in zip(domains.load(name).problems("train", 1, 3), range(40), strict=False)
    ]
    shares = []
    for name in ("a", "b"):  # skill 0 and 1
        engine = start(models / name, EngineSettings(name="scripted"))
        requests = [Request(p.id, p.prompt, n=4, seed=1) for p in problems]
        texts = answers(engine, requests)
        golds = {p.id: load(p.gold) for p in problems}
        right = [t.endswith(f"#### {g.value}") for i, g in golds.items() if isinstance(g, Answer) for t in texts[i]]
        shares.append(sum(right) / len(right))
    assert shares[0] < 0.25 and shares[1] == 1.0


def test_the_scripted_engine_varies_problems(models: Path) -> None:
    engine = start(models / "a", EngineSettings(name="scripted"))
    for name in ("chain_sum", "equations", "programs"):
        module = domains.load(name)
        asked = module.EXAMPLES[1]
        [texts] = answers(engine, [Request("v", f"vary: {asked}", n=40)]).values()
        parsed = [module.parse(t) for t in texts]
        level = module.parse(asked).level
        assert sum(p is not None and p.prompt != asked and p.level == level for p in parsed) > 20
        assert any(t == asked for t in texts) and any(p is None for p in parsed)


def test_replicas_take_devices_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [_replicas.devices(i, 2) for i in range(2)] == ["0,1", "2,3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6,7")
    assert [_replicas.devices(i, 1) for i in range(3)] == ["4", "6", "7"]


@pytest.mark.killing
def test_a_replica_that_dies_ends_the_batch(models: Path) -> None:
    pair = _replicas.start(models / "a", settings("transformers").model_copy(update={"replicas": 2}))
    assert isinstance(pair, _replicas.Replicas)
    try:
        stream = pair.complete([replace(r, max_tokens=100) for r in batch(n=16)])
        victim = pair._engines[0]
        os.kill(victim.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        with pytest.raises(EngineError, match=r"died \(killed by SIGKILL\)"):
            list(stream)
    finally:
        pair.close()


def test_as_many_replicas_as_fit(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    spread = settings("vllm").model_copy(update={"tensor_parallel": 2})
    assert _replicas.fitting(models / "a", spread) == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(_replicas, "_gpus", list)
    assert _replicas.fitting(models / "a", spread) == min(len(os.sched_getaffinity(0)), _replicas.MOST_ON_CPU)
