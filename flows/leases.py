"""What is taken in Prefect although nobody uses it, so that a run does not wait for nobody.

Slots without a lease: the server takes a slot first and then writes the lease that would free it; killed in between,
the slot stays taken for good. Leases that nobody knows: who asked was killed before the answer came, or asked again
because it came late. Only for a server of this home, whose leases are files here. Not here: who has the device
(`flows/device.py`), and leases that have ended, which the server frees by itself.
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.server.concurrency.lease_storage import ConcurrencyLimitLeaseMetadata
    from prefect.server.utilities.leasing import ResourceLease

    Lease = ResourceLease[ConcurrencyLimitLeaseMetadata]

SETTLED_S = 10.0  # a slot that was just taken may not have its lease yet
MOST = 200  # limits, and leases


def free(client: "SyncPrefectClient", settled: float = SETTLED_S) -> list[str]:
    """Free what has been taken without a lease for `settled` s; a sentence for each limit. Raises httpx.HTTPError."""
    taken = [limit for limit in client.read_global_concurrency_limits(MOST) if limit.active_slots]
    held = Counter[UUID]()
    for lease in asyncio.run(_leases()) if taken else []:
        held.update(dict.fromkeys(lease.resource_ids, lease.metadata.slots if lease.metadata else 1))
    told = []
    for limit in taken:
        age = (datetime.now(UTC) - limit.updated).total_seconds() if limit.updated else settled
        if age >= settled and limit.active_slots > held[limit.id]:
            client.update_global_concurrency_limit(
                limit.name, GlobalConcurrencyLimitUpdate(active_slots=held[limit.id])
            )
            told.append(f"{limit.active_slots - held[limit.id]} of {limit.name} was taken by nobody and is free")
    return told


def held_by(flow_run: UUID, limit: UUID) -> list[UUID]:
    """Leases of a limit that a flow run holds."""
    found = [(lease, lease.metadata.holder) for lease in of(limit) if lease.metadata]
    return [lease.id for lease, who in found if who and who.type == "flow_run" and who.id == flow_run]


def of(limit: UUID) -> "list[Lease]":
    """Leases of a limit, also one that has ended and that the server is about to free."""
    return [lease for lease in asyncio.run(_leases()) if limit in lease.resource_ids]


async def _leases() -> "list[Lease]":
    from prefect.server.concurrency.lease_storage.filesystem import ConcurrencyLeaseStorage  # imports the whole server

    storage = ConcurrencyLeaseStorage()
    listed = {*await storage.read_active_lease_ids(MOST), *await storage.read_expired_lease_ids(MOST)}
    there = {UUID(path.stem) for path in storage.storage_path.glob("*-*.json")}
    found = [lease for lease_id in listed | there if (lease := await storage.read_lease(lease_id))]
    # The server loses entries of its list when it writes two at once. It never frees what is not listed, so that
    # counts until it ends.
    return [lease for lease in found if lease.id in listed or lease.expiration > datetime.now(UTC)]
