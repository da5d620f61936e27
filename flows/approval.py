"""Asking a person before a model is promoted. Not here: the test that it has to pass first (`tasks/promote.py`)."""

from data.store import At, Store
from flows.course import Course
from tasks.promote import Ask, nobody
from tasks.serving import Serving


def asking(store: Store, at: At, course: Course, incumbent_id: str, challenger_id: str, serving: Serving) -> Ask:
    """Who is asked before the challenger is promoted. The device is given back while the run waits for an answer."""
    return nobody
