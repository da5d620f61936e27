"""What curation costs from ten thousand to a million traces, and what it finds of what was planted.

    python bench/curation.py [--sizes 10000 100000 1000000] [--against 100000] [--json]

For every size a ledger is made (`_traces.py`, not counted) and goes through decontamination, curation and the quality
gate in a process of its own, whose peak of memory is reported; `import` is that of Great Expectations. Then the near
copies alone, and datasketch's MinHashLSH on the same texts (`_minhash_lsh.py`), where datasketch is installed.
`--json` prints one object as the last line. Seconds mean little while other programs want the same cores.
"""

import argparse
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
PARTS = ("decontamination", "reading", "rules", "near copies", "caps", "examples", "pairs", "gates", "import")


def child(program: str, *arguments: object) -> dict[str, Any]:
    """The JSON that another program of this folder prints last."""
    command = [sys.executable, str(HERE / program), *map(str, arguments)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(HERE.parent)}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{program} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(size: int, seed: int) -> dict[str, Any]:
    """One size: the report of `_curate_once.py`."""
    with TemporaryDirectory(prefix="curation-") as folder:
        home = Path(folder) / "home"
        subprocess.run([sys.executable, str(HERE / "_traces.py"), home, str(size), "--seed", str(seed)], check=True)
        return child("_curate_once.py", home)


def compare(size: int, seed: int) -> dict[str, Any]:
    """Near copies alone, here and with datasketch, on the same texts one after the other."""
    with TemporaryDirectory(prefix="curation-") as folder:
        home = Path(folder) / "home"
        subprocess.run([sys.executable, str(HERE / "_traces.py"), home, str(size), "--seed", str(seed)], check=True)
        return {"here": child("_curate_once.py", home, "--near-only"), "datasketch": child("_minhash_lsh.py", home)}


def row(report: dict[str, Any]) -> str:
    seconds = "".join(f"{report['seconds'].get(part, 0):>9.1f}" for part in PARTS)
    sums = f"{report['total']:>9.1f}{report['cpu']:>9.1f}{report['rss_gb']:>9.2f}{report['kept']:>9,}"
    return f"{report['attempts']:>9,}{seconds}{sums}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="attempts")
    parser.add_argument("--against", type=int, default=100_000, help="texts given to datasketch; 0: not compared")
    parser.add_argument("--seed", type=int, default=0, help="seed of the made-up ledgers")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options = parser.parse_args()
    reports = [measure(size, options.seed) for size in sorted(options.sizes)]
    heads = (*PARTS, "total", "cpu", "GB", "kept")
    print("seconds by part\n attempts" + "".join(f"{head[:8]:>9}" for head in heads))
    print("\n".join(map(row, reports)))
    for report in reports:
        print(
            f"{report['attempts']:>9,}: near copies recall {report['near_recall']:.4f}, "
            f"precision {report['near_precision']:.4f}; contaminated recall {report['contaminated_recall']:.4f}, "
            f"false {report['contaminated_false']:.4f}; {report['reasons']}"
        )
    last, before = reports[-1], reports[max(0, len(reports) - 2)]
    figures = {
        f"seconds_{_short(last['attempts'])}": last["total"],
        **{key: last[key] for key in ("rss_gb", "near_recall", "near_precision")},
        **{key: last[key] for key in ("contaminated_recall", "contaminated_false")},
        "linear_ratio": last["total"] / last["attempts"] / (before["total"] / before["attempts"]),
    }
    if options.against and find_spec("datasketch"):
        both = compare(options.against, options.seed)
        figures["speedup_datasketch"] = both["datasketch"]["seconds"] / both["here"]["seconds"]
        print(f"near copies among {options.against:,}: {both}")
    for name, value in figures.items():
        print(f"{name:<22}{value:>10.4f}")
    if options.json:
        print(json.dumps({**figures, "sizes": reports}))


def _short(attempts: int) -> str:
    return f"{attempts // 1_000_000}m" if attempts >= 1_000_000 else f"{attempts // 1000}k"


if __name__ == "__main__":
    main()
