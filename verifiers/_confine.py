"""The walls of the jail, raised by the process behind them: namespaces, Landlock, capabilities, limits, seccomp.

Plain system calls through ctypes, on Linux, as root or as an ordinary user. `_jail.py` says in which order.
"""

import contextlib
import ctypes
import os
import resource
import signal
import struct

from verifiers import _seccomp

MEMORY = 512 << 20  # bytes of address space, the interpreter included
_NOBODY = 65534
_NAMESPACES = 0x10000000 | 0x20000 | 0x20000000 | 0x40000000 | 0x8000000  # user mnt pid net ipc
_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
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
    """Private namespaces, a read-only root that holds only `library`, cwd before and after. Raises OSError."""
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(_NAMESPACES), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    _mount("none", "/", "", _REC | _PRIVATE)
    _mount("tmpfs", "/tmp", "tmpfs", _NOSUID | _NODEV, "size=64k,mode=755")
    target = "/tmp" + library
    os.makedirs(target)
    _mount(".", target, "", _BIND)  # by "." because the path to it may be closed to nobody
    kept = os.statvfs(target).f_flag & 0xE  # flags of the source that a user namespace may not lift
    _mount("none", target, "", _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV | kept)
    os.chdir("/tmp")
    _check(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", 2), "umount")
    os.chdir("/")
    if len(os.listdir("/")) != 1:
        raise OSError("the private root did not take")
    _mount("none", "/", "", _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)
    os.chdir(library)


def drop_capabilities() -> None:
    """No capability left, in the bounding set neither, and none to be had by exec."""
    _prctl(_NO_NEW_PRIVS, 1)
    for capability in range(64):
        with contextlib.suppress(OSError):  # we never had the right, so there is nothing to drop
            _prctl(_CAPBSET_DROP, capability)
    header, nothing = struct.pack("<Ii", 0x20080522, 0), bytes(24)
    _check(_libc.capset(header, nothing), "capset")


def landlock() -> bool:
    """Reading below cwd is the only access to files left; False where the kernel has no Landlock."""
    abi = _libc.syscall(444, None, ctypes.c_size_t(0), 1)
    if abi < 1:
        return False
    files = (1 << 13) - 1 | (1 << 13 if abi >= 2 else 0) | (1 << 14 if abi >= 3 else 0) | (1 << 15 if abi >= 5 else 0)
    attributes = struct.pack("<QQQ", files, 3, 3)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    rules = _check(_libc.syscall(444, attributes, ctypes.c_size_t(len(attributes)), 0), "landlock")
    beneath = os.open(".", os.O_PATH | os.O_CLOEXEC)
    _check(_libc.syscall(445, rules, 1, struct.pack("<Qi", 0b1100, beneath), 0), "landlock rule")
    _check(_libc.syscall(446, rules, 0), "landlock restrict")
    os.close(beneath)
    os.close(rules)
    return True


def die_with_parent() -> None:
    """To be said again after every change of user, which clears it."""
    _prctl(_PDEATHSIG, signal.SIGKILL)


def hide() -> None:
    """No process of the same user may trace this one."""
    _prctl(_DUMPABLE, 0)


def limit(cpu_s: int) -> None:
    """Resource limits, hard, of the candidate's process."""
    stack = resource.getrlimit(resource.RLIMIT_STACK)[1]
    most = 64 << 20
    resource.setrlimit(resource.RLIMIT_STACK, (most if stack < 0 else min(most, stack), stack))
    for what, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_NPROC, 64),  # threads: there is no fork
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        value = value if hard < 0 else min(value, hard)
        resource.setrlimit(what, (value, value))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))  # SIGXCPU may be caught; the second is SIGKILL


def filter_calls() -> None:
    """seccomp, for this process as it is now numbered. Raises OSError."""
    filters = _seccomp.program(os.getpid())
    code = ctypes.create_string_buffer(filters, len(filters))
    program = struct.pack("@HP", len(filters) // 8, ctypes.addressof(code))
    _check(_libc.prctl(_SECCOMP, 2, program, 0, 0), "seccomp")
