"""Asking a person before a model is promoted: in Prefect's UI where a deployment runs, else in the terminal.

In the UI the flow run that the person started is suspended, and its Resume button shows the comparison and a short
form. Its process ends, and gives back all it had; with the answer it starts again, reads back what is committed, and
carries on. (A run that is only paused keeps its process but loses the slot of its deployment, for which Prefect 3.7.7
ends it within minutes.) Not here: the test that a model has to pass first (`tasks/promote.py`).
"""

import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from prefect import get_client, suspend_flow_run
from prefect.client.schemas.objects import FlowRun, FlowRunInput
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.input import RunInput
from prefect.runtime import flow_run as this_run
from pydantic import Field
from rich.console import Console
from rich.markdown import Markdown
from rich.prompt import Confirm, Prompt

from data.errors import UserError
from data.store import At, Store
from flows.course import Budget, Course
from flows.flow_runs import age
from flows.terminal import say
from tasks.comparison import comparison
from tasks.promote import Answer, Ask, nobody
from tasks.serving import Serving

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

NOBODY = "nobody answered within"  # as the reason of an answer that the clock gave
MOST = 200  # inputs of one flow run that are looked at


class Approval(RunInput):
    """The form behind Resume."""

    decision: Literal["promote", "keep the incumbent"] = Field(
        title="Decision", description="promote: the challenger starts the next round; else the incumbent does"
    )
    reason: str = Field("", title="Reason", max_length=500, description="kept in the ledger with the decision")

    def answer(self, waited_s: float) -> Answer:
        """In the words of the ledger."""
        if self.reason.startswith(NOBODY):
            return Answer(False, self.reason, waited_s)
        because = f": {' '.join(self.reason.split())}" if self.reason.strip() else ""
        if self.decision == "promote":
            return Answer(True, f"approved by a person{because}", waited_s)
        return Answer(False, f"a person kept the incumbent{because}", waited_s)


def asking(store: Store, at: At, course: Course, incumbent_id: str, challenger_id: str, serving: Serving) -> Ask:
    """Who is asked before the challenger is promoted. The device is given back first."""
    if course.promotion == "nobody":
        return nobody

    def ask(why: str) -> Answer:
        serving.close()
        shown = comparison(store, at, incumbent_id, challenger_id, why)
        started = _started()
        if started.deployment_id is None:
            return in_terminal(shown)
        return in_ui(started, f"{at.round}-{challenger_id}", shown, course.budget.answer_hours)

    return ask


def in_ui(started: FlowRun, question: str, shown: str, hours: float) -> Answer:
    """What a person said. While nobody has, the flow run that they started is suspended: Prefect's Pause is raised."""
    asked = _inputs(started, f"suspended-{question}-")
    for found in asked:
        if found.key.endswith("-response"):
            first = min(filter(None, (i.created for i in asked)), default=None)
            waited = (found.created - first).total_seconds() if found.created and first else 0.0
            return Approval.load_from_flow_run_input(found).answer(waited)
    say(f"Suspended until a person answers, by Resume in Prefect's UI; after {hours:g} hours the incumbent stays")
    with _context_of(started) as context:
        form = Approval.with_initial_data(description=shown)
        suspend_flow_run(form, started.id, key=f"{question}-{uuid4().hex[:8]}")
        context.flow_run_suspension_request.raise_if_requested()
    raise RuntimeError(f"flow run {started.name} was not suspended")


def close_overdue(client: "SyncPrefectClient", runs: Iterable[FlowRun]) -> list[str]:
    """Answer for those who did not come: their incumbents stay. Returns what was done, a sentence for each flow run."""
    done = []
    for run in runs:
        if run.state is None or not run.state.is_paused() or not run.state.state_details.run_input_keyset:
            continue  # at work; or a person has suspended it, and nobody is asked
        hours = Budget.model_validate(run.parameters.get("budget") or {}).answer_hours
        if age(run) >= 3600 * hours:
            late = Approval(decision="keep the incumbent", reason=f"{NOBODY} {hours:g} hours")
            with suppress(PrefectHTTPStatusError):  # somebody came after all
                client.resume_flow_run(run.id, run_input=late.model_dump())
                done.append(f"{run.name}: {late.reason}")
    return done


def in_terminal(shown: str) -> Answer:
    """Ask whoever sits at the terminal, without a time limit. Raises UserError where there is no terminal."""
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask in: go on with the run in one, with --ask, or without asking")
    console, began = Console(), time.monotonic()
    console.print(Markdown(shown))
    promote = Confirm.ask("Promote the challenger?", console=console)
    reason = Prompt.ask("Reason (kept in the ledger)", console=console, default="", show_default=False)
    said = Approval(decision="promote" if promote else "keep the incumbent", reason=reason[:500])
    return said.answer(time.monotonic() - began)


def _started() -> FlowRun:
    """The flow run that a person or a schedule started: the outermost one."""
    with get_client(sync_client=True) as client:
        return client.read_flow_run(this_run.root_flow_run_id)


def _inputs(started: FlowRun, prefix: str) -> list[FlowRunInput]:
    """The forms that were shown of a question, and the answers, which may have come while no process ran."""
    with get_client(sync_client=True) as client:
        return client.filter_flow_run_input(started.id, key_prefix=prefix, limit=MOST, exclude_keys=set())


def _context_of(started: FlowRun) -> FlowRunContext:
    """This flow run's context with the other flow run in it: the one that the person looks at is suspended."""
    context = FlowRunContext.get()
    if context is None:
        raise RuntimeError("only a flow run can be suspended")
    return context.model_copy(update={"flow_run": started})
