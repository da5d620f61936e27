"""Programs that try what the sandbox must prevent, and plain ones that must work: its guarantees are what they prove.

Each name is a guarantee that is stored with every verdict. Not proven here: that the kernel has no bug.
"""

import os
from collections.abc import Callable
from typing import Any

from data.errors import UserError
from verifiers._talk import Ran

_LIBRARY = os.path.dirname(os.__file__)
_REFUSED = {
    "no-network": "import socket\ndef f():\n socket.socket()",
    "no-write": """import os
def f():
 for path in {places!r}:
  try: open(path + '/canary', 'w')
  except OSError: continue
  return
 raise OSError""",
    "no-kill": "import os\ndef f():\n os.kill({parent}, 0)",
    "no-fork": "import os\ndef f():\n os.fork()",
    "no-exec": "import os\ndef f():\n os.execv('/bin/true', ['true'])",
    "private-files": """import os
def f():
 for path in {files!r}:
  if os.access(path, os.R_OK):
   try: open(path).close()
   except OSError: continue
   return
 raise OSError""",
    "memory-limit": "def f():\n bytearray(600 << 20)",
}
_ERRORS = ("PermissionError", "OSError", "MemoryError")  # any other error means that a canary never got to try
_OWN_DIRECTORY = """import os
for path in {places!r}:
 try: open(path + '/canary', 'w')
 except OSError: continue
 raise SystemExit(path)
try: open('large', 'wb').write(bytes(20 << 20))
except OSError: os.remove('large')
print(os.listdir('.'), input())
os.makedirs('a/b')
open('a/b/c', 'w').write('left behind')
print(open('a/b/c').read())"""


class Unproven(Exception):
    """A canary could not be run to its end: by a fault, or because the machine is too busy."""


def prove(run: Callable[..., Ran], pipe: Callable[..., Ran], namespaces: bool) -> list[str]:
    """The guarantees, each proven. `run` and `pipe` are those of a sandbox.

    Raises UserError when one does not hold, Unproven when a fault kept one from trying.
    """
    facts: dict[str, Any] = {
        "parent": os.getpid(),
        "places": ["/", "/tmp", "/var/tmp", "/dev/shm", os.getcwd(), os.path.expanduser("~"), _LIBRARY],
        "files": ["/etc/passwd", __file__, f"/proc/{os.getpid()}/status", "/proc/self/maps"],
    }
    proven = list(_REFUSED)
    for name, code in _REFUSED.items():
        ran = run(code.format(**facts), "f", [[]])
        _demand(ran.end == "answered" and ran.replies[0].error in _ERRORS, name, ran)
    ran = run("import math\ndef f(x):\n return math.isqrt(x)", "f", [[9]])
    _demand(ran.end == "answered" and ran.replies[0].value == 3, "a plain function runs", ran)
    ran = run("def f():\n while 1: pass", "f", [[]], cpu_s=0.1)
    _demand(ran.end == "cpu", "time-limit", ran)
    proven.append("time-limit")
    if namespaces:
        for _ in range(2):  # the second must not find what the first has left
            ran = pipe(_OWN_DIRECTORY.format(**facts), b"x\n")
            _demand(ran.end == "answered" and ran.output == b"[] x\nleft behind\n", "own-directory", ran)
        proven.append("own-directory")
    else:
        ran = pipe("print(input())", b"x\n")
        _demand(ran.end == "answered" and ran.output == b"x\n", "a plain program runs", ran)
    return proven


def _demand(held: bool, name: str, ran: Ran) -> None:
    if not held:
        seen = " ".join([ran.end, ran.detail, *(r.error for r in ran.replies)]).strip()
        if ran.end in ("fault", "wall"):
            raise Unproven(f"'{name}': {seen}")
        raise UserError(f"Programs cannot be judged safely here: the sandbox does not hold '{name}' ({seen}).")
