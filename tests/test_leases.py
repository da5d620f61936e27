"""Whose slots are whose, read from the files of Prefect's server, also where its own list of them is incomplete."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.server.concurrency.lease_storage import ConcurrencyLimitLeaseMetadata
from prefect.server.concurrency.lease_storage.filesystem import ConcurrencyLeaseStorage
from prefect.settings import PREFECT_HOME, temporary_settings
from prefect.types._concurrency import ConcurrencyLeaseHolder

from flows import leases


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[ConcurrencyLeaseStorage]:
    with temporary_settings({PREFECT_HOME: tmp_path}):
        yield ConcurrencyLeaseStorage()


def take(storage: ConcurrencyLeaseStorage, limit: UUID, run: UUID, seconds: float = 60) -> UUID:
    held = ConcurrencyLimitLeaseMetadata(slots=1, holder=ConcurrencyLeaseHolder(type="flow_run", id=run))
    return asyncio.run(storage.create_lease([limit], timedelta(seconds=seconds), held)).id


def test_those_of_a_limit_and_of_a_run(storage: ConcurrencyLeaseStorage) -> None:
    limit, run = uuid4(), uuid4()
    assert leases.of(limit) == []
    mine, other = take(storage, limit, run), take(storage, limit, uuid4())
    take(storage, uuid4(), run)
    assert {lease.id for lease in leases.of(limit)} == {mine, other}
    assert leases.held_by(run, limit) == [mine]


def test_one_that_has_ended_counts_until_the_server_has_freed_it(storage: ConcurrencyLeaseStorage) -> None:
    limit = uuid4()
    ended = take(storage, limit, uuid4(), -1)
    assert [lease.id for lease in leases.of(limit)] == [ended]
    asyncio.run(storage.revoke_lease(ended))
    assert leases.of(limit) == []


def test_one_that_is_not_listed_counts_until_it_ends(storage: ConcurrencyLeaseStorage) -> None:
    """The server lists leases in one file; of three that it writes at once, two are not in it."""
    limit = uuid4()
    alive, _ended = take(storage, limit, uuid4()), take(storage, limit, uuid4(), -1)
    (storage.storage_path / "expirations.json").write_text("{}")
    assert [lease.id for lease in leases.of(limit)] == [alive]
