"""The one slot of the device: generation and training take turns on it, also those of different runs.

Prefect keeps the slot (a global concurrency limit of one, `gpu`), so it is seen in its UI and holds for every home and
machine of one server. Its lease is renewed from here for as long as the block takes: Prefect's own `concurrency` stops
renewing for good when the server is away for some seconds, and then a second run is let in. Among the runs of one home
a lock makes it exact, whatever the server does (`flows/_turns.py`).

- The holder is killed: the lock is free at once. Who gets it next gives the lease back, also one that the holder never
  heard of, or else `flywheel up` does. Without either the lease ends after `LEASE_S`, and Prefect frees the slot.
- The server is killed or starts anew: the holder works on and renews when there is a server again. One that was away
  for longer than the lease frees the slot; the holder takes it again, unless a run of another home was faster.
- A second machine, or a second GPU that is to have runs of its own: another name in FLYWHEEL_DEVICE (and the GPU in
  CUDA_VISIBLE_DEVICES). A run with several GPUs holds one slot for all of them.

Not here: who needs the device (`tasks/serving.py`).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from dataclasses import replace
from threading import Event, Thread
from uuid import UUID

from httpx import HTTPError, HTTPStatusError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, PREFECT_HOME

from data.store import home
from flows import _turns, leases, temporary
from flows._turns import Holder, Teller
from flows.logs import LOG
from flows.terminal import say

LEASE_S = 60.0  # the shortest that Prefect takes
RENEW_S = 15.0
ASK_S = 2.0
PATIENCE_S = 300.0  # with a server that does not answer
REFUSED = (422, 423)  # no slot is left; there is none at all, because somebody has set the limit to 0


@contextmanager
def slot() -> Iterator[None]:
    """Nobody else generates or trains on the device until the block ends. Says so while it waits.

    Raises httpx.HTTPError when Prefect's server is away for longer than `PATIENCE_S`.
    """
    with _turns.turn() as left:
        lease = _Lease(Holder(flow_run.name or "", os.getpid(), time.time(), flow_run=flow_run.id or ""), left)
        try:
            LOG.info("the device %s is taken", _turns.name())
            yield
        finally:
            LOG.info("the device %s is given back", _turns.name())
            lease.end()


def make(client: SyncPrefectClient) -> None:
    """Make the limit where it is missing; one that a person has changed stays as it is."""
    name = _turns.name()
    try:
        client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        with suppress(ObjectAlreadyExists):  # another was faster
            client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))


def free_left(client: SyncPrefectClient) -> bool:
    """Give back what a killed holder has left taken in Prefect; False when there is none."""
    with _turns.abandoned() as left:
        if left:
            _give_back(client, left)
            _turns.forget()
        return left is not None


def empty(client: SyncPrefectClient) -> None:
    """Free what is taken without a lease. Only where nobody can have the slot."""
    client.update_global_concurrency_limit(_turns.name(), GlobalConcurrencyLimitUpdate(active_slots=0))


def connect() -> SyncPrefectClient:
    """A client of its own. The one that a flow shares waits a minute for a server that is away; this one raises."""
    client: SyncPrefectClient = Context().run(get_client, sync_client=True)
    return client


class _Lease:
    """Prefect's slot: waited for, kept by a thread, and given back by `end`."""

    def __init__(self, who: Holder, left: Holder | None) -> None:
        """`left`: whose slot is given back first."""
        self._by = ConcurrencyLeaseHolder(type="flow_run", id=UUID(who.flow_run)) if who.flow_run else None
        self._who = who
        self._ended = Event()
        try:
            self._id = self._wait(left)
        except BaseException:
            _turns.forget()
            raise
        self._thread = Thread(target=copy_context().run, args=[self._keep], name="device-lease", daemon=True)
        self._thread.start()

    def _wait(self, left: Holder | None) -> UUID:
        """A lease, as soon as there is one to have."""
        tell, answered = Teller(), time.monotonic()
        while True:
            try:
                with connect() as client:
                    make(client)
                    if left:
                        _give_back(client, left)
                    left = None
                    _turns.note(self._who)
                    if lease := self._take(client):
                        return lease
                    if _alone():
                        empty(client)
                    elif _give_back_lost(client, self._who):
                        continue
                answered = time.monotonic()
                tell(f"a run of another home or machine has the limit {_turns.name()} of Prefect")
            except HTTPError as e:
                hopeless = isinstance(e, HTTPStatusError) and e.response.status_code < 500
                if hopeless or time.monotonic() - answered > PATIENCE_S:
                    raise
                tell(_away(e))
            time.sleep(ASK_S)

    def _take(self, client: SyncPrefectClient) -> UUID | None:
        """A lease, noted; None when there is no slot left."""
        name = _turns.name()
        try:
            answer = client.increment_concurrency_slots_with_lease([name], 1, "concurrency", LEASE_S, self._by)
        except HTTPStatusError as e:
            if e.response.status_code in REFUSED:
                return None
            raise
        found = answer.json()
        if not found["limits"]:  # somebody has just deleted it
            return None
        _turns.note(replace(self._who, lease=found["lease_id"]))
        return UUID(found["lease_id"])

    def _keep(self) -> None:
        """Renew the lease; take another when it has ended while the server was away."""
        told = False
        while not self._ended.wait(RENEW_S):
            try:
                with connect() as client:
                    if not _renewed(client, self._id):
                        self._id = self._take(client) or self._id
                told = False
            except (HTTPError, RuntimeError) as e:
                if not told:
                    say(f"The slot of the device is not renewed, the run goes on: {_away(e)}")
                told = True

    def end(self) -> None:
        """Give it back. A server that is away is told by whoever has the device next: the note stays."""
        self._ended.set()
        self._thread.join(ASK_S)
        try:
            with connect() as client:
                client.release_concurrency_slots_with_lease(self._id)
        except (HTTPError, RuntimeError) as e:
            say(f"Prefect frees the slot of the device when its lease has ended: {_away(e)}")
            return
        _turns.forget()


def _give_back(client: SyncPrefectClient, left: Holder) -> None:
    """Free what a killed holder has left taken."""
    if left.lease:
        client.release_concurrency_slots_with_lease(UUID(left.lease))
    else:
        _give_back_lost(client, left)


def _give_back_lost(client: SyncPrefectClient, who: Holder) -> bool:
    """Give back leases that this holder asked for and whose answers it never got; whether there was one."""
    found: list[UUID] = []
    with suppress(ObjectNotFound):  # somebody has just deleted the limit
        limit = client.read_global_concurrency_limit_by_name(_turns.name()).id
        found = leases.held_by(UUID(who.flow_run), limit) if who.flow_run else []
    for lease in found:
        client.release_concurrency_slots_with_lease(lease)
    return bool(found)


def _alone() -> bool:
    """Whether only runs of this home ask this server, one that lives for a run and ends no leases."""
    return (temporary.ours() or not PREFECT_API_URL.value()) and PREFECT_HOME.value() == home() / "prefect"


def _renewed(client: SyncPrefectClient, lease: UUID) -> bool:
    """False: the lease has ended, so the slot may be another's."""
    try:
        client.renew_concurrency_lease(lease, LEASE_S)
    except HTTPStatusError as e:
        if e.response.status_code == 410:
            return False
        raise
    return True


def _away(error: Exception) -> str:
    return f"Prefect's server does not answer ({type(error).__name__})"
