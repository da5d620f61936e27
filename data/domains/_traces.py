"""Traces from outside: a row with a prompt and a completion, whoever wrote it, as a problem and a text to be judged.

Columns beside those of a problem (`file.py`: answer or tests or gold, level, verifier, split):
    prompt      text, or a list of chat messages
    completion  text, or a list with the one message of the assistant
    messages    instead of both: one user turn and one assistant turn, perhaps after a system turn, which is left out
    model       who wrote it (or model_id); default: the name of the file
    correct     what the file says of it: true or false, or an outcome. It is compared with the verdict, never believed
    finish      stop, length or abort (default: stop);  tokens  of the completion (default: its words and signs)
Not here: whether a completion is right.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from data.domains import _rows, file
from data.records import Finish, Problem

MAX_COMPLETION = 200_000  # characters
MAX_NAME = 100
CLAIMS = ("correct", "is_correct", "outcome")  # columns, the first that is there counts
_SAID = {"true": "correct", "correct": "correct", "1": "correct", "false": "incorrect", "incorrect": "incorrect",
         "0": "incorrect", "no_answer": "incorrect"}  # fmt: skip
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Trace:
    """A completion of a problem. `claimed`: correct, incorrect or nothing, as the row says."""

    problem: Problem
    text: str
    model: str
    claimed: str
    finish: Finish
    tokens: int


def trace(row: _rows.Row, path: Path, problems: Mapping[str, Problem] | None = None) -> Trace:
    """The trace in a row. `problems` by the key of their prompt (`file.split_key`) have the golds, where given.

    Raises ValueError that says what is wrong with the row.
    """
    if row.fault:
        raise ValueError(row.fault)
    prompt, completion = _texts(row.columns)
    asked = {**row.columns, "prompt": prompt}
    if problems is None:
        problem = file.problem_of(replace(row, columns=asked), str(path))
    else:
        found = problems.get(file.split_key(prompt))
        if found is None:
            raise ValueError("no problem of the file of problems has its prompt")
        problem = found
    model = row.columns.get("model") or row.columns.get("model_id") or path.stem
    if not isinstance(model, str) or len(model) > MAX_NAME or not model.isprintable():
        raise ValueError("`model` is not a name")
    tokens = row.columns.get("tokens")
    counted = tokens if isinstance(tokens, int) and 0 < tokens < 2**31 else len(_TOKEN.findall(completion))
    return Trace(problem, completion, model, _claim(row.columns), _finish(row.columns), counted)


def _finish(columns: Mapping[str, Any]) -> Finish:
    said = columns.get("finish") or "stop"
    known: tuple[Finish, ...] = get_args(Finish)
    for finish in known:
        if said == finish:
            return finish
    raise ValueError(f"`finish` {str(said)[:20]!r} is none of {', '.join(known)}")


def _texts(columns: Mapping[str, Any]) -> tuple[str, str]:
    """Prompt and completion of a row in one of its three shapes."""
    if columns.get("messages") is not None and columns.get("completion") is None:
        turns = _turns(columns["messages"], "messages")
        roles = [role for role, _ in turns if role != "system"]
        if roles != ["user", "assistant"]:
            raise ValueError(f"`messages` has the turns {', '.join(roles)[:60]}: it needs user, assistant")
        prompt, completion = (text for role, text in turns if role != "system")
    else:
        prompt, completion = (_one(columns.get(name), name) for name in ("prompt", "completion"))
    if not completion.strip():
        raise ValueError("`completion` is missing")
    if len(completion) > MAX_COMPLETION:
        raise ValueError(f"`completion` has {len(completion)} characters, more than {MAX_COMPLETION}")
    try:
        completion.encode()
    except UnicodeEncodeError:
        raise ValueError("`completion` is not valid Unicode") from None
    return prompt, completion


def _one(value: Any, name: str) -> str:
    """A text, or that of the only turn that is not the system's."""
    if value is None or isinstance(value, str):
        return value or ""
    texts = [text for role, text in _turns(value, name) if role != "system"]
    if len(texts) != 1:
        raise ValueError(f"`{name}` has {len(texts)} turns: it needs one")
    return texts[0]


def _turns(value: Any, name: str) -> list[tuple[str, str]]:
    """(role, text) of each chat message."""
    if not isinstance(value, list):
        raise ValueError(f"`{name}` is neither text nor a list of messages")
    turns = []
    for message in value:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise ValueError(f'`{name}` has a message that is not of the form {{"role": "user", "content": "..."}}')
        turns.append((message["role"], _content(message.get("content"), name)))
    return turns


def _content(value: Any, name: str) -> str:
    """The text of a message, given whole or in parts of the type text."""
    if isinstance(value, list) and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in value):
        return "".join(part["text"] for part in value)
    if not isinstance(value, str):
        raise ValueError(f"`{name}` has a message without text")
    return value


def _claim(columns: Mapping[str, Any]) -> str:
    value = next((columns[name] for name in CLAIMS if columns.get(name) is not None), "")
    return _SAID.get(str(value).strip().lower(), "")
