"""A part: one Parquet file of one relation. Its pages carry checksums, and it notes which stage wrote it.

Not here: where parts lie (`store.py`), and which of them are committed (`manifest.py`).
"""

from collections.abc import Iterable
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from data import duck, manifest, migrations, schemas
from data.ids import content_id
from data.manifest import LedgerError, Part

_BATCH = 10_000  # rows that are decoded at a time
_UNREADABLE = (OSError, pa.ArrowException, ValueError)


def write(path: Path, tables: Iterable[pa.Table], record: type, stage: str, fingerprint: str, spent: float) -> str:
    """Write a part, whole or not at all; returns its checksum. `spent`: seconds of work so far. Raises LedgerError."""
    with manifest.atomic(path) as f:
        file = _Digested(f)
        with pq.ParquetWriter(file, schemas.schema(record), compression="zstd", write_page_checksum=True) as writer:
            for table in tables:
                writer.write_table(table)
            noted = {
                "stage": stage,
                "fingerprint": fingerprint,
                "schema": migrations.version(),
                "spent": f"{spent:.3f}",
            }
            writer.add_key_value_metadata({f"flywheel.{k}": str(v) for k, v in noted.items()})
    return file.digest.hexdigest()


def notes(path: Path) -> dict[str, str]:
    """What a part says of itself: stage, fingerprint, schema, spent; older ones lack some. Raises LedgerError."""
    try:
        found = pq.read_metadata(path).metadata or {}
    except _UNREADABLE as e:
        raise uncommitted(path, e) from e
    return {k.decode().removeprefix("flywheel."): v.decode() for k, v in found.items() if k.startswith(b"flywheel.")}


def schema_version(path: Path) -> int:
    """The version of the schema that a part was written by."""
    return int(notes(path).get("schema", 1))


def read(path: Path, relation: str, version: int) -> pa.Table:
    """The rows of a part, as this schema has them. Raises ValueError, OSError or ArrowException for a damaged one."""
    table = pq.read_table(path, partitioning=None, page_checksum_verification=True)
    upgraded = migrations.upgraded(relation, version, "FROM part")
    if upgraded != "FROM part":
        with duck.scratch({"part": table}) as con:
            table = con.sql(upgraded).to_arrow_table()
    return schemas.conform(table, schemas.RELATIONS[relation])


def read_uncommitted(path: Path, relation: str) -> pa.Table:
    """The rows of a part that no manifest names yet. Raises LedgerError."""
    try:
        return read(path, relation, schema_version(path))
    except _UNREADABLE as e:
        raise uncommitted(path, e) from e


def described(home: Path, path: Path, checksum: str | None) -> Part:
    """What a manifest says of a part. Without a `checksum`, as of an earlier try, its pages are checked first."""
    if checksum is None:
        if why := damage(path):
            raise uncommitted(path, ValueError(why))
        checksum = checksum_of(path)
    found = pq.ParquetFile(path)
    return Part(
        relation=path.parts[-4],
        path=str(path.relative_to(home)),
        rows=found.metadata.num_rows,
        bytes=path.stat().st_size,
        schema=schema_version(path),
        columns=content_id(found.schema_arrow.names),
        sha256=checksum,
    )


def checksum_of(path: Path) -> str:
    """sha256 of a file, in hexadecimal. Raises OSError."""
    with path.open("rb") as f:
        return file_digest(f, "sha256").hexdigest()


def damage(path: Path) -> str:
    """Why a part cannot be read to its end; empty when it can. Older parts have no checksums: wrong bytes may pass."""
    try:
        for _ in pq.ParquetFile(path, page_checksum_verification=True).iter_batches(_BATCH):
            pass
    except _UNREADABLE as e:
        return one_line(e)
    return ""


def uncommitted(path: Path, why: Exception) -> LedgerError:
    """The error of a part that no manifest names yet."""
    return LedgerError(
        f"the part {path} of an unfinished stage is damaged ({one_line(why)}): `flywheel verify-store --repair` sets "
        "it aside, then resume the run, which writes it again"
    )


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())


class _Digested:
    """A file to write, as arrow wants it, that computes the checksum of what goes through."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def tell(self) -> int:
        return self._file.tell()
