"""The process that serves the deployments: it tells the server what the project needs, then starts what is asked for.

A child of `flywheel up`, as `python -m flows.runner` with its options as JSON on standard input. Killed at any moment,
it is started again and what it ran goes on. Not here: what is served (`flows/deployments.py`).
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectException
from prefect.runner import Runner

from data.errors import UserError
from data.manifest import write_atomic
from data.store import home
from flows import automations, flow_runs, leases, recovery, server
from flows.served import SERVED, Options, Served

AT_ONCE = 4  # flow runs on this machine; those that need the device take turns on it
SWEEP_S = 5.0  # between two looks for runs that crashed
REACH_S = 150.0  # for a server that is just starting


def main() -> int:
    """Serve until killed; 2 when something is wrong that only a person can mend, said in SERVED."""
    from flows import deployments  # while the server is starting

    options, path = Options(**json.load(sys.stdin)), home() / "prefect" / SERVED
    try:
        url = _reached()
        runner = Runner(name="flywheel", limit=AT_ONCE, pause_on_shutdown=False)
        made = deployments.deployments(options.overlap)
        for deployment in made:
            runner.add_deployment(deployment)
        with get_client(sync_client=True) as client:
            automations.apply(client, options.notify)
            rounds = client.read_deployment_by_name(f"{deployments.ROUNDS}/{deployments.ROUNDS}").id
            nightly = deployments.schedule_nights(client, rounds, options.nightly)
            _sweep(client, options.ours, settled=0, why="Its process was gone")
        page = f"{url.removesuffix('/api')}/deployments/deployment/{rounds}"
    except UserError as e:
        _write(path, Served([], error=str(e)))
        return 2
    _write(path, Served([d.name for d in made], page, nightly))
    asyncio.run(_serve(runner, options.ours))
    return 0


async def _serve(runner: Runner, ours: bool) -> None:
    with get_client(sync_client=True) as client:  # one for all sweeps: making it takes as long as a sweep
        async with anyio.create_task_group() as group:
            group.start_soon(runner.start)
            while True:
                await anyio.sleep(SWEEP_S)
                await anyio.to_thread.run_sync(_sweep, client, ours)


def _sweep(
    client: SyncPrefectClient, ours: bool, settled: float = recovery.SETTLED_S, why: str = "Its process ended"
) -> None:
    """What crashed goes on, what nobody has answered is closed, what nobody holds is freed.

    A server that does not answer is asked again later.
    """
    from flows import approval, device  # with all that a run needs, which is imported by then

    try:
        runs = flow_runs.unsettled(client)
        told = [*recovery.recover(client, runs, settled, why), *approval.close_overdue(client, runs)]
        told += ["the device that a killed run had is free"] if device.free_left(client) else []
        for text in [*told, *(leases.free(client) if ours else [])]:
            print(text, flush=True)
    except (httpx.HTTPError, PrefectException, RuntimeError, UserError) as e:  # no server, a run just deleted, no disk
        print(f"runs that crashed could not be looked for: {e}", flush=True)


def _reached() -> str:
    """The address of the server, once it answers. Raises UserError when it does not, or is none for this client."""
    until = time.monotonic() + REACH_S
    while True:
        with get_client(sync_client=True) as client:
            url, fault = str(client.api_url).rstrip("/"), client.api_healthcheck()
            if fault is None:
                try:
                    client.raise_for_api_version_mismatch()
                except RuntimeError as e:
                    raise UserError(f"the Prefect server at {url} cannot be used: {e}") from e
                return url
        if not server.local(url) or time.monotonic() > until:
            raise UserError(f"no Prefect server answers at {url} ({fault}): check PREFECT_API_URL and PREFECT_API_KEY")
        time.sleep(0.2)


def _write(path: Path, served: Served) -> None:
    write_atomic(path, json.dumps(asdict(served)).encode())


if __name__ == "__main__":
    sys.exit(main())
