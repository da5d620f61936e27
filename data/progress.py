"""How a stage tells how far it is: a plain callback, so that tasks need no terminal and no workflow engine."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]  # done, total, a few words


def silent(done: int, total: int, text: str) -> None:
    """Progress that nobody watches."""
