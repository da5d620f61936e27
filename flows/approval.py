"""Asking a person before a model is promoted: in Prefect's UI where a deployment runs, else in the terminal.

In the UI the flow run that the person started is paused, and its Resume button shows the comparison and a short form.
The run's process waits, without the device, and carries on with the answer; one that was killed while it waited asks
again, unless it was answered meanwhile. Not here: the test that a model has to pass first (`tasks/promote.py`).
"""

import sys
import threading
from contextlib import suppress
from contextvars import copy_context
from typing import Literal
from uuid import uuid4

from prefect import get_client, pause_flow_run, resume_flow_run
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import NotPausedError, PrefectHTTPStatusError
from prefect.input import RunInput
from prefect.input.actions import filter_flow_run_input
from prefect.runtime import flow_run as this_run
from pydantic import Field
from rich.console import Console
from rich.markdown import Markdown
from rich.prompt import Confirm, Prompt

from data.errors import UserError
from data.store import At, Store
from flows.course import Course
from flows.terminal import say
from tasks.comparison import comparison
from tasks.promote import Answer, Ask, nobody
from tasks.serving import Serving

NOBODY = "nobody answered within"  # as the reason of an answer that the clock gave
POLL_S = 2  # between looks at whether somebody has answered
LATE_S = 600  # the server's own time limit, which fails the run, is this much later than ours


class Approval(RunInput):
    """The form behind Resume."""

    decision: Literal["promote", "keep the incumbent"] = Field(
        title="Decision", description="promote: the challenger starts the next round; else the incumbent does"
    )
    reason: str = Field("", title="Reason", max_length=500, description="kept in the ledger with the decision")

    def answer(self) -> Answer:
        """In the words of the ledger."""
        if self.reason.startswith(NOBODY):
            return Answer(False, self.reason)
        because = f": {' '.join(self.reason.split())}" if self.reason.strip() else ""
        if self.decision == "promote":
            return Answer(True, f"approved by a person{because}")
        return Answer(False, f"a person kept the incumbent{because}")


def asking(store: Store, at: At, course: Course, incumbent_id: str, challenger_id: str, serving: Serving) -> Ask:
    """Who is asked before the challenger is promoted. The device is given back while the run waits for an answer."""
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
    """Pause the flow run that a person started until it is answered, or nobody has for `hours`."""
    if (earlier := _answered(started, question)) is not None:
        return earlier.answer()
    say(f"Paused for a person's approval: answer by Resume in Prefect's UI within {hours:g} hours")
    late = Approval(decision="keep the incumbent", reason=f"{NOBODY} {hours:g} hours")
    timer = threading.Timer(3600 * hours, copy_context().run, (_resume, started, late))
    timer.daemon = True
    timer.start()
    try:
        with _context_of(started):
            form = Approval.with_initial_data(description=shown)
            timeout = int(3600 * hours) + LATE_S
            return pause_flow_run(form, timeout, POLL_S, key=f"{question}-{uuid4().hex[:8]}").answer()
    finally:
        timer.cancel()


def in_terminal(shown: str) -> Answer:
    """Ask whoever sits at the terminal, without a time limit. Raises UserError where there is no terminal."""
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask in: go on with the run in one, with --ask, or without asking")
    console = Console()
    console.print(Markdown(shown))
    promote = Confirm.ask("Promote the challenger?", console=console)
    reason = Prompt.ask("Reason (kept in the ledger)", console=console, default="", show_default=False)
    return Approval(decision="promote" if promote else "keep the incumbent", reason=reason[:500]).answer()


def _started() -> FlowRun:
    """The flow run that a person or a schedule started: the outermost one."""
    with get_client(sync_client=True) as client:
        return client.read_flow_run(this_run.root_flow_run_id)


def _answered(started: FlowRun, question: str) -> Approval | None:
    """The answer that came while no process waited for it."""
    for found in filter_flow_run_input(f"paused-{question}-", limit=100, flow_run_id=started.id):
        if found.key.endswith("-response"):
            return Approval.load_from_flow_run_input(found)
    return None


def _context_of(started: FlowRun) -> FlowRunContext:
    """This flow run's context with the other flow run in it: what is paused is the one that the person looks at."""
    context = FlowRunContext.get()
    if context is None:
        raise RuntimeError("only a flow run can be paused")
    return context.model_copy(update={"flow_run": started})


def _resume(started: FlowRun, answer: Approval) -> None:
    """Answer for a person who did not come."""
    with suppress(NotPausedError, PrefectHTTPStatusError, RuntimeError):  # somebody came after all
        resume_flow_run(started.id, run_input=answer.model_dump())
