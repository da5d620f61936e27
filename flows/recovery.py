"""Flow runs whose process is gone, or that crashed, go on by themselves: the same flow run, the same parameters.

On the machine of its server "gone" is exact: no process carries the flow run's id. Elsewhere, and for runs of a work
pool, Prefect's heartbeats say so (`flows/automations.py`). Not here: runs that were started in a terminal; the ledger,
which needs no recovery.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import AwaitingRetry, Cancelled, Crashed

from flows import processes, server
from flows.flow_runs import ALIVE, AT_WORK, age, children

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

MOST_CRASHES = 3  # of one flow run before it is left to a person
SETTLED_S = 20.0  # a flow run that has just changed its state may not have its process yet
CANCEL_S = 15.0  # Prefect's runner hears of no cancellation any more once its server was away for some seconds
AWAY = ("ConnectError", "ConnectTimeout", "ReadError", "ReadTimeout", "RemoteProtocolError", "PoolTimeout")  # of httpx
GIVEN_UP = "Crashed {} times and is not tried again. What is committed stays: Retry goes on from there."
FULL = "Deployment concurrency limit reached."  # what Prefect says of a flow run that it cancels for another one


def here(client: "SyncPrefectClient", runs: list[FlowRun]) -> list[FlowRun]:
    """Those whose processes can be looked for; none when the server is that of another machine."""
    return runs if server.local(str(client.api_url)) else []


def gone(runs: Iterable[FlowRun], settled: float = SETTLED_S) -> list[FlowRun]:
    """Those that should have a process on this machine and have none, in that state for `settled` s."""
    return [r for r in runs if r.state_type in ALIVE and _served(r) and age(r) >= settled and not _process(r)]


def lingering(runs: Iterable[FlowRun]) -> list[FlowRun]:
    """Those with a process on this machine that should have been cancelled by this time."""
    return [r for r in runs if r.state_type == StateType.CANCELLING and age(r) >= CANCEL_S and _process(r)]


def crashed(runs: Iterable[FlowRun]) -> list[FlowRun]:
    """Those that crashed, or lost their server, and have not been given up."""
    return [run for run in runs if run.state and _broke(run.state) and not _given_up(_message(run))]


def turned_away(runs: Iterable[FlowRun]) -> list[FlowRun]:
    """Those that had begun, and were cancelled because another had their place.

    One of each deployment whose place is free. A suspended or crashed run gives its place up, so that a schedule may
    take it before the answer comes.
    """
    runs = sorted(runs, key=age)
    taken = {run.deployment_id for run in runs if run.state_type in AT_WORK}
    found = [r for r in runs if r.state_type == StateType.CANCELLED and r.run_count and _message(r) == FULL]
    return list({run.deployment_id: run for run in found if run.deployment_id not in taken}.values())


def recover(
    client: "SyncPrefectClient", runs: list[FlowRun], settled: float = SETTLED_S, why: str = "Its process was gone"
) -> list[str]:
    """Let them go on, end those that were being cancelled, give up what crashes again and again.

    `runs`: the `unsettled` ones. Returns what was done, a sentence for each. Asked again, there is nothing left to do.
    """
    near = here(client, runs)
    ended, left, broken, waiting = lingering(near), gone(near, settled), crashed(runs), turned_away(runs)
    return [
        *(_end(client, run) for run in ended),
        *(_set_right(client, run, why) for run in left),
        *(_again(client, run) for run in broken),
        *(_its_turn(client, run) for run in waiting),
    ]


def stopped(client: "SyncPrefectClient", played: set[str]) -> None:
    """Let flow runs go on at the next start whose processes were just ended, given their ids."""
    for flow_run in played:
        run = client.read_flow_run(UUID(flow_run))
        if run.state_type in ALIVE:
            _set_right(client, run, "`flywheel up` was stopped")


def _end(client: "SyncPrefectClient", run: FlowRun) -> str:
    for each in (*children(client, run), run):
        client.set_flow_run_state(each.id, Cancelled(message="What was committed before stays."), force=True)
    processes.end_flow_run(run.id)
    return f"{run.name} is cancelled"


def _set_right(client: "SyncPrefectClient", run: FlowRun, why: str) -> str:
    if run.state_type == StateType.CANCELLING:
        return _end(client, run)
    for child in children(client, run):
        client.set_flow_run_state(child.id, Crashed(message=f"{why}."), force=True)
    client.set_flow_run_state(run.id, AwaitingRetry(message=f"{why}: it goes on from what is committed."))
    return f"{run.name} goes on"


def _again(client: "SyncPrefectClient", run: FlowRun) -> str:
    for child in children(client, run):
        client.set_flow_run_state(child.id, Crashed(message="The run around it crashed."), force=True)
    count = crashes(client.read_flow_run_states(run.id))
    if count >= MOST_CRASHES:
        client.set_flow_run_state(run.id, Crashed(message=GIVEN_UP.format(count)), force=True)
        return f"{run.name} crashed {count} times and stays so"
    client.set_flow_run_state(run.id, AwaitingRetry(message=f"Crash {count}: it goes on from what is committed."))
    return f"{run.name} goes on after a crash"


def _its_turn(client: "SyncPrefectClient", run: FlowRun) -> str:
    client.set_flow_run_state(run.id, AwaitingRetry(message="It had to wait for another run: it goes on."))
    return f"{run.name} goes on after another run"


def crashes(states: list[State]) -> int:
    """How often a flow run with this history crashed, since it was last given up and a person let it go on.

    One that was waiting to go on and is said to have crashed had only fallen silent.
    """
    count, before = 0, StateType.PENDING
    for state in sorted(states, key=lambda s: s.timestamp):
        if _broke(state):
            count = 0 if _given_up(state.message or "") else count + (before != StateType.SCHEDULED)
        before = state.type
    return count


def _broke(state: State) -> bool:
    """A crash; or a failure that says no more than that the server was away: Prefect tries a first call only once."""
    lost = (state.message or "").removeprefix("Flow run encountered an exception: ").startswith(AWAY)
    return state.type == StateType.CRASHED or (state.type == StateType.FAILED and lost)


def _given_up(message: str) -> bool:
    return message.endswith(GIVEN_UP.partition("{}")[2])


def _message(run: FlowRun) -> str:
    return (run.state.message if run.state else None) or ""


def _served(run: FlowRun) -> bool:
    """Whether it runs on the machine that serves it, and has a process while it is not finished."""
    suspended = run.state is not None and bool(run.state.state_details.pause_reschedule)
    return run.work_pool_name is None and not suspended


def _process(run: FlowRun) -> bool:
    return bool(processes.of_flow_run(run.id))
