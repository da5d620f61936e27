"""Inside the sandbox: the fork server. It locks itself in once, then forks one process per program.

Started by `_sandbox.py` in a fresh interpreter (`serve`). Once: private user, mount, pid, network and ipc namespaces, a
root that holds the read-only standard library and an empty folder. Per program: fork, a session and limits of its own,
no capability, Landlock, seccomp; for a whole program also an empty directory to write in. Code, calls and input come
over the program's own descriptors, so the server never sees them; it reports how the process ended, and its CPU time.
Not held back: what a kernel bug lets through, and what can be learnt from timing.
"""

import array
import contextlib
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import sysconfig
import time

from verifiers import _clock, _confine, _jail, _seccomp

PRELOADED = (
    "array bisect cmath collections collections.abc contextlib copy dataclasses datetime decimal enum fractions "
    "functools hashlib heapq io itertools json math numbers operator queue random re statistics string textwrap "
    "threading time typing asyncio unicodedata traceback inspect "
    "ast calendar zoneinfo pprint secrets struct base64 warnings zlib bz2 lzma sqlite3"
)

KILL, ENDED = b"K", b"E"
_END_S = 0.2  # for a process to end after its descriptors are closed


def serve(control: int, parent: int, namespaces: bool, clock: float | None) -> None:
    """Lock this process in, say on `control` what holds, then fork one process per request until `control` closes."""
    channel = socket.socket(fileno=control)
    os.environ.clear()
    for name in PRELOADED.split():
        with contextlib.suppress(ImportError):  # an interpreter may be built without some
            importlib.import_module(name)
    library = os.path.realpath(sysconfig.get_path("stdlib"))
    sys.path[:] = [library, os.path.join(library, "lib-dynload")]
    os.chdir(library)
    if clock is not None:
        _clock.fix(clock)
    try:
        layers, why = _lock_in(library, parent, namespaces, channel)
    except OSError as e:
        channel.sendall(json.dumps({"layers": [], "why": str(e)}).encode())
        return
    channel.sendall(json.dumps({"layers": layers, "why": why}).encode())
    jail = Jail("namespaces" in layers)
    os.chdir("/")
    _confine.save_address_space()
    _confine.limit()
    gc.collect()
    gc.freeze()
    while _serve_one(channel, jail):
        pass


def _lock_in(library: str, parent: int, namespaces: bool, channel: socket.socket) -> tuple[list[str], str]:
    """The layers that hold, and why others do not; returns in the first process of the pid namespace: with it dies
    everything inside. Raises OSError.
    """
    layers = ["seccomp"] if _seccomp.supported() else []
    why = "" if layers else "this machine's system calls are unknown to it"
    _confine.drop_root()
    _confine.die_with_parent()
    if os.getppid() != parent:
        os._exit(0)
    try:
        if namespaces:
            _confine.enter_namespaces(library)
            layers.insert(0, "namespaces")
    except OSError as e:
        why = str(e)
    child = os.fork()
    if child:
        channel.close()
        os.waitpid(child, 0)
        os._exit(0)
    _confine.die_with_parent()
    if "namespaces" in layers and os.getpid() != 1:
        raise OSError("the pid namespace did not take")
    _confine.forbid_privileges()
    _confine.hide()
    return layers + (["landlock"] if _confine.landlock_version() else []), why


class Jail:
    """What every program's process is walled in with, made ready once. The cwd is the library."""

    def __init__(self, namespaces: bool) -> None:
        self._library = os.open(".", os.O_PATH)  # open, because the path to it may be closed to nobody
        self._namespaces = namespaces
        self._version = _confine.landlock_version()
        self._rules = _confine.landlock(self._version, self._library) if self._version else 0
        self._filters = _seccomp.programs()

    def shut(self, cpu_s: float, whole: bool, talk: int) -> None:
        """Walls around this process, which keeps the descriptors 0 to 2 and `talk`. `whole`: a program, which may write
        where it is its own; else a function.
        """
        own = whole and self._namespaces
        if own:
            _confine.own_directory()
        _confine.drop_capabilities()
        if self._version:
            own_rules = own and _confine.landlock(self._version, self._library, _confine.OWN)
            _confine.restrict(own_rules or self._rules)
        os.closerange(3, talk)
        os.closerange(talk + 1, 256)
        _confine.limit_program(cpu_s)
        _confine.filter_calls(_seccomp.of(self._filters[own], os.getpid()))


def _serve_one(channel: socket.socket, jail: Jail) -> bool:
    """One program: its descriptors and CPU limit come in; when it ends, is over its limit or the judge says so it is
    killed, and its exit status and CPU time go back, and whether it had ended before. False when the judge is gone.
    """
    message, ancillary, _, _ = channel.recvmsg(64, socket.CMSG_SPACE(3 * 4))
    if not message:
        return False
    if not ancillary:
        return True  # the judge's word to end a program, crossed by the report that it had ended
    descriptors = array.array("i", ancillary[0][2][: len(ancillary[0][2]) // 4 * 4]).tolist()
    cpu_s = float(message)
    child = os.fork()
    if child == 0:
        _be_program(channel, descriptors, cpu_s, jail)
    for descriptor in descriptors:
        os.close(descriptor)
    word = _watch(channel, child, cpu_s)
    os.kill(child, signal.SIGKILL)  # not reaped yet, so the pid is still its own
    _, status, usage = os.wait4(child, 0)
    code, cpu = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
    if word:
        channel.sendall(json.dumps({"code": code, "cpu": cpu, "ended": word == ENDED}).encode())
    return bool(word)


def _watch(channel: socket.socket, child: int, cpu_s: float) -> bytes:
    """Until the program ends, has used its CPU time, or the judge speaks: ENDED, KILL; empty when the judge is gone.

    When the judge says ENDED, it has seen the program close its channel: it may be about to end.
    """
    end = os.pidfd_open(child)
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    poll.register(end, select.POLLIN)
    clock = ~child << 3 | 2  # its CPU time, all threads: MAKE_PROCESS_CPUCLOCK(child, CPUCLOCK_SCHED)
    try:
        while (left := cpu_s - time.clock_gettime(clock)) > 0:
            ready = dict(poll.poll(1000 * left + 1))
            if end in ready:
                return ENDED
            if ready:
                word = channel.recv(1)
                poll.unregister(channel)
                return ENDED if word and poll.poll(1000 * _END_S if word == ENDED else 0) else word and KILL
        return KILL
    finally:
        os.close(end)


def _be_program(control: socket.socket, descriptors: list[int], cpu_s: float, jail: Jail) -> None:
    """Never returns: a process with the walls shut around it, then the program in it."""
    code = 1
    try:
        os.setsid()  # kill(0) would reach the server's group
        _confine.die_with_parent()
        control.close()
        talk, *streams = descriptors
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
        random.seed(0)  # in the child, where `random` has just seeded itself
        jail.shut(cpu_s, bool(streams), talk)
        if streams:
            code = _jail.perform(talk)
        else:
            _jail.answer(talk)
    finally:
        os._exit(code)
