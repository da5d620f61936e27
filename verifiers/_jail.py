"""Inside the sandbox: the process of one program, which answers calls to a function or runs as a whole.

Forked and walled in by `_server.py`; it holds no gold and no test, and shares its interpreter with the program, so the
judge trusts nothing it says. The seam for another language is here: a process that takes the source, then calls, or
standard input, and gives replies, or standard output and an exit code.
"""

import atexit
import builtins
import json
import os
import sys
import threading
import types
from typing import Any

from verifiers._plain import NotPlain, decode, encode


def answer(descriptor: int) -> None:
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


def perform(descriptor: int) -> int:
    """Say that the jail is shut, take [code], run it as the main program on descriptors 0 and 1; its exit code."""
    _send(descriptor, ["shut", "value", "null"])
    (code,) = json.loads(_receive(descriptor))
    os.close(descriptor)
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.argv = ["program.py"]
    vars(builtins).update(exit=sys.exit, quit=sys.exit)  # which `site` would have put there
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    module.__file__ = "program.py"
    try:
        exec(compile(code, "program.py", "exec"), module.__dict__)
        status = 0
    except SystemExit as e:
        status = 0 if e.code is None else e.code & 0xFF if isinstance(e.code, int) else 1
    except BaseException:
        status = 1
    return _finish(module) or status


def _finish(module: types.ModuleType) -> int:
    """What the interpreter does at its end, as far as a program can tell: threads, exit functions, open files."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        module.__dict__.clear()
        for stream in (sys.stdout, sys.__stdout__):
            if stream is not None and not stream.closed:
                stream.flush()
    except BaseException:
        return 1
    return 0


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
