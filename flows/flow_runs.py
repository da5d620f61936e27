"""Flow runs of our deployments, as the server knows them. Not here: what becomes of them (`recovery.py`)."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

TAG = "flywheel"  # of every deployment of ours, and so of its flow runs
PAGE = 100
AT_WORK = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
ALIVE = (*AT_WORK, StateType.PAUSED)
DAY_S = 86400.0


def unsettled(client: "SyncPrefectClient") -> list[FlowRun]:
    """Flow runs of ours that somebody may have to look after: two questions, which the server is asked all day long.

    Those that are alive or crashed, and those that failed or were cancelled within the last day.
    """
    lately = FlowRunFilterEndTime(after_=datetime.now(UTC) - timedelta(seconds=DAY_S))
    found = [
        *_ours(client, FlowRunFilter(state=_in(*ALIVE, StateType.CRASHED))),
        *_ours(client, FlowRunFilter(state=_in(StateType.FAILED, StateType.CANCELLED), end_time=lately)),
    ]
    return list({run.id: run for run in found}.values())  # one that ended between the two: the later answer counts


def children(client: "SyncPrefectClient", run: FlowRun) -> list[FlowRun]:
    """Flow runs within this one that still seem to be alive."""
    wanted = FlowRunFilter(
        parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run.id]),
        state=_in(*ALIVE),
    )
    return list(client.read_flow_runs(flow_run_filter=wanted))


def age(run: FlowRun) -> float:
    """Seconds in its state."""
    return (datetime.now(UTC) - run.state.timestamp).total_seconds() if run.state else 0.0


def _ours(client: "SyncPrefectClient", wanted: FlowRunFilter) -> list[FlowRun]:
    deployments = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    runs: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            flow_run_filter=wanted, deployment_filter=deployments, limit=PAGE, offset=len(runs)
        )
        runs += page
        if len(page) < PAGE:
            return runs


def _in(*states: StateType) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))
