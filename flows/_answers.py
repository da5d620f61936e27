"""How a flow ends: in words, and what a failure means for another try. Not here: the flows (`entries.py`)."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from prefect import get_client
from prefect.context import get_run_context
from prefect.states import Completed, Failed

from data.errors import Died, UserError

TRIES, WAIT_S = 2, 10  # further tries after a process of ours died, and the seconds before each

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
    try:
        message, figures = work()
    except UserError as e:
        if isinstance(e, Died) and _try_again(TRIES):
            raise
        _try_again(0)
        return cast(Figures, Failed(message=str(e), data=e))
    return cast(Figures, Completed(message=message, data=figures))


def _try_again(tries: int) -> bool:
    """Sets how often Prefect may run this flow again; returns whether it will."""
    run = get_run_context().flow_run  # type: ignore[union-attr]
    assert run is not None
    policy = run.empirical_policy
    if (policy.retries or 0) != tries:
        policy = policy.model_copy(update={"retries": tries, "retry_delay": WAIT_S})
        with get_client(sync_client=True) as client:
            client.update_flow_run(run.id, empirical_policy=policy)
    return run.run_count <= tries
