"""The system calls a candidate program may make: a seccomp-BPF filter that allows a list and refuses the rest.

A Python program that computes needs memory, time, reading files, threads and pipes. It has no fork, exec, socket to the
outside or signal to others. A function opens no file for writing; a whole program may write, make, move and remove
files: where, the mounts and Landlock decide. Numbers: <asm/unistd.h> of x86_64 and of aarch64 (asm-generic).
"""

import errno
import platform
import struct

_LOAD, _EQUAL, _BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_WRITES = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE
_CLONE_THREAD, _CLONE_NAMESPACES = 0x10000, 0x7E020080
_FCNTL = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_[GS]ETFD, F_[GS]ETFL, F_DUPFD_CLOEXEC; not F_SETOWN, which sends signals
_IOCTL = (0x5421, 0x5450, 0x5451)  # FIONBIO, FIONCLEX, FIOCLEX
_SIGKILL, _SIGSTOP = 9, 19
_ANY_PID = 0x7FFFFFF1  # stands for the pid, which is known only after the fork; above every pid_max
_STREAM = (0x1, 0x80001, 0x80801)  # SOCK_STREAM, with SOCK_CLOEXEC, with SOCK_NONBLOCK

_PLAIN = {
    "x86_64": {
        *(0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),  # read write close *stat poll lseek mmap … sigreturn
        *(17, 19, 20, 21, 22, 23, 24, 25, 28),  # pread64 readv writev access pipe select sched_yield mremap madvise
        *(32, 33, 34, 35, 36, 37, 38, 39),  # dup dup2 pause nanosleep getitimer alarm setitimer getpid
        *(44, 45, 60, 61, 63, 79, 89),  # sendto recvfrom exit wait4 uname getcwd readlink
        *(96, 97, 98, 99, 100, 102, 104, 107, 108, 110, 111),  # gettimeofday getrlimit getrusage sysinfo times get*id
        *(127, 128, 130, 131, 158, 186),  # rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack arch_prctl gettid
        *(201, 202, 204, 217, 219),  # time futex sched_getaffinity getdents64 restart_syscall
        *(228, 229, 230, 231, 232, 233),  # clock_gettime clock_getres clock_nanosleep exit_group epoll_wait epoll_ctl
        *(262, 267, 269, 270, 271, 273),  # newfstatat readlinkat faccessat pselect6 ppoll set_robust_list
        *(281, 290, 291, 292, 293),  # epoll_pwait eventfd2 epoll_create1 dup3 pipe2
        *(318, 324, 332, 334, 439),  # getrandom membarrier statx rseq faccessat2
    },
    "aarch64": {
        *(17, 19, 20, 21, 22, 23, 24, 48, 57, 59),  # getcwd eventfd2 epoll_* dup dup3 faccessat close pipe2
        *(61, 62, 63, 64, 65, 66, 67, 72, 73, 78, 79, 80),  # getdents64 lseek read … ppoll readlinkat *stat
        *(93, 94, 98, 99, 101, 102, 103),  # exit exit_group futex set_robust_list nanosleep getitimer setitimer
        *(113, 114, 115, 123, 124, 128),  # clock_* sched_getaffinity sched_yield restart_syscall
        *(132, 133, 134, 135, 136, 137, 139),  # sigaltstack rt_sig*
        *(153, 160, 163, 165, 169, 172, 173, 174, 175, 176, 177, 178, 179),  # times uname get* sysinfo
        *(206, 207, 214, 215, 216, 222, 226, 233),  # sendto recvfrom brk munmap mremap mmap mprotect madvise
        *(260, 278, 283, 291, 293, 439),  # wait4 getrandom membarrier statx rseq faccessat2
    },
}
_FILES = {  # pwrite [f]truncate f[data]sync flock [f]chdir rename mkdir rmdir unlink umask chmod utime listxattr
    "x86_64": {18, 73, 74, 75, 76, 77, 80, 81, 82, 83, 84, 87, 90, 91, 95, 194, 195, 258, 263, 264, 268, 280, 316},
    "aarch64": {11, 12, 32, 34, 35, 38, 45, 46, 49, 50, 52, 53, 68, 82, 83, 88, 166, 276},
}
_GUARDED = {
    "x86_64": {"open": 2, "openat": 257, "clone": 56, "clone3": 435, "kill": 62, "tgkill": 234, "prlimit64": 302}
    | {"socketpair": 53, "ioctl": 16, "fcntl": 72},
    "aarch64": {"openat": 56, "clone": 220, "clone3": 435, "kill": 129, "tgkill": 131, "prlimit64": 261}
    | {"socketpair": 199, "ioctl": 29, "fcntl": 25},
}
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

Code = list[tuple[int, int, int, int]]  # struct sock_filter: code, jump if true, jump if false, operand


def supported() -> bool:
    """True where this file knows the system calls of the machine."""
    return platform.machine() in _PLAIN and struct.calcsize("P") == 8


def _argument(index: int) -> tuple[int, int, int, int]:
    """Load the low word of an argument (both machines are little-endian)."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _refuse(error: int) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, _ERRNO | error)


def _only(number: int, index: int, values: tuple[int, ...], error: int = errno.EPERM) -> Code:
    """The call is allowed when its argument is one of `values`, else refused."""
    body: Code = [_argument(index)]
    for value in values:
        body += [(_EQUAL, 0, 1, value & 0xFFFFFFFF), (_RETURN, 0, 0, _ALLOW)]
    body.append(_refuse(error))
    return [(_EQUAL, 0, len(body), number), *body]


def programs() -> dict[bool, bytes]:
    """The filters of a function (False) and of a whole program, which may write files (True); `of` makes them fit."""
    return {writes: b"".join(struct.pack("<HBBI", *one) for one in _code(writes)) for writes in (False, True)}


def of(filters: bytes, pid: int) -> bytes:
    """The same for a process that calls itself `pid` in its own namespace: an array of struct sock_filter."""
    return filters.replace(struct.pack("<I", _ANY_PID), struct.pack("<I", pid))


def _code(writes: bool) -> Code:
    machine = platform.machine()
    calls = _GUARDED[machine]
    code: Code = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, _AUDIT_ARCH[machine]), (_RETURN, 0, 0, _KILL)]
    code.append((_LOAD, 0, 0, _NUMBER))
    opens = {calls[name]: index for name, index in (("open", 1), ("openat", 2)) if name in calls}
    for number in sorted(_PLAIN[machine] | (_FILES[machine] | opens.keys() if writes else set())):
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for number, index in opens.items():
        code += [(_EQUAL, 0, 4, number), _argument(index), (_BITS, 0, 1, _WRITES), _refuse(errno.EROFS)]
        code.append((_RETURN, 0, 0, _ALLOW))
    code += [(_EQUAL, 0, 5, calls["clone"]), _argument(0), (_BITS, 2, 0, _CLONE_NAMESPACES)]
    code += [(_BITS, 0, 1, _CLONE_THREAD), (_RETURN, 0, 0, _ALLOW), _refuse(errno.EPERM)]
    code += [(_EQUAL, 0, 1, calls["clone3"]), _refuse(errno.ENOSYS)]  # the C library then uses clone
    code += _only(calls["ioctl"], 1, _IOCTL, errno.ENOTTY)
    for name, signal_at in (
        ("kill", 1),
        ("tgkill", 2),
    ):  # itself only; that it was killed or stopped is never its doing
        body = [_argument(signal_at), (_EQUAL, 1, 0, _SIGKILL), (_EQUAL, 0, 1, _SIGSTOP), _refuse(errno.EPERM)]
        body += [_argument(0), (_EQUAL, 0, 1, _ANY_PID), (_RETURN, 0, 0, _ALLOW), _refuse(errno.EPERM)]
        code += [(_EQUAL, 0, len(body), calls[name]), *body]
    code += _only(calls["prlimit64"], 0, (0,)) + _only(calls["fcntl"], 1, _FCNTL)
    # Only a connected pair of local streams (asyncio needs one): it can reach no address.
    code += [(_EQUAL, 0, 4, calls["socketpair"]), _argument(0), (_EQUAL, 1, 0, 1), _refuse(errno.EPERM)]
    code.append((_LOAD, 0, 0, _NUMBER))
    return [*code, *_only(calls["socketpair"], 1, _STREAM), _refuse(errno.EPERM)]
