"""What a check of `flywheel doctor` finds, and how that is mended. Not here: the checks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from data.errors import UserError


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `warning`: a run works, but something is worth knowing.

    `mend` sets right what was found and says what it did; it may be called once, and raises UserError when it cannot.
    """

    name: str
    state: Literal["ok", "warning", "failed", "mended"]
    text: str
    mend: Callable[[], str] | None = None


def mended(found: Finding) -> Finding:
    """What became of it: set right, as it was where there is nothing to set right, failed where that did not work."""
    if found.mend is None:
        return found
    try:
        return Finding(found.name, "mended", f"{found.text}: {found.mend()}")
    except UserError as e:
        return replace(found, state="failed", text=f"{found.text}; it could not be mended: {e}", mend=None)
