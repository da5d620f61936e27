"""Problems of a user's file that runs leave out: `<file>.quarantine.jsonl` beside it, which may be edited by hand.

A problem is named by its id, a hash of its content, so a row that was mended is back without further ado.
Not here: what puts a problem in (`flywheel check-problems`).
"""

import json
from collections.abc import Mapping
from pathlib import Path

from data.errors import UserError
from data.manifest import write_atomic
from data.records import Problem


def path_of(path: Path) -> Path:
    """The quarantine of a problem file or dataset folder."""
    return path.with_name(path.name + ".quarantine.jsonl")


def read(path: Path) -> dict[str, str]:
    """Why each quarantined problem of this file is left out, by its id. Raises UserError when that is unreadable."""
    place = path_of(path)
    try:
        lines = [line for line in place.read_text(encoding="utf-8").splitlines() if line.strip()]
        found = [json.loads(line) for line in lines]
        return {row["problem"]: str(row["reason"]) for row in found}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as e:
        raise UserError(f"{place} cannot be read ({e}): delete it and run `flywheel check-problems {path}`") from e


def write(path: Path, problems: Mapping[str, Problem], reasons: Mapping[str, str]) -> None:
    """Quarantine the problems that have a reason, by their ids, and no other; no file is left when there is none."""
    place = path_of(path)
    if not reasons:
        place.unlink(missing_ok=True)
        return
    rows = [
        {"problem": i, "row": problems[i].source.rpartition(":")[2], "reason": why, "prompt": problems[i].prompt}
        for i, why in reasons.items()
    ]
    write_atomic(place, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
