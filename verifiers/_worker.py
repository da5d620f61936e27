"""The far end of `_pool.py`: judges batches until its channel closes. Run as `python -m verifiers._worker FD`.

Messages are JSON. Only data crosses: problems and texts one way, verdicts the other.
"""

import ctypes
import json
import signal
import sys
from dataclasses import asdict
from multiprocessing.connection import Connection

from data.errors import UserError
from data.records import Problem
from verifiers._judge import judge, prepare

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer each item of a batch as soon as it is judged."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    with Connection(int(sys.argv[1])) as channel:
        while True:
            try:
                batch = json.loads(channel.recv_bytes())
            except EOFError:
                return
            try:
                prepare({problem["verifier"] for problem, _ in batch})
            except UserError as e:
                channel.send_bytes(b"refused " + str(e).encode())
                continue
            channel.send_bytes(b"ready")
            for problem, text in batch:
                judged = judge(Problem(**problem), text)
                channel.send_bytes(json.dumps([asdict(judged.verdict), [asdict(s) for s in judged.steps]]).encode())


if __name__ == "__main__":
    main()
