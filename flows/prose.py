"""Pieces of Markdown in which nothing that a model wrote can become markup. Not here: what is said (`artifacts.py`)."""

import re
from collections.abc import Sequence

MOST = 600  # characters of one text


def plain(text: str) -> str:
    """Any text as one line that shows as it is: no markup, no HTML, no control characters, at most `MOST` long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line if len(line) <= MOST else line[: MOST - 1] + "…"
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~:])", r"\\\1", line)


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already, its header first."""
    header, *cells = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([header, "|" + " --- |" * len(rows[0]), *cells])


def code(text: str) -> str:
    """A block of code; `text` is ours, a model's could end it."""
    return f"```sh\n{text}\n```"
