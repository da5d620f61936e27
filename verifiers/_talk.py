"""The judge's conversation with one program, who may say anything: question, answer, bounds of size and time."""

import contextlib
import json
import secrets
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from verifiers._plain import MAX_BYTES, decode

IDLE_S = 1.5  # seconds that a program may sleep in all
End = Literal["answered", "not_loaded", "misbehaved", "died", "cpu", "idle", "wall", "fault"]
_SLICE_S = 0.05  # between two looks at a program that is waited for
_FRAME = 2 * MAX_BYTES + 1000  # bytes of one reply: an encoded value quoted once more
_BYTE_S = 4e-8  # seconds to receive, parse and decode one byte of it, at the worst
_DROP = 1024  # bytes: who sends less at a time, often, is wasting the judge's


@dataclass(frozen=True, slots=True)
class Reply:
    """One call's result: a plain value, or the name of the exception."""

    value: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program did. `replies` are those of the first calls, `output` what it wrote; `end` says why it is over.

    answered: all calls, or up to the first error or unwanted value; a whole program: ended with exit code 0;
    not_loaded: its code raised, or `entry` is no function; misbehaved: it broke the protocol; died: it ended its
    process, or with another exit code; cpu: it hit that limit; idle: it slept (not: waited for a core or a disk) for
    IDLE_S; wall: our time was over, by its fault or the machine's; fault: ours, or it was killed from outside.
    """

    end: End
    detail: str = ""
    replies: list[Reply] = field(default_factory=list)
    output: bytes = b""
    seconds: float = 0.0
    cpu: float = 0.0


Accept = Callable[[int, Any], bool]  # of a call, counted from 0, and its value: go on?


class Ended(Exception):
    """The conversation is over: why, and in more words."""

    def __init__(self, end: End, detail: str = "") -> None:
        super().__init__(end, detail)
        self.end: End = end
        self.detail = detail


class Patience:
    """How long one program is waited for in all, the judge's work on its answers included. A judge that was itself held
    up blames nobody: no single wait counts for more than a slice, and only what `asleep` sees at its end is sleep.
    """

    def __init__(self, wall_s: float, asleep: Callable[[], bool]) -> None:
        self._wall_s, self._left, self._idle, self._asleep = wall_s, wall_s, IDLE_S, asleep

    def read(self, size: int) -> None:
        """What it costs the judge to read an answer of so many bytes."""
        self._left -= size * _BYTE_S

    def wait(self, channel: socket.socket, event: int = select.POLLIN) -> None:
        """Until there is something to read, or room to write. Raises Ended: idle, wall."""
        poll = select.poll()
        poll.register(channel, event)
        while self._left > 0:
            begun = time.monotonic()
            ready = poll.poll(1000 * _SLICE_S)
            self._left -= min(time.monotonic() - begun, _SLICE_S)
            if ready:
                return
            if self._asleep():
                self._idle -= _SLICE_S
                if self._idle <= 0:
                    raise Ended("idle", f"asleep for {IDLE_S:g} s")
        raise Ended("wall", f"over {self._wall_s:g} s")


def converse(
    channel: socket.socket,
    patience: Patience,
    code: str,
    entry: str,
    calls: Sequence[str],
    replies: list[Reply],
    accept: Accept,
) -> None:
    """Ask until all calls are answered, or one not as `accept` wants it; `replies` grows. Raises Ended, OSError."""
    greet(channel, patience)
    loaded = ask(channel, patience, [code, entry])
    if loaded.error or loaded.value is not True:
        raise Ended("not_loaded", loaded.error or f"{entry} is not callable")
    for number, arguments in enumerate(calls):
        replies.append(ask(channel, patience, [arguments]))
        if replies[-1].error or not accept(number, replies[-1].value):
            break
    silent(channel)


def greet(channel: socket.socket, patience: Patience) -> None:
    """Wait until the program's process says that its jail is shut. Raises Ended: fault when it does not, wall."""
    try:
        take(channel, patience, "shut")
    except Ended as e:
        raise e if e.end == "wall" else Ended("fault", "the jail did not shut") from e
    except OSError as e:
        raise Ended("fault", "the jail did not shut") from e


def ask(channel: socket.socket, patience: Patience, message: list[str]) -> Reply:
    """Send one message and take its reply. Raises Ended, OSError."""
    silent(channel)
    nonce = secrets.token_hex(8)  # unknown to the candidate before this call
    tell(channel, patience, [nonce, *message])
    return take(channel, patience, nonce)


def tell(channel: socket.socket, patience: Patience, message: list[str]) -> None:
    """Send one message. Raises Ended, OSError."""
    data = json.dumps(message).encode()
    data = len(data).to_bytes(4, "little") + data
    channel.setblocking(False)
    while data:
        with contextlib.suppress(BlockingIOError):
            data = data[channel.send(data) :]
        if data:
            patience.wait(channel, select.POLLOUT)


def take(channel: socket.socket, patience: Patience, nonce: str) -> Reply:
    """The reply to the message with this nonce. Raises Ended, OSError."""
    size = int.from_bytes(_exactly(channel, 4, patience), "little")
    if size > _FRAME:
        raise Ended("misbehaved", "an answer too large")
    patience.read(size)
    try:
        echoed, kind, body = json.loads(_exactly(channel, size, patience))
        if echoed != nonce or kind not in ("value", "error") or type(body) is not str:
            raise Ended("misbehaved", "an answer to no question")
        return Reply(decode(body)) if kind == "value" else Reply(error=_printable(body))
    except (ValueError, TypeError, RecursionError) as e:
        raise Ended("misbehaved", "an answer that is none") from e


def silent(channel: socket.socket) -> None:
    """Nothing may have arrived that was not asked for. Raises Ended."""
    channel.setblocking(False)  # with a time-out set, even MSG_DONTWAIT would wait
    with contextlib.suppress(BlockingIOError):
        if channel.recv(1):
            raise Ended("misbehaved", "an answer before its question")


def _exactly(channel: socket.socket, size: int, patience: Patience) -> bytes:
    data = bytearray()
    pieces = 0
    channel.setblocking(False)
    while len(data) < size:
        if pieces > 50 + len(data) // _DROP:
            raise Ended("misbehaved", "an answer in drops")
        try:
            piece = channel.recv(size - len(data))
        except BlockingIOError:
            patience.wait(channel)
            continue
        if not piece:
            raise Ended("died")
        data += piece
        pieces += 1
    return bytes(data)


def _printable(text: str) -> str:
    """At most 80 characters that a log can hold: no lone surrogate, no escape sequence."""
    return "".join(c if c.isprintable() else "?" for c in text[:80]) or "an exception"
