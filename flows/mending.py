"""What `flywheel doctor` asks the device and Prefect: is there a slot, a run or a schedule that nobody looks after?

A check changes nothing; what it brings to mend it may, in the same call as long as its generator is open.
Not here: checks that need neither (`tasks/doctor.py`), and the recovery itself (`flows/recovery.py`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL
from prefect.states import Crashed

from data import locks
from data.errors import UserError
from data.manifest import locks_of
from data.store import home
from flows import _turns, automations, device, environment, leases, recovery
from flows.flow_runs import TAG, unsettled
from tasks import _device_checks
from tasks._findings import Finding
from tasks.first_model import SEED_POLICY
from tasks.settings import EngineSettings

LATE_S = 60.0  # after its time, before a scheduled run counts as late


def examine(settings: EngineSettings | None) -> Iterator[Finding]:
    """All checks, each yielded when it is done; an engine is started with these settings."""
    yield slot()
    if settings:
        yield engine(settings)
    url = PREFECT_API_URL.value()
    if not url:
        yield Finding("server", "ok", "none serves this home: `flywheel up` starts one, a run from here has its own")
        return
    with get_client(sync_client=True) as client:
        if fault := client.api_healthcheck():
            text = f"no Prefect server answers at {url} ({fault}): start `flywheel up`, or unset PREFECT_API_URL"
            yield Finding("server", "failed", text)
            return
        yield Finding("server", "ok", f"Prefect {client.api_version()} answers at {url}")
        found = _deployments(client)
        yield served(found)
        yield schedules(client, found)
        yield watch(client)
        yield zombies(client)
        yield abandoned(client)
        yield limit(client)


def slot() -> Finding:
    """The device's slot: whose it is, and whether a run was killed that had it."""
    if who := _turns.holder():
        return Finding("device", "ok", f"{_turns.name()}: {who}")
    if left := _turns.left_behind():
        text = f"{_turns.name()}: {left.run or 'a process'} (process {left.pid}) was killed while it had the slot"
        return Finding("device", "failed", text, _free)
    return Finding("device", "ok", f"{_turns.name()} is free")


def engine(settings: EngineSettings) -> Finding:
    """A real start, unless a run has the device."""
    try:
        with _turns.at_once() as mine:
            if mine:
                return _device_checks.engine(settings, SEED_POLICY)
    except UserError as e:
        return Finding("engine", "failed", str(e))
    return Finding("engine", "ok", f"not started: {_turns.holder() or 'the device is in use'}")


def served(found: list[DeploymentResponse]) -> Finding:
    """Whether what can be started from the UI would be."""
    if not found:
        return Finding("deployments", "warning", "none: `flywheel up` serves them")
    idle = [d.name for d in found if not d.status or d.status.value != "READY"]
    if not idle:
        return Finding("deployments", "ok", f"{len(found)} are served")
    awaited = [d.name for d in found if d.name in idle and _scheduled(d)]
    text = f"nobody serves {', '.join(idle)}: start `flywheel up`"
    if awaited:
        return Finding("deployments", "failed", f"{text}, the schedule of {', '.join(awaited)} is on")
    return Finding("deployments", "warning", text)


def schedules(client: SyncPrefectClient, found: list[DeploymentResponse]) -> Finding:
    """Whether schedules that are on have runs ahead, and none that is late."""
    on = [d for d in found if _scheduled(d)]
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        deployment_id=FlowRunFilterDeploymentId(any_=[d.id for d in on]),
    )
    runs = client.read_flow_runs(flow_run_filter=wanted, limit=200) if on else []
    late = [r.name for r in runs if r.expected_start_time and _seconds_since(r.expected_start_time) > LATE_S]
    empty = [d.name for d in on if d.id not in {r.deployment_id for r in runs}]
    if empty:
        text = f"the schedule of {', '.join(empty)} is on, but no run of it is planned: see the server's log"
        return Finding("schedules", "warning", text)
    if late:
        return Finding("schedules", "warning", f"{len(late)} runs are late, such as {late[0]}")
    return Finding("schedules", "ok", f"{len(on)} are on, {len(runs)} runs ahead" if on else "all are switched off")


def watch(client: SyncPrefectClient) -> Finding:
    """The automation that finds runs whose heartbeat has stopped."""
    there = client.read_automations_by_name(automations.ZOMBIES)
    if any(a.enabled for a in there):
        return Finding("automation", "ok", f"{automations.ZOMBIES} is on")
    if there:
        return Finding("automation", "warning", f"{automations.ZOMBIES} is switched off in Prefect")
    return Finding("automation", "warning", f"{automations.ZOMBIES} is missing", lambda: _apply(client))


def zombies(client: SyncPrefectClient) -> Finding:
    """Served runs that seem to be alive and have no process on this machine, or that crashed and do not go on."""
    runs = unsettled(client)
    gone = [f"no process plays {run.name}" for run in recovery.gone(recovery.here(client, runs))]
    gone += [f"{run.name} crashed and does not go on" for run in recovery.crashed(runs)]
    if not gone:
        return Finding("zombies", "ok", "every served run that seems to be alive is")
    return Finding("zombies", "failed", "; ".join(gone), lambda: "; ".join(recovery.recover(client, unsettled(client))))


def abandoned(client: SyncPrefectClient) -> Finding:
    """Runs that were started in a terminal, in this home, and killed: nobody tells Prefect."""
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING])),
        deployment_id=FlowRunFilterDeploymentId(is_null_=True),
        parent_flow_run_id=FlowRunFilterParentFlowRunId(is_null_=True),
    )
    dead = [r for r in client.read_flow_runs(flow_run_filter=wanted, limit=200) if _killed(r)]
    if not dead:
        return Finding("terminal", "ok", "every run of a terminal that seems to be alive is")
    text = f"no process plays {', '.join(r.name for r in dead)}"
    return Finding("terminal", "failed", text, lambda: _bury(client, dead))


def limit(client: SyncPrefectClient) -> Finding:
    """Prefect's side of the slot: taken by nobody?"""
    try:
        found = client.read_global_concurrency_limit_by_name(_turns.name())
    except ObjectNotFound:
        return Finding("limit", "ok", f"{_turns.name()} is made by the first run")
    if not found.limit:
        return Finding("limit", "warning", f"{_turns.name()} is set to 0 in Prefect: runs wait until it is 1")
    if not found.active_slots or _turns.holder() or _turns.left_behind():
        return Finding("limit", "ok", f"{found.active_slots} of {found.limit} of {_turns.name()} taken")
    if environment.served_at(home() / "prefect") == str(client.api_url).rstrip("/") and not leases.of(found.id):
        text = f"{found.active_slots} of {_turns.name()} are taken by nobody"
        return Finding("limit", "failed", text, lambda: _empty(client))
    text = f"{_turns.name()} is taken by a run of another home or machine; one that was killed loses it in a minute"
    return Finding("limit", "warning", text)


def _free() -> str:
    with device.connect() as client:
        return "freed" if device.free_left(client) else "the run that has the device by now has freed it"


def _apply(client: SyncPrefectClient) -> str:
    automations.apply(client, None)
    return "it was set up"


def _bury(client: SyncPrefectClient, dead: list[FlowRun]) -> str:
    for run in dead:
        client.set_flow_run_state(run.id, Crashed(message="Its process is gone."), force=True)
    return "they are Crashed; `flywheel run … --resume --name …` goes on with one"


def _empty(client: SyncPrefectClient) -> str:
    device.empty(client)
    return "freed"


def _deployments(client: SyncPrefectClient) -> list[DeploymentResponse]:
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    return list(client.read_deployments(deployment_filter=ours))


def _scheduled(deployment: DeploymentResponse) -> bool:
    return not deployment.paused and any(s.active for s in deployment.schedules)


def _seconds_since(when: datetime) -> float:
    return (datetime.now(UTC) - when).total_seconds()


def _killed(run: FlowRun) -> bool:
    """Whether it is a run of this home that no process works on; of other homes, and other flows, nothing is known."""
    name = str(run.parameters.get("run") or run.name)
    lock = locks_of(home(), name)[1]
    return Path(name).name == name and lock.exists() and not locks.busy(lock)
