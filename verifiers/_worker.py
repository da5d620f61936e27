"""The far end of `_child.py`: judges batches until its channel closes. Run as `python -m verifiers._worker FD`.

A batch that has taken BATCH_S is given back unfinished, so that another worker may take what is left of it.
"""

import ctypes
import signal
import sys
import time
from multiprocessing.connection import Connection

from data.errors import UserError
from verifiers import _wire
from verifiers._judge import judge, prepare

PR_SET_PDEATHSIG = 1
BATCH_S = 0.02


def main() -> None:
    """Answer each item of a batch as soon as it is judged, the first at any rate."""
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
                channel.send_bytes(_wire.REFUSED + str(e).encode())
                continue
            channel.send_bytes(_wire.READY)
            began = time.perf_counter()
            for number, (problem, text) in enumerate(batch):
                if number and time.perf_counter() - began > BATCH_S:
                    channel.send_bytes(_wire.REST)
                    break
                channel.send_bytes(_wire.pack_judged(judge(problem, text)))


if __name__ == "__main__":
    main()
