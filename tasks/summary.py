"""What a run achieved: `summary.json`, and the tables in the terminal. Everything is computed from committed rows.

Differences are in points (hundredths of pass@1), levels count alike, `middle and hard` are the domains' own bands.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from data import manifest
from data.ids import derived_seed
from data.records import RoundResult, Score
from data.schemas import rows
from data.store import SUMMARY, At, Store
from tasks.curriculum import MASTERED, Key
from tasks.evaluate import samples_of
from tasks.problems import band_of
from tasks.promote import RESAMPLES, difference, mean
from tasks.scores import Measured, measured

ScoreKey = tuple[str, int, str, str, int]  # domain, level, band, metric, k
Cells = list[str]


def write_summary(store: Store, run: str, run_seed: int) -> dict[str, Any]:
    """Compute the summary of a run and write it, whole or not at all, to `<run>/summary.json`."""
    result = summarise(store, run, run_seed)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    manifest.write_atomic(store.run_dir(run) / SUMMARY, text.encode())
    return result


def summarise(store: Store, run: str, run_seed: int) -> dict[str, Any]:
    """The summary; `seconds` is from the start of the first stage to the last commit. Without rounds the gain is zero.

    pass1, pass_k and the interval (paired bootstrap, 95 %) are over all middle and hard levels.
    """
    results = rows(store.read("rounds", run), RoundResult)
    promoted = [r.challenger_id for r in results if r.promoted]
    seed_id = results[0].incumbent_id if results else _first_measured(store, run)
    final_id = promoted[-1] if promoted else seed_id
    seed, final = (measured(samples_of(store, run, model)) for model in (seed_id, final_id))
    among = {key for key in seed.strata if band_of(*key) in ("middle", "hard")} or set(seed.strata)
    gain = difference(seed, final, "pass@k", 1, RESAMPLES, derived_seed("summary", run_seed), among)
    ks = [k for name, k in seed.metrics if name == "pass@k"]
    stages = list(manifest.committed(store.home, run))
    return {
        "seed_pass1": mean(seed, "pass@k", 1, among),
        "final_pass1": mean(final, "pass@k", 1, among),
        "gain_points": 100 * gain.value,
        "interval": [100 * gain.low, 100 * gain.high],
        "pass_k": {str(k): [mean(seed, "pass@k", k, among), mean(final, "pass@k", k, among)] for k in ks},
        "mastered_loss_points": mastered_loss(seed, final),
        "seconds": round(_wall(stages), 1),
        "rounds": len(results),
        "promoted": len(promoted),
        "run_seed": run_seed,
        "run": run,
        "seed_model": seed_id,
        "final_model": final_id,
        "why": [r.why for r in results],
        "levels": _levels(seed, final),
        "audit": audits(store, run),
        "stage_seconds": _stage_seconds(stages),
    }


def mastered_loss(seed: Measured, final: Measured) -> float:
    """Largest loss of pass@1, in points, on a (domain, level) that the seed had mastered; 0 when none lost."""
    losses = [0.0]
    for key in sorted(set(seed.strata)):
        before, after = (mean(table, "pass@k", 1, {key}) for table in (seed, final))
        if before >= MASTERED and not np.isnan(after):
            losses.append(100 * (before - after))
    return max(losses)


def round_table(store: Store, at: At, before_id: str, after_id: str) -> list[Cells]:
    """Cells of the table of a round: its header, a row per domain and level, then per band of each domain and of all.

    Columns: domain, level or band, pass@1 before, pass@1 after with its interval, pass@k and maj@k before and after.
    """
    before, after = (_scores(store, at.run, model) for model in (before_id, after_id))
    k = max((key[4] for key in after if key[3] == "pass@k"), default=1)
    groups = list(dict.fromkeys(key[:3] for key in after))

    def both(group: tuple[str, int, str], metric: str) -> str:
        models = (after,) if before_id == after_id else (before, after)
        return " → ".join(_share(scores.get((*group, metric, k))) for scores in models)

    header = ["domain", "level", "pass@1 before", "pass@1 [95 %]", f"pass@{k}", f"maj@{k}"]
    return [header] + [
        [
            group[0].rsplit("/", 1)[-1],
            str(group[1]) if group[1] else group[2],
            _share(before.get((*group, "pass@k", 1))),
            _with_interval(after.get((*group, "pass@k", 1))),
            both(group, "pass@k"),
            both(group, "maj@k"),
        ]
        for group in groups
    ]


def show_round(store: Store, at: At) -> None:
    """Print a finished round: the table, what was kept and rejected and why, seconds per stage, the decision."""
    out = _console()
    for result in rows(store.read("rounds", at.run, [at.round]), RoundResult):
        after = result.challenger_id or result.incumbent_id
        if result.challenger_id:
            title = f"Round {at.round}: {result.incumbent_id} → {result.challenger_id}"
            out.print(_table(title, round_table(store, at, result.incumbent_id, after)))
        reasons = Counter(store.read("decisions", at.run, [at.round])["reason"].to_pylist())
        counts = f"{result.generated:,} attempts, {result.correct:,} correct, {result.kept:,} kept"
        out.print(f"{counts}: {_counts(reasons)}" if reasons else counts)
        for rate in audits(store, at.run, at.round):
            out.print(_audited(rate))
        out.print("seconds: " + _counts(_stage_seconds(list(manifest.committed(store.home, at.run, [at.round])))))
        style = "bold green" if result.promoted else "bold yellow"
        out.print(f"Round {at.round}: {result.why}", style=style, markup=False)  # it may quote attempts


def audits(store: Store, run: str, number: int | None = None) -> list[dict[str, Any]]:
    """The error rates of each verifier and round with their 95 % intervals: the rows of the view `audit`, all kinds."""
    rounds = None if number is None else [number]
    found = store.query("SELECT * EXCLUDE (run, kind) FROM audit WHERE kind = 'all'", run=run, rounds=rounds)
    return [dict(row) for row in found.to_pylist()]


def _audited(rate: dict[str, Any]) -> str:
    """`audit of symbolic: 0 of 280 wrongly accepted [0.0, 1.4 %], 1 of 120 wrongly refused [0.1, 4.6 %]`."""

    def part(error: str, of: str, said: str) -> str:
        low, high = (100 * rate[f"{error}_{end}"] for end in ("low", "high"))
        return f"{rate[f'{error}s']:,} of {rate[of]:,} wrongly {said} [{low:.1f}, {high:.1f} %]"

    accepted, refused = (
        part("false_accept", "must_refuse", "accepted"),
        part("false_reject", "must_accept", "refused"),
    )
    return f"audit of {rate['verifier']} {rate['version']}: {accepted}, {refused}"


def show_scores(store: Store, at: At, model_id: str) -> None:
    """Print the scores of one model of this run."""
    table = round_table(store, at, model_id, model_id)
    _console().print(_table(f"Model {model_id}", [[*cells[:2], *cells[3:]] for cells in table]))


def show(result: dict[str, Any], folder: Path) -> None:
    """Print the end of a run: the gain, and where to look next."""
    out = _console()
    low, high = result["interval"]
    k, (first, last) = list(result["pass_k"].items())[-1]
    rise = f"{100 * result['seed_pass1']:.1f} % → {100 * result['final_pass1']:.1f} %"
    out.print(
        f"\nMiddle and hard levels: pass@1 {rise}, {result['gain_points']:+.1f} points [{low:+.1f}, {high:+.1f}]; "
        f"pass@{k} {100 * first:.1f} % → {100 * last:.1f} %",
        style="bold",
    )
    out.print(f"largest loss on a mastered level: {result['mastered_loss_points']:.1f} points")
    out.print(f"{result['promoted']} of {result['rounds']} rounds promoted, {result['seconds']:.0f} s")
    out.print(f"summary: {folder / SUMMARY}")
    out.print('look further: flywheel status · flywheel models · flywheel sql "SELECT * FROM hardest_solved LIMIT 10"')


def overall(store: Store, run: str, model_id: str) -> str:
    """A model's scores over all levels, in words: `pass@1 39.6 % [36.1, 43.2], pass@16 72.8 % [...]`."""
    found = {key[3:]: score for key, score in _scores(store, run, model_id).items() if key[:3] == ("all", 0, "all")}
    ks = sorted(k for metric, k in found if metric == "pass@k")
    shown = [(k, _with_interval(found["pass@k", k]).replace(" [", " % [")) for k in dict.fromkeys(ks[:1] + ks[-1:])]
    return ", ".join(f"pass@{k} {text}" for k, text in shown)


def _first_measured(store: Store, run: str) -> str:
    models = store.read("eval_samples", run)["model_id"]
    return str(models[0].as_py()) if len(models) else ""


def _scores(store: Store, run: str, model_id: str) -> dict[ScoreKey, Score]:
    """The model's newest scores, in the order in which they were written."""
    found = [s for s in rows(store.read("scores", run), Score) if s.model_id == model_id]
    return {(s.domain, s.level, s.band, s.metric, s.k): s for s in found}


def _levels(seed: Measured, final: Measured) -> list[dict[str, Any]]:
    def row(key: Key) -> dict[str, Any]:
        pass1 = [mean(table, "pass@k", 1, {key}) for table in (seed, final)]
        return {"domain": key[0], "level": key[1], "band": band_of(*key), "pass1": pass1}

    return [row(key) for key in sorted(set(seed.strata))]


def _wall(stages: Sequence[manifest.Manifest]) -> float:
    starts = [m.created - m.meta.get("seconds", 0.0) for m in stages]
    return max((m.created for m in stages), default=0.0) - min(starts, default=0.0)


def _stage_seconds(stages: Sequence[manifest.Manifest]) -> dict[str, float]:
    """Seconds per kind of stage (`evaluate-<model>` is `evaluate`), and of engine starts within them."""
    seconds: Counter[str] = Counter()
    for m in sorted(stages, key=lambda m: m.created):
        kind = next((k for k in ("evaluate", "held-out") if m.stage.startswith(f"{k}-")), m.stage)
        seconds[kind] += m.meta.get("seconds", 0.0)
    seconds["of which engine start-up"] = sum(m.meta.get("startup_seconds", 0.0) for m in stages)
    return {kind: round(value, 1) for kind, value in seconds.items()}


def _table(title: str, cells: Sequence[Cells]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for i, name in enumerate(cells[0]):
        table.add_column(name, justify="left" if i < 2 else "right")
    for row in cells[1:]:
        table.add_row(*row, style="bold" if row[0] == "all" else None)
    return table


def _counts(counts: dict[str, Any] | Counter[str]) -> str:
    return " · ".join(f"{name} {value:,}" for name, value in counts.items())


def _share(score: Score | None) -> str:
    return "-" if score is None or np.isnan(score.value) else f"{100 * score.value:.1f}"


def _with_interval(score: Score | None) -> str:
    if score is None or np.isnan(score.value):
        return "-"
    return f"{100 * score.value:.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 140, highlight=False)
