"""Is this machine fit for a run? One finding per check: environment, device, verifiers, ledger, disk.

A check changes nothing. What it finds may be mended by calling what it brings for that. Not here: what needs Prefect
or a free device (`flows/mending.py`), and how findings are shown (`flows/show.py`).
"""

import importlib.machinery
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from data import integrity, registry, store
from data.errors import UserError
from data.repair import repair
from tasks import _device_checks
from tasks._findings import Finding

LOW_DISK_GIB = 5.0
IMPORT_SECONDS = 120
NAMES = ("flows", "tasks", "verifiers", "data")


def examine(quick: bool = False) -> Iterator[Finding]:
    """All checks, cheap ones first, each yielded when it is done. `quick` leaves out imports and verifiers."""
    yield python()
    yield from packages()
    yield names()
    yield prefect()
    yield disk(store.home())
    yield ledger(store.home())
    yield _device_checks.orphans()
    yield from _device_checks.gpu_memory()
    if not quick:
        yield torch()
        yield from verifiers()


def python() -> Finding:
    """The interpreter."""
    fits = sys.version_info >= (3, 11)
    return Finding("python", "ok" if fits else "failed", f"{sys.version.split()[0]} at {sys.executable}")


def packages() -> Iterator[Finding]:
    """Installed versions against what the project declares (the reasons are in pyproject.toml)."""
    try:
        declared = [Requirement(text) for text in importlib.metadata.requires("flywheel") or []]
    except importlib.metadata.PackageNotFoundError:
        yield Finding("packages", "warning", "the project is not installed here, so its versions cannot be checked")
        return
    wrong = []
    needed = [r for r in declared if not r.marker or r.marker.evaluate({"extra": ""})]
    for need in needed:
        found = _version(need.name)
        if found is None or not need.specifier.contains(found, prereleases=True):
            wrong.append(f"{need} is needed, {found or 'none'} is installed")
    if wrong:
        yield Finding("packages", "failed", "; ".join(wrong) + ": run `make setup`")
    else:
        yield Finding("packages", "ok", f"{len(needed)} requirements hold")
    if _version("torchvision") and "+cpu" in (_version("torch") or ""):
        text = "torchvision beside a CPU torch breaks every import of transformers: uninstall torchvision"
        yield Finding("torchvision", "failed", text)


def names() -> Finding:
    """Our package names must not be taken by an installed library."""
    root = Path(__file__).parents[1]
    specs = {name: importlib.util.find_spec(name) for name in NAMES}
    taken = [f"{n} is {s.origin if s else 'missing'}" for n, s in specs.items() if not _inside(s, root)]
    if taken:
        return Finding("names", "failed", f"{'; '.join(taken)}, not in {root}: uninstall what brought it")
    return Finding("names", "ok", f"{', '.join(NAMES)} are in {root}")


def prefect() -> Finding:
    """Where Prefect keeps its state."""
    version = _version("prefect")
    if version is None:
        return Finding("prefect", "failed", "not installed: run `make setup`")
    place = os.environ.get("PREFECT_API_URL") or os.environ.get("PREFECT_HOME") or store.home() / "prefect"
    return Finding("prefect", "ok", f"{version}, state in {place}, sqlalchemy {_version('sqlalchemy')}")


def disk(home: Path) -> Finding:
    """Room and right to write where the artefacts go."""
    folder = next(p for p in (home, *home.parents) if p.exists())
    free = shutil.disk_usage(folder).free / 2**30
    if not os.access(folder, os.W_OK):
        return Finding("disk", "failed", f"{folder} cannot be written: point FLYWHEEL_HOME elsewhere")
    if free < LOW_DISK_GIB:
        return Finding("disk", "warning", f"only {free:.1f} GiB are free in {home}: free some, or move FLYWHEEL_HOME")
    return Finding("disk", "ok", f"{free:.0f} GiB free in {home}")


def ledger(home: Path) -> Finding:
    """The quick form of `flywheel verify-store`: every manifest is sound, every part there with its size."""
    found = integrity.examine(home, quick=True)
    if found.faults:
        more = f" (and {len(found.faults) - 1} more: `flywheel verify-store`)" if len(found.faults) > 1 else ""
        return Finding("ledger", "failed", found.faults[0].text + more, lambda: _repair(home))
    counts = f"{found.runs} runs, {found.stages} stages, {found.parts} parts, {found.rows:,} rows"
    return Finding("ledger", "ok", f"{counts}, all there")


def torch() -> Finding:
    """torch imports, and on which device it would work."""
    code = (
        "import torch; c = torch.cuda.is_available(); "
        "print(torch.__version__, torch.cuda.get_device_name(0) if c else f'CPU, {torch.get_num_threads()} threads')"
    )
    return _import("torch", code, "run `make setup`, with pip pointed to a build of torch that fits this machine")


def verifiers() -> Iterator[Finding]:
    """Each verifier judges its own examples in a worker process; its isolation is what the verdicts prove."""
    from verifiers._pool import Pool

    for name in registry.known("verifiers"):
        examples = registry.load("verifiers", name).EXAMPLES
        try:
            with Pool(1, 10.0) as pool:
                judged = list(pool.judge((str(i), problem, text) for i, (problem, text, _) in enumerate(examples)))
        except UserError as e:  # no sandbox here, for instance
            yield Finding(name, "failed", str(e))
            continue
        wrong = [
            f"example {i} is {j.verdict.outcome} ({j.verdict.reason}), not {expected}"
            for i, (j, (_, _, expected)) in enumerate(zip(judged, examples, strict=True))
            if j.verdict.outcome != expected
        ]
        proven = {j.verdict.isolation for j in judged} - {""}
        if wrong:
            yield Finding(name, "failed", "; ".join(wrong[:3]))
        else:
            yield Finding(name, "ok", f"{len(judged)} examples; isolation: {' / '.join(sorted(proven)) or 'process'}")


def _repair(home: Path) -> str:
    done = repair(home)
    if done.left:
        raise UserError("; ".join(done.left))
    again = sorted({run for run, _, _ in done.again})
    do = f"; do again what is missing with `flywheel run … --resume --name {again[0]}`" if again else ""
    return f"{len(done.moved)} files were set aside in {done.folder}{do}"


def _import(name: str, code: str, remedy: str) -> Finding:
    """Run `code` in a fresh process: what a library breaks or leaves behind stays there."""
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=IMPORT_SECONDS)
    except subprocess.TimeoutExpired:
        return Finding(name, "failed", f"the import took more than {IMPORT_SECONDS} s")
    if done.returncode == 0:
        return Finding(name, "ok", done.stdout.strip().splitlines()[-1])
    last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    return Finding(name, "failed", f"{last[0][:200]}: {remedy}")


def _inside(spec: importlib.machinery.ModuleSpec | None, root: Path) -> bool:
    return bool(spec and spec.origin and Path(spec.origin).resolve().is_relative_to(root.resolve()))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
