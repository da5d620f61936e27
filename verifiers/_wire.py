"""What crosses between the pool and its workers, as JSON: problems and texts one way, judgements the other."""

import json
from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter

from data.records import Problem, StepVerdict, Verdict
from verifiers._judge import Judged

READY = b"ready"  # the verifiers of a batch are prepared
REFUSED = b"refused "  # they cannot be, and why
REST = b"rest"  # the batch took long; what is left of it is given back

_problem, _verdict, _step = (  # a record's fields in order; `dataclasses.asdict` would copy them all
    attrgetter(*(f.name for f in fields(record))) for record in (Problem, Verdict, StepVerdict)
)


def pack(items: Iterable[tuple[str, Problem, str]]) -> bytes:
    """A batch; the ids of the attempts stay behind."""
    return json.dumps([(_problem(problem), text) for _, problem, text in items]).encode()


def unpack(message: bytes) -> list[tuple[Problem, str]]:
    """The batch at the far end."""
    return [(Problem(*row), text) for row, text in json.loads(message)]


def pack_judged(judged: Judged) -> bytes:
    """One judgement."""
    return json.dumps((_verdict(judged.verdict), [_step(s) for s in judged.steps])).encode()


def unpack_judged(message: bytes, attempt_id: str) -> Judged:
    """The judgement, of this attempt. `attempt_id` is the last field of both records."""
    verdict, steps = json.loads(message)
    for row in (verdict, *steps):
        row[-1] = attempt_id
    return Judged(Verdict(*verdict), [StepVerdict(*row) for row in steps])
