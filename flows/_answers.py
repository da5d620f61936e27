"""How a flow ends: in words, and what a failure means for another try. Not here: the flows (`entries.py`)."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast
from uuid import UUID

from prefect import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import get_run_context
from prefect.states import Completed, Failed

from data.errors import Died, UserError
from flows.logs import LOG

TRIES, WAIT_S = 2, 10  # further tries after a process of ours died, and the seconds before each
_tried = set[UUID]()  # flow runs of which a try died in this process

Figures = dict[str, Any]


class Told(NamedTuple):
    """What came of a flow: a sentence, and a few figures. Nothing larger: the rows are in the ledger."""

    message: str
    figures: Figures


def answered(work: Callable[[], Told]) -> Figures:
    """A state: Completed with the sentence and the figures, or Failed with that of the UserError.

    Whoever calls the flow gets the figures, or the UserError.
    Raises Died as long as there are tries left: Prefect then runs the flow again, in this process, after a while.
    """
    run = _run()
    try:
        message, figures = work()
    except UserError as e:
        if isinstance(e, Died) and _try_again(run, TRIES):
            _tried.add(run.id)
            raise
        _try_again(run, 0)
        if run.id in _tried:
            raise
        return cast(Figures, Failed(message=str(e), data=e))
    if run.id in _tried:  # with a State, Prefect would raise what ended the earlier try
        LOG.info(message)
        return figures
    return cast(Figures, Completed(message=message, data=figures))


def _run() -> FlowRun:
    run = get_run_context().flow_run  # type: ignore[union-attr]
    assert run is not None
    return run


def _try_again(run: FlowRun, tries: int) -> bool:
    """Sets how often Prefect may run this flow again; returns whether it will."""
    policy = run.empirical_policy
    if (policy.retries or 0) != tries:
        policy = policy.model_copy(update={"retries": tries, "retry_delay": WAIT_S})
        with get_client(sync_client=True) as client:
            client.update_flow_run(run.id, empirical_policy=policy)
    return run.run_count <= tries
