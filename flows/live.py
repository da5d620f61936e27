"""What Prefect's UI shows of a run while it works: artifacts, kept up to date by a thread of their own.

A run never waits for the server and never fails because of it: only the newest state of each artifact is kept, and what
could not be sent is sent when the server is back. Outside a flow run nothing is sent. Not here: what the artifacts of
a round and of a run say (`artifacts.py`).
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any, Literal
from uuid import UUID

from httpx import HTTPStatusError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.logs import LOG, context

EVERY_S = 5.0  # between two looks at what has changed
LAST_S = 30.0  # that the end of a run waits at most for the last of it to be sent
TIMEOUT_S = 10.0  # of one request


@dataclass(frozen=True, slots=True)
class Shown:
    """An artifact as it should look. `data`: percent, Markdown, rows as JSON, or the URL of a picture."""

    kind: Literal["progress", "markdown", "table", "image"]
    description: str
    data: str | float


Look = Callable[[], Shown | None]  # None: nothing to be seen yet


class Board:
    """The artifacts of one flow run: what they show is asked, and sent when it is new, in a thread of its own."""

    def __init__(self, flow_run_id: UUID) -> None:
        self._flow_run_id = flow_run_id
        self._lock, self._news, self._closing = Lock(), Event(), Event()
        self._looks: dict[str, tuple[Look, bool]] = {}
        self._sent: dict[str, tuple[UUID, Shown]] = {}
        self._thread = Thread(target=copy_context().run, args=(self._work,), name="artifacts", daemon=True)
        self._thread.start()

    def show(self, key: str, look: Look, *, again: bool = False) -> None:
        """Show what `look` says; `again`: ask it every few seconds until the key is shown otherwise or forgotten."""
        with self._lock:
            self._looks[key] = look, again
        if not again:
            self._news.set()

    def forget(self, key: str) -> None:
        """Ask no more; what was sent stays."""
        with self._lock:
            self._looks.pop(key, None)

    def close(self) -> None:
        """Send what is left, once; it may take `LAST_S` at most."""
        self._closing.set()
        self._news.set()
        self._thread.join(LAST_S)

    def _work(self) -> None:
        closing = away = False
        at_once = temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0})  # a server that is away may hold it no minute
        with at_once, get_client({"timeout": TIMEOUT_S}, sync_client=True) as client:
            while not closing:
                self._news.wait(EVERY_S)
                self._news.clear()
                closing = self._closing.is_set()
                try:
                    self._send_changes(client)
                    away = False
                except Exception as e:  # whatever it is, showing a run must not end it
                    if not away:
                        LOG.warning("Prefect's UI is not told how far the run is, which goes on: %s", e)
                    away = True

    def _send_changes(self, client: SyncPrefectClient) -> None:
        with self._lock:
            looks = dict(self._looks)
        for key, (look, again) in looks.items():
            if shown := self._seen(key, look):
                self._send(client, key, shown)
            with self._lock:
                if not again and self._looks.get(key) == (look, again):
                    del self._looks[key]

    def _seen(self, key: str, look: Look) -> Shown | None:
        try:
            return look()
        except Exception as e:  # such as a picture that cannot be drawn
            LOG.warning("%s is not shown in Prefect's UI: %s: %s", key, type(e).__name__, e)
            self.forget(key)
            return None

    def _send(self, client: SyncPrefectClient, key: str, shown: Shown) -> None:
        known, before = self._sent.get(key, (None, None))
        if shown == before:
            return
        if known is None:
            known = client.create_artifact(
                ArtifactCreate(
                    type=shown.kind,
                    key=key,
                    description=shown.description,
                    data=shown.data,
                    flow_run_id=self._flow_run_id,
                )
            ).id
        else:
            change: dict[str, Any] = {"description": shown.description, "data": shown.data}
            try:  # not `update_artifact`, which would put every picture into an event as well
                client.request("PATCH", "/artifacts/{id}", json=change, path_params={"id": known})
            except HTTPStatusError as e:
                if e.response.status_code == 404:  # somebody deleted it: it is made again
                    del self._sent[key]
                raise
        self._sent[key] = known, shown


_current: ContextVar[Board | None] = ContextVar("board", default=None)


@contextmanager
def board() -> Iterator[Board | None]:
    """The board of the flow run that somebody started, shared by the flows within it; None outside a flow run."""
    started = FlowRunContext.get()
    if (known := _current.get()) or started is None or started.flow_run is None:
        yield known
        return
    mine = Board(started.flow_run.id)
    before = _current.set(mine)
    try:
        with context(flow_run_id=str(started.flow_run.id)):  # there Prefect shows what is logged, also within rounds
            yield mine
    finally:
        _current.reset(before)
        mine.close()


def key(*parts: str | int) -> str:
    """Lower case letters, digits and dashes, as Prefect wants it."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(map(str, parts)).lower()).strip("-")
