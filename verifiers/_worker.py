"""The far end of `_child.py`: judges batches until its channel closes. Run as `python -m verifiers._worker FD`."""

import ctypes
import signal
import sys
from multiprocessing.connection import Connection

from data.errors import UserError
from verifiers import _wire
from verifiers._judge import judge, prepare

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer each item of a batch as soon as it is judged."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    with Connection(int(sys.argv[1])) as channel:
        while True:
            try:
                batch = _wire.unpack(channel.recv_bytes())
            except EOFError:
                return
            try:
                prepare({problem.verifier for problem, _ in batch})
            except UserError as e:
                channel.send_bytes(b"refused " + str(e).encode())
                continue
            channel.send_bytes(b"ready")
            for problem, text in batch:
                channel.send_bytes(_wire.pack_judged(judge(problem, text)))


if __name__ == "__main__":
    main()
