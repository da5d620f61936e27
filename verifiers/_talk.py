"""The judge's conversation with one candidate, who may say anything: question, answer, bounds of size and time."""

import contextlib
import json
import secrets
import socket
import time
from dataclasses import dataclass
from typing import Any, Literal

from verifiers._plain import MAX_BYTES, decode

End = Literal["answered", "not_loaded", "misbehaved", "died", "cpu", "wall", "fault"]
_FRAME = 2 * MAX_BYTES + 1000  # bytes of one reply: an encoded value quoted once more


@dataclass(frozen=True, slots=True)
class Reply:
    """One call's result: a plain value, or the name of the exception."""

    value: Any = None
    error: str = ""


class Ended(Exception):
    """The conversation is over: why, and in more words."""

    def __init__(self, end: End, detail: str = "") -> None:
        super().__init__(end, detail)
        self.end: End = end
        self.detail = detail


def ask(channel: socket.socket, deadline: float, message: list[str]) -> Reply:
    """Send one message and take its reply. Raises Ended, TimeoutError, OSError."""
    silent(channel)
    nonce = secrets.token_hex(8)  # unknown to the candidate before this call
    data = json.dumps([nonce, *message]).encode()
    channel.settimeout(_left(deadline))
    channel.sendall(len(data).to_bytes(4, "little") + data)
    return take(channel, deadline, nonce)


def take(channel: socket.socket, deadline: float, nonce: str) -> Reply:
    """The reply to the message with this nonce. Raises Ended, TimeoutError, OSError."""
    size = int.from_bytes(_exactly(channel, 4, deadline), "little")
    if size > _FRAME:
        raise Ended("misbehaved", "an answer too large")
    try:
        echoed, kind, body = json.loads(_exactly(channel, size, deadline))
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


def _left(deadline: float) -> float:
    """Seconds until `deadline` on the monotonic clock. Raises TimeoutError past it: answers may come in drops."""
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return left


def _exactly(channel: socket.socket, size: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        channel.settimeout(_left(deadline))
        piece = channel.recv(size - len(data))
        if not piece:
            raise Ended("died")
        data += piece
    return bytes(data)


def _printable(text: str) -> str:
    """At most 80 characters that a log can hold: no lone surrogate, no escape sequence."""
    return "".join(c if c.isprintable() else "?" for c in text[:80]) or "an exception"
