"""One run with its kills: their moments, the kills, what came of them. Not here: which, and the table (`chaos.py`)."""

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx

from bench import _chaos_checks as checks
from bench._chaos_machine import ENGINE, TRAINING, VERIFIER, Machine, kill
from data.ids import derived_seed
from data.store import SUMMARY

KILLS = ("task", "flow", "runner", "server", "everything")
# The file that ends each stage, below `manifests/<run>`; a stage begins when the one before it ends.
ENDS = {
    "begin": "round-0/evaluate-*.json",
    "problems": "round-1/audit.json",
    "propose": "round-1/decontaminate.json",
    "generate": "round-1/generate.json",
    "verify": "round-1/verify.json",
    "curate": "round-1/gate.json",
    "distill": "round-1/distill.json",
    "evaluate": "round-1/evaluate-*.json",
    "promote": f"../../{{run}}/{SUMMARY}",
}
STAGES = tuple(ENDS)[1:]
AT_WORK = {"problems": VERIFIER, "verify": VERIFIER, "distill": TRAINING}
CHANGES: dict[str, Any] = {
    "engine": {"name": "rehearsal"},
    "generate": {"problems": 120, "proposals": 40},
    "verify": {"timeout_s": 60},  # on a busy machine too, a verdict is not a time-out
}
UNDISTURBED = "undisturbed"
PATIENCE_S = 900.0  # of a busy machine
SETTLED_S = 100.0  # a run that has failed for so long is not tried again
GRACE_S = 60.0  # for processes and slots of a run that has ended


@dataclass(frozen=True, slots=True)
class Plan:
    """One kill: of what, in which stage, which of the `times`, and how often that was missed."""

    kill: str
    stage: str
    number: int
    times: int
    missed: int = 0

    @property
    def fraction(self) -> float:
        """The moment, as a share of the stage: at random in its own stretch of it, earlier after a miss."""
        rng = Random(derived_seed("chaos", self.kill, self.stage, self.number))
        return (self.number + rng.random()) / self.times / 2**self.missed


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one kill. `landed`: the stage it hit; `saved_s`: before it, the last commit; times in seconds."""

    kill: str
    stage: str
    number: int
    landed: str
    killed: str  # the command; empty: there was nothing to kill
    state: str
    message: str
    saved_s: float
    recover_s: float  # until the run committed something again
    run: str
    total_s: float  # of the run, with all its kills, from the form to its end
    processes: list[str]  # left over
    slots: list[str]  # left over
    zombies: int  # flow runs that are said to be running
    damage: checks.Damage

    @property
    def clean(self) -> bool:
        """Nothing is lost, twice or left over, and the run reached its end; a kill that missed did no harm either."""
        left = self.processes or self.slots or self.zombies
        return self.state == "Completed" and not left and not any(asdict(self.damage).values())


def ends(home: Path, run: str, stage: str) -> Path | None:
    """The file that ends a stage, None while there is none."""
    return next((home / "manifests" / run).glob(ENDS[stage].format(run=run)), None)


def lengths(home: Path) -> dict[str, float]:
    """How long each stage of the undisturbed run took."""
    at = [path.stat().st_mtime for stage in ENDS if (path := ends(home, UNDISTURBED, stage))]
    return {stage: at[i + 1] - at[i] for i, stage in enumerate(STAGES)}


def await_end(machine: Machine, run: str, flow_run: str, stage: str, until: float) -> None:
    """Wait until a stage has ended. Raises RuntimeError when the run ends before."""
    looked = time.monotonic()
    while not ends(machine.home, run, stage):
        time.sleep(0.003)
        if time.monotonic() > looked + 3:
            looked, state = time.monotonic(), machine.state(flow_run)
            if state["type"] in ("FAILED", "CRASHED", "CANCELLED", "COMPLETED") or time.monotonic() > until:
                raise RuntimeError(f"run {run} did not get to the end of {stage}: {state['name']} {state['message']}")


def victims(machine: Machine, plan: Plan, flow_run: str) -> list[Any]:
    """The processes to be killed; empty while there are none."""
    if plan.kill == "task":
        at_work = AT_WORK.get(plan.stage, VERIFIER if plan.stage == "evaluate" and plan.number % 2 else ENGINE)
        return machine.task(flow_run, at_work)[:1]
    found = {"flow": machine.flow, "runner": machine.runner}.get(plan.kill, lambda _: machine.server())(flow_run)
    return [found] if found else []


def strike(machine: Machine, plan: Plan, run: str, flow_run: str, length: float) -> str:
    """Wait for the moment, and kill; the command of what was killed."""
    before = list(ENDS)[list(ENDS).index(plan.stage) - 1]
    known = victims(machine, plan, flow_run) if plan.kill in ("flow", "runner", "server") else []
    await_end(machine, run, flow_run, before, time.monotonic() + PATIENCE_S)
    time.sleep(plan.fraction * length)
    if plan.kill == "everything":
        machine.kill_everything()
        return "everything"
    while not known and not ends(machine.home, run, plan.stage):
        known = victims(machine, plan, flow_run)
    for process in known:
        if command := kill(process):
            return command[-60:]
    return ""


def undisturbed(machine: Machine, recipe: str) -> dict[str, float]:
    """The run to compare with, played unless it was; how long each of its stages took."""
    if not ends(machine.home, UNDISTURBED, "promote"):
        flow_run = machine.trigger(UNDISTURBED, recipe, CHANGES)
        state = until_settled(machine, flow_run, time.monotonic() + PATIENCE_S)
        if state["name"] != "Completed":
            raise RuntimeError(f"the undisturbed run ended as {state['name']}: {state['message']}")
    return lengths(machine.home)


@dataclass(frozen=True, slots=True)
class Hit:
    """A kill that was tried, before the run has ended."""

    plan: Plan
    landed: str
    killed: str
    saved_s: float
    recover_s: float
    before: checks.Files  # what was committed


def play(machine: Machine, plans: Sequence[Plan], run: str, recipe: str, lengths: dict[str, float]) -> list[Result]:
    """One run with a kill for each plan, in the order of the stages; those that it did not come to are left out."""
    began, flow_run = time.monotonic(), machine.trigger(run, recipe, CHANGES)
    hits, missed = list[Hit](), ""
    try:
        await_end(machine, run, flow_run, "begin", began + PATIENCE_S)
        for plan in plans:
            hits.append(disturb(machine, plan, run, flow_run, lengths[plan.stage]))
    except RuntimeError as e:
        missed = str(e)
        hits = hits or [Hit(plans[0], "", "", 0, 0, {})]
    state = until_settled(machine, flow_run, time.monotonic() + PATIENCE_S)
    total, (processes, slots, zombies) = round(time.monotonic() - began, 2), left_over(machine)
    return [
        Result(
            h.plan.kill, h.plan.stage, h.plan.number, h.landed, h.killed, state["name"],
            missed or state["message"] or "", h.saved_s, h.recover_s, run, total,
            processes, slots, zombies, checks.damage(machine.home, run, UNDISTURBED, h.before),
        )
        for h in hits
    ]  # fmt: skip


def disturb(machine: Machine, plan: Plan, run: str, flow_run: str, length: float) -> Hit:
    """One kill, and the wait for what comes after it. Raises RuntimeError when the run ends before its stage."""
    killed = strike(machine, plan, run, flow_run, length)
    at, clock = time.monotonic(), time.time()
    landed = next((stage for stage in STAGES if not ends(machine.home, run, stage)), "end")
    before = checks.files(machine.home, run)
    if plan.kill == "everything":
        machine.start()
    recovered = until_more(machine.home, run, before, landed) - at if killed else 0
    saved = clock - max(t for _, t in before.values()) / 1e9
    return Hit(plan, landed, killed, round(saved, 2), round(recovered, 2), before)


def until_more(home: Path, run: str, before: checks.Files, landed: str) -> float:
    """When the run committed something that was not there before (or after PATIENCE_S nothing)."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if checks.files(home, run).keys() - before.keys() or ends(home, run, "promote") or landed == "end":
            break
        time.sleep(0.05)
    return time.monotonic()


def until_settled(machine: Machine, flow_run: str, until: float, every: float = 0.3) -> dict[str, Any]:
    """The state of a flow run that has ended and is not begun again by itself (in SETTLED_S); asked `every` s."""
    state, since = machine.state(flow_run), time.monotonic()
    while state["type"] not in ("COMPLETED", "CANCELLED") and time.monotonic() < until:
        time.sleep(every)
        if (found := machine.state(flow_run))["name"] != state["name"]:
            state, since = found, time.monotonic()
        if state["type"] in ("FAILED", "CRASHED") and time.monotonic() > since + SETTLED_S:
            break
    return state


def until_idle(machine: Machine) -> None:
    """Wait until no flow run is left that has not ended, such as that of trials which were stopped."""
    until, states = time.monotonic() + PATIENCE_S, ["RUNNING", "PENDING", "CANCELLING", "SCHEDULED"]
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):  # a busy server
            if not machine.ask("post", "/flow_runs/count", _in(states)):
                return
        time.sleep(1)
    raise RuntimeError(f"flow runs of earlier trials do not end: see {machine.home / 'up.log'}")


def _in(states: list[str]) -> dict[str, Any]:
    """A filter of flow runs."""
    return {"flow_runs": {"state": {"type": {"any_": states}}}}


def left_over(machine: Machine) -> tuple[list[str], list[str], int]:
    """Processes, slots taken and runs said to be running, after GRACE_S at most."""
    until, processes, slots, zombies = time.monotonic() + GRACE_S, ["?"], ["?"], 1
    while (processes or slots or zombies) and time.monotonic() < until:
        time.sleep(0.3)
        with suppress(httpx.HTTPError):  # the server may be starting
            limits = machine.ask("post", "/v2/concurrency_limits/filter", {})
            slots = [limit["name"] for limit in limits if limit["active_slots"]]
            zombies = int(machine.ask("post", "/flow_runs/count", _in(["RUNNING", "PENDING", "CANCELLING"])))
        processes = machine.left_over()
    return processes, slots, zombies


def forget(home: Path, run: str) -> None:
    """Delete a run that was as it should be: the next ones are compared sooner."""
    for folder in (home / "manifests" / run, home / run, *home.glob(f"lake/*/run={run}")):
        shutil.rmtree(folder)
