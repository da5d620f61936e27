"""The command: quick, from any folder, one sentence for a failure the user can mend, clean on Ctrl-C."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data import duck, registry
from data.duck import QueryError
from data.records import Model, RoundResult, Score
from data.store import At, Store
from flows import cli
from flows.commands import status
from tasks import doctor
from tests.shell import HEARING

COMMAND = [sys.executable, "-m", "flows.cli"]


@pytest.fixture
def ledger(home: Path) -> Path:
    """A home with one run of one round: two models, scores and the decision."""
    store = Store(home)
    stage = store.stage(At("night", 1, 0), "distill", "f")
    stage.write(
        "models", "all", [Model(m, "base", "sft", "{}", "d" * 16, f"night/{m}", 10, 1.0) for m in ("one", "two")]
    )
    stage.commit({"seconds": 2.0, "tokens": 10})
    stage = store.stage(At("night", 1, 0), "evaluate-one", "f")
    score = [Score("one", "all", 0, "all", "pass@k", k, value, 0.4, 0.6, 10, 80) for k, value in ((1, 0.5), (8, 0.9))]
    stage.write("scores", "all", score)
    stage.commit()
    stage = store.stage(At("night", 1, 0), "promote", "f")
    stage.write("rounds", "all", [RoundResult("base", "one", True, "better", 0.3, 0.5, 0.1, 0.3, 100, 50, 40)])
    stage.commit()
    store.publish()
    return home


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = cli.main(argv)
    out, err = capsys.readouterr()
    return code, out, err


def test_help_is_instant_and_lists_every_command(tmp_path: Path) -> None:
    started = time.monotonic()
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert time.monotonic() - started < 2  # 0.04 s on an idle machine
    for command in ("run", "bootstrap", "evaluate", "status", "sql", "models", "doctor"):
        assert command in done.stdout


def test_help_imports_no_library() -> None:
    heavy = "{'pyarrow', 'duckdb', 'prefect', 'torch', 'rich', 'pydantic'}"
    code = f"import sys; from flows.cli import parser; parser(); print({heavy} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_sql_answers_from_any_folder_in_two_seconds(ledger: Path, tmp_path: Path) -> None:
    env = {**os.environ, "FLYWHEEL_HOME": str(ledger)}
    started = time.monotonic()
    query = "SELECT id, round FROM models ORDER BY id"
    done = subprocess.run([*COMMAND, "sql", query, "--csv"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "id,round\none,1\ntwo,1\n")
    assert time.monotonic() - started < 4  # 0.3 s on an idle machine


def test_sql_forms(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = "SELECT 'a,\"b\n' AS text, NULL AS nothing, [1, 2] AS list, 1.5::DECIMAL(4, 2) AS price"
    code, out, _ = run(capsys, "sql", query, "--csv")
    assert code == 0
    assert list(csv.reader(io.StringIO(out)))[1] == ['a,"b\n', "", "[1, 2]", "1.50"]
    code, out, _ = run(capsys, "sql", query, "--json")
    assert code == 0
    assert json.loads(out) == [{"text": 'a,"b\n', "nothing": None, "list": [1, 2], "price": "1.50"}]
    code, out, _ = run(capsys, "sql", "SELECT * FROM range(500)", "--limit", "3")
    assert code == 0
    assert "497 more rows" in out


def test_a_table_shows_brackets_and_hides_control_characters(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "sql", "SELECT '[bold]x[/bold]' || chr(27) || '[31m' AS text")
    assert "[bold]x[/bold]" in out
    assert "\x1b" not in out


def test_sql_cannot_write(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (ledger / "flywheel.duckdb").read_bytes()
    code, _, err = run(capsys, "sql", "CREATE TABLE mine (x INT)")
    assert code == 2
    assert "read-only" in err
    assert (ledger / "flywheel.duckdb").read_bytes() == before


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["sql", "SELECT nonsense FROM models"], "nonsense"),
        (["status", "day"], "known are night"),
        (["models", "day"], "no model was trained in run 'day'"),
    ],
)
def test_bad_input_is_one_sentence(
    ledger: Path, capsys: pytest.CaptureFixture[str], argv: list[str], says: str
) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize("argv", [["status"], ["models"], ["sql", "SELECT 1"]])
def test_an_empty_home_says_how_to_begin(home: Path, capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    code, _, err = run(capsys, *argv)
    assert code == 2
    assert len(err.splitlines()) == 1


def test_status_and_models(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "status", "--json")
    (row,) = json.loads(out)
    assert (row["run"], row["round"], row["stages"], row["rows"]) == ("night", 1, "distill evaluate-one promote", 5)
    _, out, _ = run(capsys, "status", "night", "--json")
    assert [r["stage"] for r in json.loads(out)] == ["distill", "evaluate-one", "promote"]
    _, out, _ = run(capsys, "models", "--json")
    one, two = json.loads(out)
    assert (one["model"], one["parent"], one["pass@1"], one["pass@8"], one["promoted"]) == (
        "one",
        "base",
        0.5,
        0.9,
        True,
    )
    assert (two["pass@1"], two["promoted"]) == (None, None)


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(_: object) -> int:
        raise OSError(28, "No space left on device", "/runs/part.parquet")

    monkeypatch.setattr(status, "run", full)
    code, _, err = run(capsys, "status")
    assert code == 2
    assert "no space left" in err
    assert len(err.splitlines()) == 1


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> int:
        raise KeyError("bug")

    monkeypatch.setattr(status, "run", broken)
    with pytest.raises(KeyError):
        cli.main(["status"])


def test_ctrl_c_ends_cleanly(home: Path) -> None:
    command = subprocess.Popen(
        [*HEARING, *COMMAND, "sql", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(1.5)  # it waits for its standard input
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=10)
    assert command.returncode == 130
    assert "Traceback" not in err


def test_a_reader_that_leaves_is_no_error(ledger: Path) -> None:
    query = f"{sys.executable} -m flows.cli sql 'SELECT * FROM range(200000)' --csv | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", query], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr) == ("range\n0\n", "")


def test_doctor_sees_a_healthy_machine_and_a_damaged_ledger(ledger: Path) -> None:
    assert not [f for f in doctor.examine(quick=True) if f.state == "failed"]
    next((ledger / "lake" / "models").rglob("*.parquet")).unlink()
    failed = [f for f in doctor.examine(quick=True) if f.state == "failed"]
    assert [f.name for f in failed] == ["ledger"]
    assert "damaged" in failed[0].text


def test_doctor_tries_every_verifier() -> None:
    found = list(doctor.verifiers())
    assert {f.name for f in found} == set(registry.known("verifiers"))
    assert not [f for f in found if f.state != "ok"]


def test_query_error_names_the_cause(ledger: Path) -> None:
    with pytest.raises(QueryError, match="nowhere"):
        duck.sql(ledger, "SELECT * FROM nowhere")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["run", "nonsense"], "known are"),
        (["run", "smoke", "--set", "generate.sampels=8"], "sampels"),
        (["run", "smoke", "--set", "generate"], "KEY=VALUE"),
        (["run", "smoke", "--set", "rounds=many"], "rounds"),
        (["run", "smoke", "--resume"], "no unfinished run"),
    ],
)
def test_a_run_that_cannot_start_is_one_sentence(
    home: Path, capsys: pytest.CaptureFixture[str], argv: list[str], says: str
) -> None:
    code, _, err = run(capsys, *argv)
    assert code == 2
    assert says in err
    assert len(err.splitlines()) == 1


def test_a_failure_inside_a_flow_is_one_sentence(home: Path) -> None:
    argv = [*COMMAND, "run", "smoke", "--set", "model='/no/such/model'"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    (sentence,) = [line for line in done.stderr.splitlines() if "/no/such/model" in line]
    assert sentence.startswith("flywheel: ")
    assert "Traceback" not in done.stdout + done.stderr
