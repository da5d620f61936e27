"""What starts a run as a Prefect flow: one flow for each thing a person or a schedule may ask for.

Each is a few lines: parameters to settings, then what does the work. Not here: deployments of these flows.
"""

from typing import Any

from prefect import flow

from flows.course import Course
from flows.rounds import turn
from flows.settings import FlywheelSettings


@flow(name="flywheel", flow_run_name="{run}", validate_parameters=False)
def flywheel(settings: FlywheelSettings, run: str, course: Course) -> dict[str, Any]:
    """Turn the flywheel as far as `course` goes; returns what `summary.json` holds."""
    return turn(settings, run, course)
