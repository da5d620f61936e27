"""The same near copies with datasketch's MinHashLSH, in a process of its own: its JSON report.

    python bench/_minhash_lsh.py HOME

The same texts and runs of three tokens as data/sql/rules/near_duplicate, its usual 128 permutations, one query and one
insertion a text, no confirmation. `recall` is of the planted near copies; making the shingles counts, as it does here.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from _planted import shingles
from _traces import AT
from datasketch import MinHash, MinHashLSH

from data.store import Store

THRESHOLD, PERMUTATIONS = 0.8, 128


def found(home: Path) -> dict[str, Any]:
    """Seconds from texts to near copies, those spent on shingles, and how many of the planted ones were met."""
    attempts = Store(home).read("attempts", AT.run)
    rows = zip(attempts["id"].to_pylist(), attempts["text"].to_pylist(), strict=True)
    index, met = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS), dict[str, set[str]]()
    started, begun, shingling = time.perf_counter(), time.process_time(), 0.0
    for name, text in rows:
        mark = time.perf_counter()
        runs = [" ".join(run).encode() for run in shingles(text)]
        shingling += time.perf_counter() - mark
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch(runs)
        met[name] = set(index.query(sketch))
        index.insert(name, sketch)
    seconds, cpu = time.perf_counter() - started, time.process_time() - begun
    truth = pq.read_table(home.with_name(f"{home.name}.near.parquet")).to_pylist()
    near = [t for t in truth if t["jaccard"] >= THRESHOLD]
    hits = sum(t["source_id"] in met[t["copy_id"]] or t["copy_id"] in met[t["source_id"]] for t in near)
    recall = hits / max(1, len(near))
    return {"attempts": len(met), "seconds": seconds, "cpu": cpu, "shingling": shingling, "recall": recall}


if __name__ == "__main__":
    print(json.dumps(found(Path(sys.argv[1]))))
