"""The error budget of mathematical verdicts, on the bench's own cases and on those that EXTRA_CASES names."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SLOWEST_S = 2.5


def _figures(*cases: Path) -> dict[str, float]:
    command = [sys.executable, "bench/math_verdicts.py", *map(str, cases), "--alone", "--passes", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_no_false_accept_and_few_false_rejects_on_our_own_cases() -> None:
    figures = _figures()
    assert figures["rows"] > 300
    assert figures["precision"] == 1
    assert figures["recall"] >= 0.99
    assert figures["slowest_s"] <= SLOWEST_S
    assert figures["executed"] == 0


def test_the_budget_holds_on_given_cases(extra_cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = _figures(extra_cases / "math_equiv.jsonl")
    with capsys.disabled():
        print(f"\nprecision {figures['precision']:.4f}, recall {figures['recall']:.4f} of {figures['rows']} rows")
    assert figures["precision"] >= 0.999
    assert figures["recall"] >= 0.97
    assert figures["slowest_s"] <= SLOWEST_S


def test_a_file_that_holds_no_cases_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"gold": 1}\n')
    done = subprocess.run(
        [sys.executable, "bench/math_verdicts.py", str(path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert str(path) in done.stderr and len(done.stderr.splitlines()) == 1
