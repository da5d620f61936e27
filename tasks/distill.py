"""The stage that teaches: each objective in turn, each in a process of its own whose end frees the device.

    sft: examples, from the parent  ->  dpo: pairs, from sft's result  ->  ...

The last result is the round's challenger. Not here: what is trained on (`curate.py`), how (`objectives/`).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task
from prefect.cache_policies import NO_CACHE

from data import domains, registry
from data.ids import content_id, derived_seed
from data.progress import Progress, silent
from data.records import Loss, Model
from data.store import At, Store
from data.weights import weights_id
from tasks.curate import Curated
from tasks.first_model import ModelRef
from tasks.objectives import LossPoint, TrainReport
from tasks.objectives._setup import TrainingDied, TrainingError
from tasks.settings import DistillSettings

VERSION = 1
ROOT = Path(__file__).parents[1]
_POLL_S = 0.3
_LAST_LINES = 8


@dataclass(frozen=True, slots=True)
class Trained(ModelRef):
    """The round's challenger. `skipped`: objectives without a single row; `dropped`: rows over `max_length`."""

    steps: int
    tokens: int
    seconds: float
    startup_seconds: float
    dropped: int
    skipped: list[str]


def distill(
    store: Store,
    at: At,
    settings: DistillSettings,
    parent: ModelRef,
    datasets: Mapping[str, str],
    progress: Progress = silent,
) -> Trained:
    """Stage `distill`: writes `models` and `losses`; the weights go to `<run>/models/round-<r>-<objective>`.

    `datasets` names the dataset of each relation (`examples`, `pairs`). A killed stage continues: finished objectives
    are read back, the one under way goes on from its last checkpoint. Raises TrainingError.
    """
    parent_id = weights_id(parent.path)
    fingerprint = content_id("distill", VERSION, asdict(at), settings.model_dump(), parent_id, dict(datasets))
    stage = store.stage(at, "distill", fingerprint)
    if stage.done:
        known = stage.meta["trained"]
        return Trained(**{**known, "path": Path(known["path"])})
    base, base_id, began = parent.path, parent_id, perf_counter()
    reports: list[TrainReport] = []
    skipped: list[str] = []
    for name in settings.objectives:
        relation = registry.load("tasks.objectives", name).RELATION
        dataset_id = datasets.get(relation, "")
        rows = training_rows(store, at, relation, dataset_id)
        if not len(rows):
            skipped.append(name)
            continue
        out = store.run_dir(at.run) / "models" / f"round-{at.round}-{name}"
        seed = derived_seed(at.seed, at.round, "distill", name)
        reports.append(train_apart(name, rows, base, out, settings, seed, progress))
        model_id = weights_id(out)
        made = Model(
            id=model_id,
            parent_id=base_id,
            objective=name,
            hyperparameters=settings.model_dump_json(),
            dataset_id=dataset_id,
            path=str(out),
            tokens_seen=reports[-1].tokens,
            seconds=reports[-1].seconds,
        )
        stage.write("models", name, [made])
        losses = [Loss(model_id, p.step, p.loss, p.learning_rate) for p in reports[-1].losses]
        stage.write("losses", name, losses)
        base, base_id = out, model_id
    if not reports:
        raise TrainingError(f"round {at.round} has no rows for {', '.join(settings.objectives)}: nothing to train on")
    seconds = sum(r.seconds for r in reports)
    trained = Trained(
        id=base_id,
        path=base,
        steps=sum(r.steps for r in reports),
        tokens=sum(r.tokens for r in reports),
        seconds=seconds,
        startup_seconds=max(0.0, perf_counter() - began - seconds),
        dropped=sum(r.dropped for r in reports),
        skipped=skipped,
    )
    known = {**asdict(trained), "path": str(base)}
    stage.commit({"trained": known, "startup_seconds": trained.startup_seconds, "tokens": trained.tokens})
    return trained


def training_rows(store: Store, at: At, relation: str, dataset_id: str) -> pa.Table:
    """The members of a dataset of this round, with the `system` turn that their problems are asked with."""
    table = store.read(relation, at.run, [at.round])
    table = table.filter(pc.equal(table["dataset_id"], dataset_id))
    problems = store.read("problems", at.run)
    domain = dict(zip(problems["id"].to_pylist(), problems["domain"].to_pylist(), strict=True))
    told = {name: domains.load(name).INSTRUCTION for name in set(domain.values())}
    system = [told.get(domain.get(p, ""), "") for p in table["problem_id"].to_pylist()]
    return table.append_column("system", pa.array(system, pa.string()))


def train_apart(
    objective: str, rows: pa.Table, base: Path, out: Path, settings: DistillSettings, seed: int, progress: Progress
) -> TrainReport:
    """Run one objective in a process of its own and wait. Raises TrainingError with the process's last words."""
    job = out.with_name(out.name + ".job")
    shutil.rmtree(job, ignore_errors=True)
    job.mkdir(parents=True)
    given = {
        "objective": objective,
        "base": str(base),
        "out": str(out),
        "seed": seed,
        "settings": settings.model_dump(),
    }
    (job / "job.json").write_text(json.dumps(given))
    with pa.OSFile(str(job / "table.arrow"), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)
    progress(0, 1, f"{objective}: starting")
    with (job / "log.txt").open("wb") as log:
        command = [sys.executable, "-m", "tasks.objectives._run", str(job), str(os.getpid())]
        child = subprocess.Popen(command, cwd=ROOT, env=_environment(settings), stdout=log, stderr=subprocess.STDOUT)
        try:
            _follow(child, out, objective, progress)
        finally:
            child.kill()  # does nothing to one that has ended
            child.wait()
    report = _answer(job, child.returncode, objective)
    shutil.rmtree(job)
    steps, last = max(1, report.steps), report.losses[-1:]
    progress(steps, steps, f"{objective}: loss {last[0].loss:.4f}" if last else objective)
    return report


def _environment(settings: DistillSettings) -> dict[str, str]:
    """The child's environment: its threads, whose barriers sleep (spinning slows two programs up to 10 times)."""
    threads = settings.threads or len(os.sched_getaffinity(0))
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)
    chosen = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive", "TOKENIZERS_PARALLELISM": "false"}
    return {**os.environ, **chosen, "PYTHONPATH": path}


def _follow(child: subprocess.Popen[bytes], out: Path, objective: str, progress: Progress) -> None:
    """Pass the child's progress on until it ends."""
    lines = out.with_name(out.name + ".work") / "progress.jsonl"
    last = ""
    while True:
        try:
            child.wait(_POLL_S)
            return
        except subprocess.TimeoutExpired:
            text = lines.read_text() if lines.exists() else ""
            whole = text[: text.rfind("\n") + 1].splitlines()[-1:]
            if whole and whole[0] != last:
                last = whole[0]
                point: dict[str, Any] = json.loads(last)
                progress(point["step"], point["steps"], f"{objective}: loss {point['loss']:.4f}")


def _answer(job: Path, code: int, objective: str) -> TrainReport:
    """What the child reported; its error, or how it died, as a TrainingError."""
    answer = job / "report.json"
    known: dict[str, Any] = json.loads(answer.read_text()) if answer.exists() else {}
    if "report" in known:
        report = known["report"]
        return TrainReport(**{**report, "losses": [LossPoint(**p) for p in report["losses"]]})
    if "error" in known:
        raise TrainingError(f"{objective}: {known['error']}")
    lines = (job / "log.txt").read_text(errors="replace").strip().splitlines()[-_LAST_LINES:]
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    if code == -signal.SIGKILL:
        how += ", perhaps by the system for want of memory"
    said = "; its last words: " + " | ".join(line.strip() for line in lines) if lines else ""
    kind = TrainingDied if code < 0 else TrainingError
    raise kind(f"the {objective} training died ({how}); run again with --resume to continue it{said}")


@task(name="distill", cache_policy=NO_CACHE)
def distill_task(
    store: Store, at: At, settings: DistillSettings, parent: ModelRef, data: Curated | str, progress: Progress = silent
) -> Trained:
    """`data`: what curation made, or the id of a dataset of examples."""
    if isinstance(data, str):
        return distill(store, at, settings, parent, {"examples": data}, progress)
    return distill(store, at, settings, parent, {"examples": data.dataset_id, "pairs": data.pairs_id}, progress)
