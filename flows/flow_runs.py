"""Flow runs of our deployments, as the server knows them. Not here: what becomes of them (`recovery.py`)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
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


def ours(
    client: "SyncPrefectClient", *states: StateType, ended: FlowRunFilterEndTime | None = None
) -> Iterator[FlowRun]:
    """Flow runs of our deployments in these states; `ended`: and when they ended."""
    wanted = FlowRunFilter(state=_in(*states), end_time=ended)
    deployments = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    runs: list[FlowRun] = []
    while len(page := _page(client, wanted, deployments, len(runs))) == PAGE:
        runs += page
    yield from runs + page


def children(client: "SyncPrefectClient", run: FlowRun) -> list[FlowRun]:
    """Flow runs within this one that still seem to be alive."""
    wanted = FlowRunFilter(
        parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run.id]),
        state=_in(*ALIVE),
    )
    return list(client.read_flow_runs(flow_run_filter=wanted))


def place_taken(client: "SyncPrefectClient", run: FlowRun) -> bool:
    """Whether another flow run of its deployment is at work."""
    wanted = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[run.deployment_id] if run.deployment_id else []),
        state=_in(*AT_WORK),
    )
    return bool(client.read_flow_runs(flow_run_filter=wanted, limit=1))


def age(run: FlowRun) -> float:
    """Seconds in its state."""
    return (datetime.now(UTC) - run.state.timestamp).total_seconds() if run.state else 0.0


def _page(
    client: "SyncPrefectClient", wanted: FlowRunFilter, deployments: DeploymentFilter, offset: int
) -> list[FlowRun]:
    return list(client.read_flow_runs(flow_run_filter=wanted, deployment_filter=deployments, limit=PAGE, offset=offset))


def _in(*states: StateType) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))
