"""The walls of the jail, raised by the process behind them: namespaces, Landlock, capabilities, limits, seccomp.

Plain system calls through ctypes, on Linux, as root or as an ordinary user. `_server.py` says in which order.
"""

import contextlib
import ctypes
import math
import os
import resource
import signal
import struct
import threading

MEMORY = 512 << 20  # bytes of address space, the interpreter included
FILE = 8 << 20  # bytes of one file, standard output included
OWN = "/program"  # where a whole program finds its own directory
_OWN_BOUNDS = "size=16m,nr_inodes=1000,mode=700"
_NOBODY = 65534
_NEWNS = 0x20000
_NAMESPACES = 0x10000000 | _NEWNS | 0x20000000 | 0x40000000 | 0x8000000  # user mnt pid net ipc
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_READ, _WRITE = 0b1100, 0b1_1011_1110 | 1 << 13 | 1 << 14  # Landlock: read; also write, make, remove, move, truncate
_PDEATHSIG, _DUMPABLE, _SECCOMP, _NO_NEW_PRIVS, _CAPBSET_DROP = 1, 4, 22, 38, 24
_libc = ctypes.CDLL(None, use_errno=True)
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def _check(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)), "prctl")


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _check(_libc.mount(*arguments), f"mount {target}")


def drop_root() -> None:
    """Leave uid 0 for nobody: a jailed root would still own root's files."""
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # a container may know no nobody; the namespaces then hold alone
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    _prctl(_DUMPABLE, 1)  # the id maps below are ours to write only when dumpable


def enter_namespaces(library: str) -> None:
    """Private namespaces, a read-only root of `library` (cwd before and after) and an empty OWN. Raises OSError."""
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(_NAMESPACES), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    _mount("none", "/", "", _REC | _PRIVATE)
    _mount("tmpfs", "/tmp", "tmpfs", _NOSUID | _NODEV, "size=64k,mode=755")
    target = "/tmp" + library
    os.makedirs(target)
    os.mkdir("/tmp" + OWN)
    _mount(".", target, "", _BIND)  # by "." because the path to it may be closed to nobody
    kept = os.statvfs(target).f_flag & 0xE  # flags of the source that a user namespace may not lift
    _mount("none", target, "", _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV | kept)
    for folder in ("site-packages", "dist-packages"):  # what is installed may hold more than a program should know
        if os.path.isdir(os.path.join(target, folder)):
            _mount("tmpfs", os.path.join(target, folder), "tmpfs", _RDONLY | _NOSUID | _NODEV, "size=4k,mode=755")
    os.chdir("/tmp")
    _check(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", 2), "umount")
    os.chdir("/")
    if set(os.listdir("/")) != {library.split("/")[1], OWN[1:]}:
        raise OSError("the private root did not take")
    _mount("none", "/", "", _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)
    os.chdir(library)


def own_directory() -> None:
    """An empty directory of this process's own as cwd, to write in; the kernel removes it with the process."""
    _check(_libc.unshare(_NEWNS), "unshare")
    _mount("tmpfs", OWN, "tmpfs", _NOSUID | _NODEV | _NOEXEC, _OWN_BOUNDS)
    os.chdir(OWN)


def forbid_privileges() -> None:
    """No capability beyond those held here, and none to be had by exec, for this process and all it forks."""
    _prctl(_NO_NEW_PRIVS, 1)
    for capability in range(64):
        with contextlib.suppress(OSError):  # we never had the right, so there is nothing to drop
            _prctl(_CAPBSET_DROP, capability)


def drop_capabilities() -> None:
    """No capability left."""
    header, nothing = struct.pack("<Ii", 0x20080522, 0), bytes(24)
    _check(_libc.capset(header, nothing), "capset")


def landlock_version() -> int:
    """The version of Landlock this kernel has, 0 for none."""
    return max(0, int(_libc.syscall(444, None, ctypes.c_size_t(0), 1)))


def landlock(version: int, library: int, own: str = "") -> int:
    """Rules, as a descriptor, by which reading below the open folder `library` and, where named, all but exec below
    `own` is the only access to files left.
    """
    files = (1 << 13) - 1 | sum(1 << bit for since, bit in ((2, 13), (3, 14), (5, 15)) if version >= since)
    attributes = struct.pack("<QQQ", files, 3, 3)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = _check(_libc.syscall(444, attributes, ctypes.c_size_t(len(attributes)), 0), "landlock")
    _check(_libc.syscall(445, rules, 1, struct.pack("<Qi", _READ, library), 0), "landlock rule")
    if own:
        beneath = os.open(own, os.O_PATH)
        _check(_libc.syscall(445, rules, 1, struct.pack("<Qi", _WRITE & files, beneath), 0), "landlock rule")
        os.close(beneath)
    return rules


def restrict(rules: int) -> None:
    """Put this process under the rules of `landlock`, for good."""
    _check(_libc.syscall(446, rules, 0), "landlock restrict")


def die_with_parent() -> None:
    """To be said again after every change of user, which clears it."""
    _prctl(_PDEATHSIG, signal.SIGKILL)


def hide() -> None:
    """No process of the same user may trace this one."""
    _prctl(_DUMPABLE, 0)


def save_address_space() -> None:
    """Let many threads fit under MEMORY: one heap for all of them, and stacks of 4 MiB."""
    with contextlib.suppress(AttributeError):  # a C library that has one heap anyway
        _libc.mallopt(-8, 1)  # M_ARENA_MAX
    threading.stack_size(4 << 20)


def limit() -> None:
    """Resource limits, hard, for this process and all it forks."""
    stack = resource.getrlimit(resource.RLIMIT_STACK)[1]
    most = 64 << 20
    resource.setrlimit(resource.RLIMIT_STACK, (most if stack < 0 else min(most, stack), stack))
    for what, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILE),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        _at_most(what, value)


def limit_program(cpu_s: float) -> None:
    """Further limits of one program's process: threads (it has no fork), and CPU time. The latter stands behind the
    server, which is more exact.
    """
    _at_most(resource.RLIMIT_NPROC, 64)
    _at_most(resource.RLIMIT_CPU, math.ceil(cpu_s) + 1)


def _at_most(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    value = value if hard < 0 else min(value, hard)
    resource.setrlimit(what, (value, value))


def filter_calls(filters: bytes) -> None:
    """seccomp, by the filters that `_seccomp.py` wrote. Raises OSError."""
    code = ctypes.create_string_buffer(filters, len(filters))
    program = struct.pack("@HP", len(filters) // 8, ctypes.addressof(code))
    _check(_libc.prctl(_SECCOMP, 2, program, 0, 0), "seccomp")
