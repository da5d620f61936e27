"""The dataset card of an export: what it is, where each row comes from, what was checked, and what is not known.

Only counts and names from the ledger, no times and no paths of this machine but those of the user's own problem files,
so the same dataset has the same card. Not here: the rows (`export.py`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from data.duck import Workspace
from data.manifest import package_version
from tasks import _licences
from tasks._datasets import Dataset
from tasks._shards import MADE_BY

Rows = list[dict[str, Any]]
LONG = 300  # characters of a cell
_SIZES = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M")]
_TYPES = {"string": "string", "int32": "int32", "int64": "int64"}
_HERE = "run = $run AND round = $round"
_COUNTS = {
    "levels": """SELECT domain, level, count(*) AS rows, count(DISTINCT problem_id) AS problems,
        count(*) FILTER (steps_checked > 0) AS with_checked_steps FROM members GROUP BY ALL ORDER BY ALL""",
    "writers": """SELECT w.model_id, w.strategy, any_value(m.objective) AS made_by, any_value(m.parent_id) AS parent,
        any_value(w.rows) AS rows FROM (SELECT model_id, strategy, count(*) AS rows FROM members GROUP BY ALL) w
        LEFT JOIN models m ON m.id = w.model_id GROUP BY ALL ORDER BY ALL""",
    "verifiers": """SELECT verifier, verifier_version AS version, outcome, isolation, count(*) AS rows FROM members
        GROUP BY ALL ORDER BY ALL""",
    "decisions": f"""SELECT CASE WHEN kept THEN 'kept' ELSE 'dropped' END AS fate, reason, count(*) AS attempts
        FROM decisions WHERE {_HERE} GROUP BY ALL ORDER BY fate DESC, attempts DESC, reason""",
    "checks": f"""SELECT relation, expectation, severity, success, observed FROM checks WHERE {_HERE} ORDER BY ALL""",
    "audit": f"""SELECT verifier, version, must_refuse, false_accepts, false_accept_high, must_accept, false_rejects,
        false_reject_high FROM audit WHERE {_HERE} AND kind = 'all' ORDER BY ALL""",
    "earlier": "SELECT count(*) AS rows FROM members WHERE written_in_round < $round",
    "contaminations": f"""SELECT benchmark, decision, count(DISTINCT problem_id) AS problems FROM contaminations
        WHERE {_HERE} GROUP BY ALL ORDER BY ALL""",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the card says: `counts` by the names above, `features` (column, type), `licences` by domain."""

    dataset: Dataset
    features: list[tuple[str, str]]
    counts: Mapping[str, Rows]
    licences: Mapping[str, str]


def gather(ws: Workspace, dataset: Dataset, rows: str, known: Mapping[str, Any]) -> Facts:
    """The facts of a dataset. `rows`: the SELECT that it is written by."""
    kinds = ws.arrow(f"FROM ({rows}) LIMIT 0", known).schema
    names = [f.name for f in kinds]
    narrow = [n for n in names if n not in ("prompt", "completion", "chosen", "rejected", "gold")]
    ws.table("members", f"SELECT {', '.join(narrow)} FROM ({rows})", known)
    counts = {name: ws.arrow(sql, known).to_pylist() for name, sql in _COUNTS.items()}
    domains = dict.fromkeys(row["domain"] or "unknown" for row in counts["levels"])
    features = [(f.name, _TYPES[str(f.type)]) for f in kinds]
    return Facts(dataset, features, counts, {name: _licences.of(name) for name in domains})


def text(facts: Facts, shards: Sequence[Path] = ()) -> str:
    """The card as Markdown; with Parquet shards it begins with what `datasets.load_dataset` reads of them."""
    parts = [*_front(facts, shards), *_what(facts), *_provenance(facts), *_checked(facts), *_limits(facts)]
    return "\n".join(parts) + "\n"


def _front(facts: Facts, shards: Sequence[Path]) -> Iterator[str]:
    if not shards:
        return
    packed, unpacked = sum(f.stat().st_size for f in shards), sum(map(_bytes, shards))
    size = next((name for most, name in _SIZES if facts.dataset.rows < most), "10M<n<100M")
    yield from ("---", f"pretty_name: {json.dumps(f'Flywheel {facts.dataset.kind} {facts.dataset.id}')}")
    yield from ("license: unknown", "task_categories:", "- text-generation", "tags:", "- verified", "- reasoning")
    yield from ("size_categories:", f"- {json.dumps(size)}", "configs:", "- config_name: default", "  data_files:")
    yield from (
        "  - split: train",
        f"    path: {json.dumps(f'{shards[0].parent.name}/train-*.parquet')}",
        "dataset_info:",
        "  features:",
    )
    for name, kind in facts.features:
        yield from (f"  - name: {name}", f"    dtype: {kind}")
    yield from ("  splits:", "  - name: train", f"    num_examples: {facts.dataset.rows}", f"    num_bytes: {unpacked}")
    yield from (f"  download_size: {packed}", f"  dataset_size: {unpacked}", "---", "")


def _bytes(shard: Path) -> int:
    """Of the rows in a shard, unpacked."""
    parts = pq.read_metadata(shard)
    return sum(parts.row_group(i).total_byte_size for i in range(parts.num_row_groups))


def _what(facts: Facts) -> Iterator[str]:
    d = facts.dataset
    shape = "a prompt and a verified completion" if d.kind == "examples" else "a prompt, a right and a wrong completion"
    yield f"# {d.rows:,} {d.kind} of {d.run}, round {d.round}"
    yield ""
    yield f"Each row is {shape}, with the lineage of what a model wrote. Dataset `{d.id}` of the run"
    yield f"`{_plain(d.run)}`, round {d.round}. {MADE_BY}"
    yield from ("", "## What is in it", "", *_table(facts.counts["levels"]))
    yield from ("", f"Columns: {', '.join(f'`{name}`' for name, _ in facts.features)}.")


def _provenance(facts: Facts) -> Iterator[str]:
    earlier = facts.counts["earlier"][0]["rows"]
    yield from ("", "## Who wrote it", "", *_table(facts.counts["writers"]))
    if earlier:
        yield from ("", f"{earlier:,} rows were written in an earlier round and are replayed.")
    yield from ("", "## Who judged it", "", *_table(facts.counts["verifiers"]))
    yield from ("", "An outcome `lucky` is a right answer with a wrong step. `isolation` names what was proven of the")
    yield "sandbox when programs were run; it is empty where no program is run."
    if facts.counts["audit"]:
        yield from ("", "The verifiers on labelled probes of the same round; `high` ends the 95 % interval:", "")
        yield from _table(facts.counts["audit"])
    yield from ("", "## Licences of the problems", "")
    yield from _table([{"source": name, "licence": said} for name, said in facts.licences.items()])


def _checked(facts: Facts) -> Iterator[str]:
    checks = facts.counts["checks"]
    broken = [c for c in checks if not c["success"]]
    yield from ("", "## Curation", "", "All attempts of the round, by the first rule that dropped them:", "")
    yield from _table(facts.counts["decisions"])
    yield from ("", "## Quality gate", "")
    if not checks:
        yield "No quality gate is in the ledger for this round."
    elif not broken:
        yield f"All {len(checks)} expectations held."
    else:
        yield f"{len(checks) - len(broken)} of {len(checks)} expectations held. Those that did not:"
        yield from ("", *_table([{k: v for k, v in c.items() if k != "success"} for c in broken]))
    if any(c["severity"] == "critical" for c in broken):
        yield from ("", "**The round did not pass its gate: nothing was trained on this dataset there.**")
    yield from ("", "## Contaminations", "")
    found = facts.counts["contaminations"]
    if found:
        yield "Problems of the round that are in a benchmark (`drop`) or may be (`review`) are not in this dataset; a"
        yield from ("person let in those that are `cleared`:", "")
    yield from _table(found) if found else ["None are in the ledger for this round."]


def _limits(facts: Facts) -> Iterator[str]:
    rows = facts.dataset.rows
    checked = sum(row["with_checked_steps"] for row in facts.counts["levels"])
    unknown = [name for name, said in facts.licences.items() if "unknown" in said]
    yield from ("", "## Known limits", "")
    yield "- `correct` is what a verifier says of the final answer, the program or the plan, not of its explanation:"
    yield f"  steps were checked in {checked:,} of {rows:,} rows; in the others a right answer may hide a wrong step."
    yield "- No person has read these rows. A verifier errs at times; the probes above bound how often."
    yield "- Duplicates and contaminations were looked for within this run and its held-out problems, not in any other"
    yield "  data; whoever evaluates on another benchmark must compare the two."
    yield "- The texts carry the habits and the errors of the models that wrote them, and only problems that these"
    yield "  could solve are here, so easy ones are more frequent than among the problems that were asked."
    if unknown:
        names = ", ".join(f"`{_plain(name)}`" for name in unknown)
        yield f"- The licence of {names} is unknown: do not pass those rows on before it is."
    yield from ("", f"flywheel {package_version()}")


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A Markdown table; texts cannot end a cell or begin a tag."""
    if not rows:
        return ["none"]
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_cell(v) for v in row.values()] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, float):
        return f"{value:.2%}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else _plain(str(value))


def _plain(text: str) -> str:
    """One line of text without marks that Markdown or HTML read."""
    line = " ".join(text.split())
    for mark, safe in (("&", "&amp;"), ("<", "&lt;"), ("|", "&#124;"), ("`", "'"), ("*", "&#42;"), ("[", "&#91;")):
        line = line.replace(mark, safe)
    return line if len(line) <= LONG else line[:LONG] + "…"
