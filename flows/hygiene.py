"""What `flywheel check-problems` shows: one row per source and one per finding. No checks here."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import pyarrow as pa

from flows import show
from flows.terminal import watch
from tasks.check_problems import Checked, Sample, check
from tasks.settings import VerifySettings


def main(sources: Sequence[str], sample: Sample, *, workers: int, timeout_s: float, form: str) -> int:
    """1 when a check found something."""
    with watch("check-problems") as progress:
        found = check(sources, sample, VerifySettings(workers=workers, timeout_s=timeout_s), progress)
    if form == "json":
        json.dump([asdict(checked) for checked in found], sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        _show(found)
    return 1 if any(checked.findings for checked in found) else 0


def _show(found: Sequence[Checked]) -> None:
    summary = []
    for checked in found:
        counts = Counter(f.check for f in checked.findings)
        summary.append(
            {
                "source": checked.source,
                "problems": checked.problems,
                "with solution": checked.solutions,
                "findings": ", ".join(f"{n} {name}" for name, n in counts.most_common()) or "none",
                "quarantined": checked.quarantined,
            }
        )
    show.write(pa.Table.from_pylist(summary))
    findings = [asdict(f) for checked in found for f in checked.findings]
    if findings:
        show.write(pa.Table.from_pylist(findings).drop_columns(["problem_id"]))
    for checked in found:
        if checked.problems > checked.solutions:
            missing = checked.problems - checked.solutions
            text = f"{checked.source}: {missing} problems have no solution that could be judged (column `solution`)"
            show.console().print(text, style="dim", soft_wrap=True, markup=False)
