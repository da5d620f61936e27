"""Inside the sandbox: the fork server that locks itself in, and the candidate's process that answers calls.

Started by `_sandbox.py` in a fresh interpreter (`serve`); it holds no gold and no test. Once: private user, mount, pid,
network and ipc namespaces, a root that holds the read-only standard library and nothing else, Landlock. Per candidate:
fork, a session of its own, resource limits, seccomp. The code and the calls come over the candidate's own socket, so
the server never sees them. Nothing here is trusted by the judge except the exit status the server reports.
"""

import array
import gc
import importlib
import json
import os
import signal
import socket
import sys
import sysconfig
import types
from typing import Any

from verifiers import _confine, _seccomp
from verifiers._plain import NotPlain, decode, encode

PRELOADED = (
    "array bisect cmath collections collections.abc contextlib copy dataclasses datetime decimal enum fractions "
    "functools hashlib heapq io itertools json math numbers operator queue random re statistics string textwrap "
    "threading time typing asyncio unicodedata traceback inspect "
    "ast calendar zoneinfo pprint secrets struct base64 warnings"
)


def serve(control: int, parent: int, namespaces: bool) -> None:
    """Lock this process in, say on `control` what holds, then fork one process per request until `control` closes."""
    channel = socket.socket(fileno=control)
    for name in PRELOADED.split():
        importlib.import_module(name)
    library = os.path.realpath(sysconfig.get_path("stdlib"))
    sys.path[:] = [library, os.path.join(library, "lib-dynload")]
    os.chdir(library)
    layers = ["seccomp"] if _seccomp.supported() else []
    why = "" if layers else "this machine's system calls are unknown to it"
    try:
        _confine.drop_root()
        _confine.die_with_parent()
        if os.getppid() != parent:
            return
        try:
            if namespaces:
                _confine.enter_namespaces(library)
                layers.insert(0, "namespaces")
        except OSError as e:
            why = str(e)
        child = os.fork()  # the first process of the pid namespace: with it dies everything inside
        if child:
            channel.close()
            os.waitpid(child, 0)
            return
        _confine.die_with_parent()
        if "namespaces" in layers and os.getpid() != 1:
            raise OSError("the pid namespace did not take")
        _confine.drop_capabilities()
        layers += ["landlock"] if _confine.landlock() else []
        os.chdir("/")
        _confine.hide()
    except OSError as e:
        channel.sendall(json.dumps({"layers": [], "why": str(e)}).encode())
        return
    channel.sendall(json.dumps({"layers": layers, "why": why}).encode())
    gc.collect()
    gc.freeze()
    while _serve_one(channel):
        pass


def _serve_one(channel: socket.socket) -> bool:
    """One candidate: its socket and its CPU limit come in; when the judge says so it is killed, and its exit status and
    CPU time go back. False when the judge is gone."""
    message, ancillary, _, _ = channel.recvmsg(64, socket.CMSG_SPACE(4))
    if not message or not ancillary:
        return False
    descriptor = array.array("i", ancillary[0][2][:4])[0]
    child = os.fork()
    if child == 0:
        _be_candidate(channel, descriptor, int(message))
    os.close(descriptor)
    alive = bool(channel.recv(1))
    os.kill(child, signal.SIGKILL)  # not reaped yet, so the pid is still its own
    _, status, usage = os.wait4(child, 0)
    if alive:
        cpu = usage.ru_utime + usage.ru_stime
        channel.sendall(json.dumps({"code": os.waitstatus_to_exitcode(status), "cpu": cpu}).encode())
    return alive


def _be_candidate(control: socket.socket, descriptor: int, cpu_s: int) -> None:
    """Never returns: limits, then the candidate's code, then its calls one at a time."""
    code = 1
    try:
        os.setsid()  # kill(0) would reach the server's group
        _confine.die_with_parent()
        control.close()
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, 256)
        _confine.limit(cpu_s)
        _confine.filter_calls()
        _answer(descriptor)
        code = 0
    finally:
        os._exit(code)


def _answer(descriptor: int) -> None:
    """Say that the jail is shut, then serve [nonce, code, entry] and every [nonce, arguments] until killed."""
    _send(descriptor, ["shut", "value", "null"])
    nonce, code, entry = json.loads(_receive(descriptor))
    module = types.ModuleType("candidate")
    sys.modules["candidate"] = module
    function: Any = None
    try:
        exec(compile(code, "<candidate>", "exec"), module.__dict__)
        function = module.__dict__[entry]
        reply = [nonce, "value", encode(callable(function))]
    except BaseException as e:
        reply = [nonce, "error", _name(e)]
    _send(descriptor, reply)
    while True:
        nonce, arguments = json.loads(_receive(descriptor))
        try:
            reply = [nonce, "value", encode(function(*decode(arguments)))]
        except NotPlain as e:
            reply = [nonce, "error", str(e)]
        except BaseException as e:
            reply = [nonce, "error", _name(e)]
        _send(descriptor, reply)


def _name(error: BaseException) -> str:
    name = type(error).__name__
    return name[:60] if type(name) is str else "an exception"


def _receive(descriptor: int) -> bytes:
    """One frame: its length in four bytes, then its bytes."""
    size = int.from_bytes(_exactly(descriptor, 4), "little")
    return _exactly(descriptor, size)


def _exactly(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = os.read(descriptor, size - len(data))
        if not piece:
            os._exit(0)
        data += piece
    return data


def _send(descriptor: int, reply: list[str]) -> None:
    data = json.dumps(reply).encode()
    data = len(data).to_bytes(4, "little") + data
    while data:
        data = data[os.write(descriptor, data) :]
