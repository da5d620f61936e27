"""One attempt judged: the verdict of the problem's verifier, and the verdicts of its steps. Runs inside a worker."""

from dataclasses import dataclass, replace
from functools import cache
from time import perf_counter
from types import ModuleType

from data import registry
from data.errors import UserError
from data.records import Problem, StepVerdict, Verdict
from verifiers._steps import check_steps


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and the verdicts of the steps, empty where steps are not checked."""

    verdict: Verdict
    steps: list[StepVerdict]


def judge(problem: Problem, text: str) -> Judged:
    """The judgement of one completion. A verifier that fails is a fault, hence `unverified`, never a wrong answer.

    Raises UserError when what the verifier needs, such as a sandbox, was lost and cannot be had again.
    """
    began = perf_counter()
    try:
        verifier = _verifier(problem.verifier)
        verdict = verifier.verify(problem, text)
        steps = getattr(verifier, "check_steps", check_steps)(problem, text)  # its own, or the rule in the gold
    except UserError:  # nothing can be judged in this process any more; it ends and the attempt is tried again
        raise
    except Exception as e:  # whatever a verifier raises is its own fault, and must not become a label
        verdict, steps = fault(problem, f"{type(e).__name__}: {e}"), []
    reason = _naming(verdict.reason, steps)
    return Judged(replace(verdict, reason=reason, ms=1000 * (perf_counter() - began)), steps)


def _naming(reason: str, steps: list[StepVerdict]) -> str:
    """The reason of a verdict, and the first wrong step, where there is one and the verifier has not named it."""
    wrong = next((step for step in steps if step.outcome == "incorrect"), None)
    return reason if wrong is None or wrong.reason in reason else f"{reason}; step {wrong.index + 1}: {wrong.reason}"


@cache
def _verifier(name: str) -> ModuleType:
    """The verifier of that name; looking it up lists a folder. Raises LookupError."""
    return registry.load("verifiers", name)


def prepare(names: set[str]) -> None:
    """Start what these verifiers need, such as a sandbox, before the clock of any attempt runs. Raises UserError."""
    for name in sorted(names & set(registry.known("verifiers"))):  # an unknown one is a fault of its attempts
        getattr(_verifier(name), "prepare", lambda: None)()


def fault(problem: Problem, reason: str) -> Verdict:
    """The verdict when the judging itself failed."""
    return Verdict("unverified", f"fault: {reason[:200]}", verifier=problem.verifier)
