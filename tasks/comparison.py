"""Incumbent and challenger side by side, as markdown: what a person sees who is asked to approve a promotion.

Computed from committed held-out samples, the same that the test is on. Not here: the test (`promote.py`), the asking.
"""

from data.ids import derived_seed
from data.store import At, Store
from tasks.curriculum import Key
from tasks.evaluate import samples_of
from tasks.promote import RESAMPLES, difference, mean
from tasks.scores import Measured, measured

MOST = 5  # levels named


def comparison(store: Store, at: At, incumbent_id: str, challenger_id: str, why: str) -> str:
    """Both models with the difference of pass@1 and pass@k and its 95 % interval, and the levels that lost most."""
    before, after = (measured(samples_of(store, at.run, model)) for model in (incumbent_id, challenger_id))
    seed = derived_seed("promote", at.seed, at.round)  # as in the test, for the same interval
    lines = [
        f"Run **{at.run}**, round {at.round}: shall `{challenger_id}` replace `{incumbent_id}`?",
        "",
        "Held-out problems, all levels alike:",
        "",
        "| | before | after | points [95 %] |",
        "|---|---:|---:|---:|",
    ]
    for k in sorted({1, min(before.largest_k, after.largest_k)}):
        gain = difference(before, after, "pass@k", k, RESAMPLES, seed)
        shown = f"{100 * gain.value:+.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
        lines.append(f"| pass@{k} | {_share(before, k)} | {_share(after, k)} | {shown} |")
    more = f"Level by level: `flywheel report {at.run}`."
    return "\n".join([*lines, "", _losses(before, after), "", f"The test says: {why}.", "", more, ""])


def _losses(before: Measured, after: Measured) -> str:
    """One sentence on the levels whose pass@1 has fallen, the largest fall first."""
    fallen: list[tuple[float, Key]] = []
    for key in sorted(set(before.strata) & set(after.strata)):
        lost = 100 * (mean(before, "pass@k", 1, {key}) - mean(after, "pass@k", 1, {key}))
        if lost >= 0.05:
            fallen.append((lost, key))
    if not fallen:
        return "No level has lost pass@1."
    fallen.sort(key=lambda f: (-f[0], f[1]))
    named = ", ".join(f"{_plain(domain)} {level} ({-lost:+.1f} points)" for lost, (domain, level) in fallen[:MOST])
    more = f" and {len(fallen) - MOST} more" if len(fallen) > MOST else ""
    return f"Levels that have lost pass@1: {named}{more}."


def _share(table: Measured, k: int) -> str:
    return f"{100 * mean(table, 'pass@k', k):.1f} %"


def _plain(domain: str) -> str:
    """The name of a domain, or of the file it is, with nothing that markdown would read."""
    return "".join(c if c.isalnum() or c in "._- " else " " for c in domain.rsplit("/", 1)[-1])
