"""The settings of a run: one frozen pydantic model, also the form in Prefect's UI, and the recipes that fill it.

A recipe is a TOML file in `flows/recipes/` (or a path) that states only what differs from the defaults.
Stage settings live in `tasks/settings.py`; no logic lives here.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import Field, ValidationError

from data.errors import UserError
from data.store import SETTINGS
from tasks.settings import (
    AuditSettings,
    BootstrapSettings,
    CurateSettings,
    DecontaminateSettings,
    DistillSettings,
    EngineSettings,
    EvaluateSettings,
    GateSettings,
    GenerateSettings,
    Settings,
    VerifySettings,
)

RECIPES = Path(__file__).parent / "recipes"
SEED_POLICY = "seed"


class FlywheelSettings(Settings):
    """Everything one run depends on."""

    recipe: str = Field("custom", description="name of the recipe these settings came from")
    model: str = Field(SEED_POLICY, description="first model: 'seed' (ships with the project), a folder, or a hub id")
    domains: list[str] = Field(["chain_sum", "equations", "programs"], description="generated domains (data/domains)")
    problem_files: list[str] = Field([], description="your own problems: JSONL, Parquet or a datasets folder")
    levels: int = Field(8, ge=1, le=12, description="highest level of the generated domains")
    rounds: int = Field(3, ge=0, description="rounds of generate, verify, curate, distill, evaluate, promote")
    run_seed: int = Field(0, ge=0, description="seed of every random choice of the run")
    engine: EngineSettings = Field(EngineSettings(), description="the program that writes completions")
    generate: GenerateSettings = Field(GenerateSettings(), description="how many problems a round tries, and how")
    verify: VerifySettings = Field(VerifySettings(), description="the verifier pool")
    audit: AuditSettings = Field(AuditSettings(), description="the error budget of the verifiers")
    decontaminate: DecontaminateSettings = Field(
        DecontaminateSettings(), description="what counts as a copy of a held-out problem"
    )
    curate: CurateSettings = Field(CurateSettings(), description="which attempts become training data")
    gate: GateSettings = Field(GateSettings(), description="the bounds of the quality gate")
    distill: DistillSettings = Field(DistillSettings(), description="how the model is trained")
    evaluate: EvaluateSettings = Field(EvaluateSettings(), description="the held-out measurement")
    bootstrap: BootstrapSettings = Field(BootstrapSettings(), description="the seed policy (flow `bootstrap` only)")


def recipe_path(recipe: str) -> Path:
    """The file of a recipe, by name or by path. Raises UserError that lists the known names."""
    for path in (RECIPES / f"{recipe}.toml", Path(recipe)):
        if path.is_file():
            return path
    names = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
    raise UserError(f"no recipe {recipe!r}: known are {names}, or give the path of a TOML file")


def merge(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`base` with `extra` over it, table by table; neither is changed."""
    nested = {k: merge(base.get(k) or {}, v) for k, v in extra.items() if isinstance(v, dict)}
    return {**base, **extra, **nested}


def parse_override(text: str) -> dict[str, Any]:
    """`generate.samples=8` as a nested table; the value is TOML, or else a plain word."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set {text!r} is not KEY=VALUE; write for example --set generate.samples=8")
    try:
        parsed: Any = tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        parsed = value
    for part in reversed(key.strip().split(".")):
        parsed = {part: parsed}
    return dict(parsed)


def validated(table: dict[str, Any], where: str) -> FlywheelSettings:
    """Settings from a table. Raises UserError that names the offending key."""
    try:
        return FlywheelSettings.model_validate(table)
    except ValidationError as e:
        first = e.errors()[0]
        key = ".".join(str(p) for p in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UserError(f"unknown key {key!r} in {where}: {_suggest(key)}") from None
        raise UserError(f"{where}: {key} = {first['input']!r} is not valid: {first['msg'].lower()}") from None


def _suggest(key: str) -> str:
    """What may stand where `key` stands."""
    model: Any = FlywheelSettings
    for part in key.split(".")[:-1]:
        model = model.model_fields[part].annotation
    return f"allowed are {', '.join(model.model_fields)}"


def load_settings(
    recipe: str,
    overrides: Sequence[str] = (),
    run_seed: int | None = None,
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> FlywheelSettings:
    """Settings of a recipe with changes over them: nested tables, `--set` overrides, a run seed. Raises UserError."""
    path = recipe_path(recipe)
    try:
        table = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as e:
        raise UserError(f"{path} is not TOML: {e}") from e
    table = {"recipe": path.stem, **table}
    for extra in (dict(changes), *map(parse_override, overrides)):
        table = merge(table, extra)
    if run_seed is not None:
        table["run_seed"] = run_seed
    return validated(table, str(path) if recipe == str(path) else f"recipe {path.stem!r}")


def existing(home: Path, run: str) -> FlywheelSettings:
    """The settings that a run began with. Raises UserError when there is no such run."""
    path = home / run / SETTINGS
    try:
        return validated(json.loads(path.read_bytes()), str(path))
    except OSError as e:
        known = ", ".join(sorted(p.parent.name for p in home.glob(f"*/{SETTINGS}"))) or "none"
        raise UserError(f"there is no run {run!r} in {home}: known are {known}") from e
