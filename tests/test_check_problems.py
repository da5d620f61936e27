"""Task hygiene: every kind of unfit problem is named with its place, fit ones pass, and quarantined ones stay out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data import gold
from data.domains import _quarantine, file
from data.errors import UserError
from data.records import Problem
from flows import cli
from tasks._problem_sources import hidden_tests
from tasks.check_problems import Checked, Sample, check
from tasks.settings import VerifySettings

CHECKING = VerifySettings(workers=2)
SMALL = Sample(levels=2, n=8)
FLAKY = """
import dataclasses, itertools
import verifiers._judge as module
real, turn = module.judge, itertools.count()
def judge(problem, text):
    found = real(problem, text)
    if "sometimes" in text and next(turn) % 3 == 2:
        found = dataclasses.replace(found, verdict=dataclasses.replace(found.verdict, outcome="incorrect"))
    return found
module.judge = judge
"""
SQUARE = {"prompt": "Write f(x), the square of x.", "tests": ["assert f(3) == 9", "assert f(-2) == 4"]}
FIT: list[dict[str, Any]] = [
    {"prompt": "What is 6 times 7?", "answer": 42, "solution": "6*7 is 42.\n#### 42"},
    {"prompt": "Capital of France?", "answer": "Paris"},
    {**SQUARE, "solution": "def f(x):\n return x * x"},
]
F_X = "def f(x):\n return x"
UNFIT: list[tuple[dict[str, Any], str, str]] = [
    ({"prompt": "1+1?", "answer": "2", "solution": "#### 3"}, "reference", "the solution is incorrect"),
    ({"prompt": "2+2?", "answer": "4", "solution": "It is obvious."}, "reference", "the solution is no_answer"),
    (
        {"prompt": "Cube f(x).", "tests": ["assert f(2) == 8", "assert f(1) == 1"], "solution": F_X},
        "reference",
        "case 1",
    ),
    (
        {"prompt": "Add g(a).", "tests": ["assert g(1) == 2", "assert g(2) == 3"], "solution": F_X},
        "reference",
        "no function g",
    ),
    ({"prompt": "Cap f(x) at 4.", "tests": ["assert f(8) == 4", "assert f(9) == 4"]}, "constant", "expects 4"),
    ({"prompt": "Is it 5?\nFinal answer: 5", "answer": "5"}, "stub", "the prompt copied is accepted"),
    ({"prompt": "Double it: f(3) = 6.", "tests": ["assert f(3) == 6", "assert f(4) == 8"]}, "shown", "1 of 2"),
    ({"prompt": "Odd f(x).", "tests": ["assert f(3) == 6", "assert f(3) == 7"]}, "tests", "f(3) is to be 6 and 7"),
    ({"prompt": "what IS 6  times 7?", "answer": 42}, "duplicate", "repeats the prompt of row 1"),
    ({"prompt": "What is 6 times 7?", "answer": 41}, "duplicate", "row 1 with another answer"),
    ({"prompt": "No gold"}, "row", "`answer` is missing"),
]


def jsonl(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def checked(*names: str | Path, sample: Sample = SMALL) -> list[Checked]:
    return check([str(name) for name in names], sample, CHECKING)


def test_generated_domains_are_fit() -> None:
    for found in checked("chain_sum", "equations", "programs"):
        assert [f for f in found.findings if (f.source, f.check) != ("programs", "constant")] == []
        assert found.problems == found.solutions > 20
        assert found.quarantined == 0


def test_a_fit_file_has_no_findings_and_no_quarantine(tmp_path: Path) -> None:
    path = jsonl(tmp_path, FIT)
    (found,) = checked(path)
    assert (found.problems, found.solutions, found.quarantined, found.findings) == (3, 2, 0, [])
    assert os.listdir(tmp_path) == ["mine.jsonl"]


def test_every_unfit_row_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    path = jsonl(tmp_path, FIT + [row for row, _, _ in UNFIT])
    (found,) = checked(path)
    by_row = {f.place: f for f in found.findings}
    assert len(by_row) == len(found.findings) == len(UNFIT)
    for number, (_, name, says) in enumerate(UNFIT, start=len(FIT) + 1):
        finding = by_row[f"row {number}"]
        assert (finding.check, says in finding.why) == (name, True), finding


def test_an_empty_function_must_not_do(tmp_path: Path) -> None:
    (found,) = checked(jsonl(tmp_path, [{"prompt": "Say nothing, f(x).", "tests": ["assert f(1) == None"]}]))
    assert [(f.check, f.why) for f in found.findings] == [
        ("constant", "every hidden test expects None: a constant passes"), ("stub", "an empty function is accepted"),
    ]  # fmt: skip
    assert found.quarantined == 1


def test_quarantined_problems_are_left_out_until_they_are_mended(tmp_path: Path) -> None:
    bad = {"prompt": "1+1?", "answer": "2", "solution": "#### 3"}
    path = jsonl(tmp_path, [*FIT, bad])
    assert checked(path)[0].quarantined == 1
    loaded = file.open_problems(path)
    assert [p.prompt for p in loaded.problems] == [row["prompt"] for row in FIT]
    assert [(r.row, r.reason) for r in loaded.rejected] == [
        ("4", "quarantined: reference: the solution is incorrect: another value")
    ] or loaded.rejected[0].reason.startswith("quarantined: reference: the solution is incorrect")
    assert checked(path)[0].quarantined == 1  # it still looks at all
    jsonl(tmp_path, [*FIT, {**bad, "solution": "#### 2"}])
    assert checked(path)[0].findings == []
    assert len(file.open_problems(path).problems) == 4
    assert not _quarantine.path_of(path).exists()


def test_a_problem_whose_verdict_varies_is_flaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(FLAKY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = jsonl(tmp_path, [*FIT, {"prompt": "1+1?", "answer": "2", "solution": "sometimes\n#### 2"}])
    (found,) = checked(path, sample=Sample(repeats=9))
    assert [(f.check, f.place) for f in found.findings] == [("flaky", "row 4")]
    assert "times correct" in found.findings[0].why
    assert found.quarantined == 1


def test_all_quarantined_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [{"prompt": "1+1?", "answer": "2", "solution": "#### 3"}])
    checked(path)
    with pytest.raises(UserError, match=r"all problems of .* are quarantined"):
        file.open_problems(path)
    _quarantine.path_of(path).write_text("{")
    with pytest.raises(UserError, match="delete it"):
        file.open_problems(path)


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("f(3)=9", True), ("f( 3 ) == 9", True), (">>> f(3)\n9", True), ("f(3) returns 9 and", True),
        ("so f(3) -> 9.", True), ("assert f(3) == 9, 'no'", True), ("f('a b',[1, 2])={\"k\" : 'v'}", True),
        ("f(3)=90", False), ("f(3)=9.5", False), ("gf(3)=9", False), ("f(3, 1)=9", False), ("f(3) is 8, not 9", False),
    ],
)  # fmt: skip
def test_what_counts_as_shown(prompt: str, shown: bool) -> None:
    known = gold.dump(gold.Tests("f", [gold.Case([3], 9), gold.Case(["a b", [1, 2]], {"k": "v"})]))
    problem = Problem("p", "d", 1, prompt, known, "unit_tests", "test", "train")
    assert [name for name, _ in hidden_tests(problem)] == ["shown"] * shown


def test_a_prompt_of_blanks_is_looked_at_quickly() -> None:
    known = gold.dump(gold.Tests("f", [gold.Case([" " * 9_000], 9), gold.Case([0], 1)] * 50))
    problem = Problem("p", "d", 1, "x" + " " * 20_000 + "f(", known, "unit_tests", "test", "train")
    assert list(hidden_tests(problem)) == []


def test_stdin_examples_that_are_hidden_tests_are_named() -> None:
    exchanges = [gold.Exchange("1 2\n", "3\n"), gold.Exchange("4 5\n", "9\n")]
    known = gold.dump(gold.Console(exchanges))
    prompt = "Add.\nInput:\n1 2\nOutput:\n3\n"
    problem = Problem("p", "d", 1, prompt, known, "console", "test", "train")
    assert [(name, why[:31]) for name, why in hidden_tests(problem)] == [("shown", "the prompt shows 1 of 2 hidden ")]


def test_the_command(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [*FIT, {"prompt": "1+1?", "answer": "2", "solution": "#### 3"}])
    command = [sys.executable, "-m", "flows.cli", "check-problems", "chain_sum", path.name, "--levels", "1", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    one, two = json.loads(done.stdout)
    assert (one["findings"], two["quarantined"], two["findings"][0]["place"]) == ([], 1, "row 4")


def test_what_the_command_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*argv: str) -> tuple[int, str, str]:
        code = cli.main(["check-problems", *argv, "--levels", "1", "--n", "3"])
        return code, *capsys.readouterr()

    path = jsonl(tmp_path, [*FIT, {"prompt": "[b]1+1?", "answer": "2", "solution": "#### 3"}])
    code, out, _ = run(str(path))
    assert code == 1 and "reference" in out and "row 4" in out and "[b]1+1?" in out
    assert run("chain_sum", "equations")[0] == 0
    for source, says in (("chain_sun", "known domains are"), (str(tmp_path / "no.jsonl"), "there is no problem file")):
        code, out, err = run(source)
        assert (code, out) == (2, "")
        assert says in err
