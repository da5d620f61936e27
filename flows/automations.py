"""What the Prefect server does for our runs by itself: slots, zombies, messages. Applied again, nothing changes.

Prefect's own limits, automations and blocks, so a person may look at them, and pause them, in its UI.
Not here: what goes on after a crash (`flows/recovery.py`).
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from prefect.blocks.webhook import Webhook
from prefect.client.schemas.objects import StateType
from prefect.events.actions import CallWebhook, ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from flows import device
from flows.flow_runs import TAG

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

SILENCE_S = 90  # three heartbeats missed; Prefect allows none more often than every 30 s
BEAT = "prefect.flow-run.heartbeat"
ENDED = ("Completed", "Failed", "Crashed")
NOT_RUNNING = (*ENDED, "Cancelled", "Scheduled", "AwaitingRetry", "Late", "Suspended")
ZOMBIES, MESSAGES, BLOCK = "flywheel-zombies", "flywheel-messages", "flywheel-messages"
RUN = {"prefect.resource.id": "prefect.flow-run.*"}
TAGGED = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
DEPLOYED = {"prefect.resource.role": "deployment"}  # a round within a run has a name of its own and no deployment
PAYLOAD = """{"run": {{ flow_run.name | tojson }}, "flow": {{ flow.name | tojson }},
 "state": {{ flow_run.state.name | tojson }}, "message": {{ (flow_run.state.message or "") | tojson }},
 "text": {{ (flow_run.name ~ ": " ~ flow_run.state.name ~ ". " ~ (flow_run.state.message or "")) | tojson }},
 "url": {{ flow_run | ui_url | tojson }}}"""


def apply(client: "SyncPrefectClient", notify: str | None) -> None:
    """The device's slot, the automation that finds zombies, and messages to the webhook `notify` (None: as it is)."""
    device.make(client)
    _put(client, zombies())
    if notify:
        block = Webhook(url=notify)  # pydantic makes a secret of it
        block.save(BLOCK, overwrite=True)
        _put(client, messages(block))


def zombies() -> AutomationCore:
    """A flow run of ours whose heartbeats have stopped is Crashed. Needs PREFECT_FLOWS_HEARTBEAT_FREQUENCY."""
    return AutomationCore(
        name=ZOMBIES,
        description=f"A run of the flywheel that has been silent for {SILENCE_S} s has crashed.",
        trigger=EventTrigger(
            match=ResourceSpecification(RUN),
            match_related=[ResourceSpecification(TAGGED)],
            for_each={"prefect.resource.id"},
            after={BEAT},
            expect={BEAT, *(f"prefect.flow-run.{state}" for state in NOT_RUNNING)},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=SILENCE_S),
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=f"No heartbeat for {SILENCE_S} s.")],
    )


def messages(block: Webhook) -> AutomationCore:
    """Each flow run of ours that ends well, or badly, is told to the webhook, as JSON that Slack reads too."""
    assert block._block_document_id is not None  # it was saved
    return AutomationCore(
        name=MESSAGES,
        description="Tells a webhook how a run of the flywheel ended (flywheel up --notify).",
        trigger=EventTrigger(
            match=ResourceSpecification(RUN),
            match_related=[ResourceSpecification(TAGGED), ResourceSpecification(DEPLOYED)],
            for_each={"prefect.resource.id"},
            expect={f"prefect.flow-run.{state}" for state in ENDED},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[CallWebhook(block_document_id=block._block_document_id, payload=PAYLOAD)],
    )


def _put(client: "SyncPrefectClient", wanted: AutomationCore) -> None:
    """Create it, or bring the one of that name up to date; one that a person has paused stays so."""
    for found in client.read_automations_by_name(wanted.name):
        client.update_automation(found.id, wanted.model_copy(update={"enabled": found.enabled}))
        return
    client.create_automation(wanted)
