"""Is the ledger as it was committed? Every manifest, every part, what no manifest names, what is published, the models.

    report = examine(home)              # everything, checksums too: reads each part once
    report = examine(home, quick=True)  # manifests, and that each part is there with its size

Only looks: nothing is written, so it may run beside anything. Setting things right is in `repair.py`.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import pyarrow as pa
import pyarrow.parquet as pq

from data import duck, locks, manifest, migrations, parts, schemas, strays
from data.errors import UserError
from data.ids import content_id
from data.manifest import LedgerError, Manifest, Part
from data.progress import Progress, silent
from data.strays import Flaw
from data.weights import REMOVED, weights_id

MEND = "restore it from a copy, or let `flywheel verify-store --repair`"
_THREADS = 4

Found = dict[Path, Manifest]  # by the path of the manifest


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and what was found. `bytes`: of the committed parts."""

    runs: int
    stages: int
    parts: int
    rows: int
    bytes: int
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def faults(self) -> list[Flaw]:
        """What is wrong, without what is only worth knowing."""
        return [f for f in self.flaws if not f.note]


def examine(
    home: Path,
    *,
    quick: bool = False,
    unfinished: bool = False,
    idle: Collection[str] = (),
    progress: Progress = silent,
) -> Report:
    """All that is not as it should be. `unfinished`: parts that a resumed run would use count as strays too.

    `idle`: runs that the caller has locked, so that nobody writes them.
    """
    lying = [] if quick else strays.walk(home)  # before the manifests are read: what is committed since is named there
    busy = busy_runs(home, lying, idle)
    found, flaws = manifests(home)
    claims = [(path, m, p) for path, m in found.items() for p in m.parts]
    intruders, doubled = _claimed_twice(home, claims)
    flaws += doubled
    claims = [c for c in claims if (c[0], c[2].path) not in intruders]
    damaged: set[str] = set()
    check = _size if quick else _content
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        for n, (claim, why) in enumerate(zip(claims, pool.map(lambda c: check(home, c[1], c[2]), claims), strict=True)):
            if why:
                damaged.add(claim[2].path)
                flaws.append(_damaged(home, *claim, why))
            progress(n + 1, len(claims), "parts")
    if not quick:
        named = {p.path for m in found.values() for p in m.parts}
        lost = {run for f in flaws if f.kind == "manifest" and (run := strays.run_of(PurePath(f.path)))}
        flaws += strays.examine(home, [f for f in lying if str(f) not in named], found, busy, unfinished, lost)
        flaws += _published(home, found)
        flaws += _models(home, found, damaged)
        flaws += _unsealed(found)
    sizes = [(p.rows, p.bytes) for m in found.values() for p in m.parts]
    rows, size = sum(r for r, _ in sizes), sum(b for _, b in sizes)
    return Report(len({m.run for m in found.values()}), len(found), len(sizes), rows, size, flaws)


def busy_runs(home: Path, files: Iterable[PurePath], idle: Collection[str] = ()) -> set[str]:
    """The runs of these files that somebody is at work on at this moment; not those that the caller has locked."""
    runs = {run for f in files if (run := strays.run_of(f))} - {*idle}
    return {run for run in runs if any(map(locks.busy, manifest.locks_of(home, run)))}


def manifests(home: Path) -> tuple[Found, list[Flaw]]:
    """Every manifest that is as it was committed, and a flaw for every other."""
    found: Found = {}
    flaws = []
    try:
        migrations.noted(home)
    except UserError as e:
        flaws.append(Flaw("schema", migrations.NOTED, str(e)))
    for path in manifest.paths(home):
        try:
            if m := manifest.read(path):
                found[path] = m
        except LedgerError as e:
            name = str(path.relative_to(home))
            flaws.append(Flaw("manifest", name, str(e), moves=(name,)))
    return found, flaws


def _claimed_twice(home: Path, claims: list[tuple[Path, Manifest, Part]]) -> tuple[set[tuple[Path, str]], list[Flaw]]:
    """Claims of parts by manifests whose stage did not write them, where another manifest names them too."""
    by_part: dict[str, list[tuple[Path, Manifest]]] = {}
    for path, m, part in claims:
        by_part.setdefault(part.path, []).append((path, m))
    intruders, flaws = set(), {}
    for name, both in by_part.items():
        for path, m in both if len(both) > 1 else ():
            others = [str(p.relative_to(home)) for p, _ in both if p != path]
            if others and PurePath(name).name.startswith(manifest.prefix(m.run, m.round, m.stage, m.fingerprint)):
                continue  # its owner
            intruders.add((path, name))
            where = str(path.relative_to(home))
            text = (
                f"the manifest {path} names the part {name}, which {' and '.join(others) or 'it'} names as well: "
                f"{MEND} set it aside and resume run {m.run}, which does stage {m.stage} again"
            )
            flaws[path] = Flaw("claimed twice", where, text, moves=(where,))
    return intruders, list(flaws.values())


def _size(home: Path, m: Manifest, part: Part) -> str:
    try:
        size = (home / part.path).stat().st_size
    except OSError as e:
        return e.strerror or str(e)
    return "" if size == part.bytes else f"{size} bytes, {part.bytes} were committed"


def _content(home: Path, m: Manifest, part: Part) -> str:
    """Why a part is not what was committed; empty when it is."""
    path = home / part.path
    if PurePath(part.path).parts[:-1] != ("lake", part.relation, f"run={m.run}", f"round={m.round}"):
        return "it lies where this stage writes nothing"
    if why := _size(home, m, part):
        return why
    try:
        if part.sha256 and parts.checksum_of(path) != part.sha256:
            return "its checksum is another"
        if not part.sha256 and (why := parts.damage(path)):
            return why
        with pq.ParquetFile(path) as file:
            rows, schema = file.metadata.num_rows, file.schema_arrow
        if rows != part.rows:
            return f"{rows} rows, {part.rows} were committed"
        if part.columns and content_id(schema.names) != part.columns:
            return "it has other columns"
        if part.relation not in schemas.RELATIONS:
            return "this version has no such relation"
        if part.schema == migrations.version():
            schemas.conform(schema.empty_table(), schemas.RELATIONS[part.relation])
    except (OSError, pa.ArrowException, ValueError) as e:
        return parts.one_line(e)
    return ""


def _damaged(home: Path, path: Path, m: Manifest, part: Part, why: str) -> Flaw:
    where = str(path.relative_to(home))
    inside = PurePath(part.path).parts[:1] == ("lake",) and ".." not in part.path
    text = (
        f"the part {home / part.path} of stage {m.stage} of run {m.run}, round {m.round} is damaged ({why}): {MEND} "
        "set it and the stage's manifest aside and resume the run, which writes it again"
    )
    # The part goes first: without its manifest a wrong byte in it could pass for unfinished work.
    return Flaw("part", part.path, text, moves=(part.path, where) if inside else (where,))


def _unsealed(found: Mapping[Path, Manifest]) -> Iterator[Flaw]:
    if old := [path for path, m in found.items() if not m.checksum]:
        text = f"{len(old)} manifests, such as {old[0]}, are of a version without checksums: a changed value would pass"
        yield Flaw("old", "manifests", text, note=True)


def _published(home: Path, found: Found) -> Iterator[Flaw]:
    """The published database opens, and every part that it names is there."""
    database = home / "flywheel.duckdb"
    if not database.exists():
        if found:
            text = f"nothing is published in {home} yet: the next round that ends does, and so does --repair"
            yield Flaw("published", database.name, text, note=True)
        return
    try:
        names = duck.sql(home, "SELECT view_name FROM duckdb_views() WHERE NOT internal")["view_name"].to_pylist()
        counts = [f"SELECT count(*) FROM {n}" for n in names if n in schemas.RELATIONS]
        if counts:
            duck.sql(home, " UNION ALL ".join(counts))
    except UserError as e:
        why = str(e.__cause__ or e).splitlines()[0]
        text = f"{database} cannot be asked ({why}): `flywheel verify-store --repair` publishes it anew"
        yield Flaw("published", database.name, text)


def _models(home: Path, found: Found, damaged: set[str]) -> Iterator[Flaw]:
    """The folders of the models in the ledger hold the weights that they were entered with."""
    seen = set()
    for m in found.values():
        for part in m.parts:
            if part.relation != "models" or part.path in damaged:
                continue
            table = parts.read(home / part.path, part.relation, part.schema)
            for model_id, path in zip(table["id"].to_pylist(), table["path"].to_pylist(), strict=True):
                if path and (model_id, path) not in seen:
                    seen.add((model_id, path))
                    yield from _model(home, m, model_id, Path(path))


def _model(home: Path, m: Manifest, model_id: str, path: Path) -> Iterator[Flaw]:
    folder, own = home / path, home / m.run / "models" / path.name  # the latter: in a home that was moved
    if not folder.is_dir() and own.is_dir():
        folder = own
    ours = folder.is_relative_to(home) or path.parts[-3:-1] == (m.run, "models")
    try:
        if (folder / REMOVED).exists():
            return
        why = "it holds other weights" if weights_id(folder) != model_id else ""
    except (UserError, OSError):
        why = "it holds no weights" if folder.is_dir() else "it is gone"
    if why:
        mend = "restore it from a copy" + (f", or delete it and the manifest of {m.stage} and resume" if ours else "")
        text = f"the folder {folder} is not model {model_id} of run {m.run}, round {m.round} ({why}): {mend}"
        yield Flaw("model", str(path), text, note=not ours)
