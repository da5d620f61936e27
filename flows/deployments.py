"""Which flows can be started from Prefect's UI, its command line and its schedules, and the nightly schedule.

Served by the machine that `flywheel up` runs on; `prefect.yaml` gives them to a work pool instead.
Not here: the flows and their forms (`flows/entries.py`).
"""

import os
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.types.entrypoint import EntrypointType

from flows import entries
from flows.flow_runs import TAG
from flows.served import Overlap

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

STRATEGIES = {"cancel": ConcurrencyLimitStrategy.CANCEL_NEW, "queue": ConcurrencyLimitStrategy.ENQUEUE}
ROUNDS = "flywheel"  # the flow that the schedule starts
NIGHTLY = "nightly"  # the schedule, and the run that it continues every night
EVERY_NIGHT = "0 2 * * *"


def flows() -> Iterator[Flow[..., Any]]:
    """What `flows/entries.py` defines, in its order."""
    for name, value in vars(entries).items():
        if isinstance(value, Flow) and value.fn.__module__ == entries.__name__ and not name.startswith("_"):
            yield value


def deployments(overlap: Overlap) -> list[RunnerDeployment]:
    """One for each flow, named like it; one flow run of each at a time.

    A second run of the rounds is cancelled with a reason, or waits, as `overlap` says; the others wait.
    """
    return [_deployment(flow, overlap if flow.name == ROUNDS else "queue") for flow in flows()]


def _deployment(flow: Flow[..., Any], overlap: Overlap) -> RunnerDeployment:
    made = flow.to_deployment(
        name=flow.name.removeprefix("one-"),
        tags=[TAG],
        version=version("flywheel"),
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=STRATEGIES[overlap]),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(made, RunnerDeployment)  # a coroutine only where a loop runs
    for name, field in made._parameter_openapi_schema.properties.items():  # Prefect takes the bare name as the title
        field["title"] = name.replace("_", " ").capitalize()
    return made


def schedule_nights(client: "SyncPrefectClient", deployment: UUID, recipe: str | None) -> bool:
    """Give the rounds their nightly schedule, switched off until a person switches it on; returns whether it is on.

    `recipe`: what the first night starts with; None leaves the schedule that is there as it is. Every night continues
    the model of the night before. Other schedules are not touched.
    """
    parameters = {"recipe": recipe or "demo", "run": NIGHTLY}
    for found in client.read_deployment_schedules(deployment):
        if found.slug == NIGHTLY:
            if recipe:
                client.update_deployment_schedule(deployment, found.id, parameters=parameters)
            return found.active
    made = DeploymentScheduleCreate(
        schedule=CronSchedule(cron=EVERY_NIGHT, timezone=_zone()), active=False, parameters=parameters, slug=NIGHTLY
    )
    client.create_deployment_schedules(deployment, [made])
    return False


def _zone() -> str:
    """The name of this machine's time zone: two o'clock at night is where the user is."""
    name = os.environ.get("TZ") or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError):
        return "UTC"
