"""A user's own problems: every format gives the same problems, and a bad row costs that row alone, by name."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import domains, gold
from data.domains import file
from data.errors import UserError
from data.records import Problem

ROWS: list[dict[str, Any]] = [
    {"prompt": "What is 6 times 7?", "answer": "42", "level": 1},
    {"prompt": "Capital of France?", "answer": "Paris", "level": 2},
    {"prompt": "Simplify √8.", "answer": "2\\sqrt{2}", "level": 5, "split": "heldout"},
]


def jsonl(folder: Path, rows: list[Any], name: str = "mine.jsonl") -> Path:
    path = folder / name
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows), encoding="utf-8")
    return path


def contents(problems: tuple[Problem, ...]) -> list[tuple[Any, ...]]:
    return [(p.id, p.level, p.prompt, p.gold, p.verifier, p.split) for p in problems]


def test_rows_become_problems(tmp_path: Path) -> None:
    loaded = file.open_problems(jsonl(tmp_path, ROWS))
    assert loaded.rejected == ()
    one, two, three = loaded.problems
    assert (one.prompt, gold.load(one.gold), one.verifier, one.level) == (
        "What is 6 times 7?", gold.Answer("42"), "symbolic", 1,
    )  # fmt: skip
    assert (two.verifier, three.verifier, three.split) == ("exact", "symbolic", "heldout")
    assert (one.source, one.domain) == ("mine.jsonl:1", f"file:{tmp_path}/mine.jsonl")
    assert domains.load(one.domain) is file


def test_every_format_gives_the_same_problems(tmp_path: Path) -> None:
    import datasets

    expected = contents(file.open_problems(jsonl(tmp_path, ROWS)).problems)
    filled = [{"split": None, **row} for row in ROWS]
    pq.write_table(pa.Table.from_pylist(filled), tmp_path / "mine.parquet")
    datasets.Dataset.from_list(filled).save_to_disk(str(tmp_path / "saved"))
    (tmp_path / "plain").mkdir()
    jsonl(tmp_path / "plain", ROWS, "train.jsonl")
    for name in ("mine.parquet", "saved", "plain"):
        assert contents(file.open_problems(tmp_path / name).problems) == expected, name


def test_the_splits_of_a_dataset_are_kept(tmp_path: Path) -> None:
    import datasets

    parts = {"train": datasets.Dataset.from_list(ROWS[:1]), "test": datasets.Dataset.from_list(ROWS[1:2])}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "both"))
    loaded = file.open_problems(tmp_path / "both")
    assert [(p.split, p.source) for p in loaded.problems] == [("train", "both:train 1"), ("heldout", "both:test 1")]


BAD = [
    ("{not json", "not JSON"),
    ("[1, 2]", "not a JSON object"),
    ("[" * 100_000, "not JSON"),
    ({"answer": "1"}, "`prompt` is missing"),
    ({"prompt": 5, "answer": "1"}, "`prompt` is not text"),
    ({"prompt": " ?! ", "answer": "1"}, "`prompt` has no text"),
    ({"prompt": "x" * 20_001, "answer": "1"}, "more than 20000"),
    ({"prompt": "bad \ud800 surrogate", "answer": "1"}, "not valid Unicode"),
    ({"prompt": "no gold"}, "`answer` is missing"),
    ({"prompt": "empty gold", "answer": "  "}, "`answer` is not text"),
    ({"prompt": "list gold", "answer": [1]}, "`answer` is not text"),
    ({"prompt": "bool gold", "answer": True}, "`answer` is not text"),
    ('{"prompt": "infinite", "answer": Infinity}', "not a finite number"),
    ({"prompt": "both", "answer": "1", "tests": ["assert f(1) == 1"]}, "has both"),
    ({"prompt": "1+1? It ends with #### 2", "answer": "2"}, "shows its own final answer"),
    ({"prompt": "verifier", "answer": "1", "verifier": "unit_tests"}, "symbolic or exact would"),
    ({"prompt": "verifier?", "answer": "1", "verifier": ["x"]}, "does not judge"),
    ({"prompt": "level", "answer": "1", "level": 0}, "`level` '0'"),
    ({"prompt": "level!", "answer": "1", "level": "high"}, "`level` 'high'"),
    ({"prompt": "split", "answer": "1", "split": "dev"}, "`split` 'dev'"),
    ({"prompt": "split?", "answer": "1", "split": {}, "level": 1.5}, "`level` '1.5'"),
    ({"prompt": "what is 6 TIMES  7?", "answer": "42"}, "repeats the prompt of row 1"),
    ({"prompt": "What is 6 times 7?", "answer": "43"}, "row 1 with another answer"),
    ({"prompt": "tests", "tests": []}, "at least one test"),
    ({"prompt": "tests", "tests": [{"args": [1], "expected": 1}]}, "`entry` is missing"),
    ({"prompt": "tests", "tests": [{"args": 1, "expected": 1}], "entry": "f"}, "test 1: `args`"),
    ({"prompt": "tests", "tests": ["assert f(1) == 1", "assert g(1) == 1"]}, "several functions"),
    ({"prompt": "tests", "tests": ["assert f(1) == ..."]}, "test 1: its values are not plain data"),
    ({"prompt": "tests", "tests": ["assert f(1) == 1e999"]}, "test 1: its values are not plain data"),
    ({"prompt": "tests", "tests": ["assert f(1) == 'aaaa" + "a" * 20_000 + "'"]}, "more than 20000"),
    ({"prompt": "tests", "tests": [{"stdin": "1"}]}, "test 1: not of the form"),
    ({"prompt": "tests", "tests": [{"stdin": "1", "stdout": "2"}, {"stdin": 1, "stdout": "2"}]}, "test 2: not of"),
    ({"prompt": "tests", "tests": [{"stdin": "1", "stdout": "2"}, "assert f(1) == 1"]}, "test 2: not of the form"),
    ({"prompt": "tests", "tests": [{"stdin": "1", "stdout": "\ud800"}]}, "test 1: not of the form"),
    ({"prompt": "tests", "tests": [{"stdin": "1", "stdout": " \n"}]}, "ask for no output"),
    ({"prompt": "tests", "tests": [{"stdin": "1", "stdout": "2"}], "entry": "f"}, "keep what is meant"),
    ({"prompt": "tests", "tests": [{"stdin": "1", "stdout": "2"}] * 101}, "more than 100"),
    ({"prompt": "tests", "tests": [{"stdin": "1", "stdout": "2"}], "verifier": "unit_tests"}, "console would"),
    ({"prompt": "tests", "tests": ["assert f(open('x')) == 1"]}, "literal values"),
    ({"prompt": "tests", "tests": ["f(1)"]}, "not of the form"),
    ({"prompt": "tests", "tests": ["assert f(1) == 1"], "entry": "f()"}, "not the name of a function"),
    ({"prompt": "tests", "tests": [{"args": [], "expected": 1}], "entry": "f()"}, "not the name of a function"),
]


def test_bad_rows_are_named_and_the_rest_runs(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [ROWS[0], *(row for row, _ in BAD), ROWS[1]])
    loaded = file.open_problems(path)
    assert [p.prompt for p in loaded.problems] == [ROWS[0]["prompt"], ROWS[1]["prompt"]]
    for number, ((_, reason), rejected) in enumerate(zip(BAD, loaded.rejected, strict=True), start=2):
        assert (rejected.file, rejected.row) == ("mine.jsonl", str(number))
        assert reason in rejected.reason
    file.save_rejected(loaded.rejected, tmp_path / "mine.rejected.jsonl")
    kept = [json.loads(line) for line in (tmp_path / "mine.rejected.jsonl").read_text().splitlines()]
    assert kept[0] == {"file": "mine.jsonl", "row": "2", "reason": loaded.rejected[0].reason}


def test_a_line_that_is_not_utf8_costs_that_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'{"prompt": "caf\xe9?", "answer": "1"}\n\n{"prompt": "tea?", "answer": "2"}\n')
    loaded = file.open_problems(path)
    assert [r.row for r in loaded.rejected] == ["1"]
    assert [p.source for p in loaded.problems] == ["latin.jsonl:3"]


@pytest.mark.parametrize(
    "tests",
    [
        ["assert add(1, 2) == 3", "assert add(-1, 1) == 0"],
        "assert add(1, 2) == 3\nassert add(-1, 1) == 0",
        [{"args": [1, 2], "expected": 3}, {"args": [-1, 1], "expected": 0}],
        '[{"args": [1, 2], "expected": 3}, {"args": [-1, 1], "expected": 0}]',
    ],
)
def test_tests_in_every_form(tmp_path: Path, tests: Any) -> None:
    (problem,) = file.open_problems(jsonl(tmp_path, [{"prompt": "add", "entry": "add", "tests": tests}])).problems
    assert problem.verifier == "unit_tests"
    assert gold.load(problem.gold) == gold.Tests("add", [gold.Case([1, 2], 3), gold.Case([-1, 1], 0)])


@pytest.mark.parametrize(
    "expected",
    [(1, 2), (1,), (), {1, 2}, set(), {1: "a"}, b"ab", 2j, [1, (2, {"a": {3}})], None, -0.0, "é\u2028'", 10**30],
)
def test_values_that_json_cannot_carry(tmp_path: Path, expected: Any) -> None:
    row = {"prompt": "f", "tests": [f"assert f({expected!r}) == {expected!r}"]}
    (problem,) = file.open_problems(jsonl(tmp_path, [row])).problems
    assert repr(gold.load(problem.gold)) == repr(gold.Tests("f", [gold.Case([expected], expected)]))


@pytest.mark.parametrize("as_text", [False, True])
def test_tests_of_a_whole_program(tmp_path: Path, as_text: bool) -> None:
    tests: Any = [{"stdin": "1 2\r\n", "stdout": "3\r\n"}, {"stdin": "", "stdout": "0"}]
    row = {"prompt": "add", "tests": json.dumps(tests) if as_text else tests}
    (problem,) = file.open_problems(jsonl(tmp_path, [row])).problems
    assert problem.verifier == "console"
    assert gold.load(problem.gold) == gold.Console([gold.Exchange("1 2\n", "3\n"), gold.Exchange("", "0")])


@pytest.mark.parametrize(
    ("answer", "text", "verifier"),
    [
        (42, "42", "symbolic"), (42.0, "42", "symbolic"), (0.1, "0.1", "symbolic"), ("3/4", "3/4", "symbolic"),
        ("x^2+1", "x^2+1", "symbolic"), ("\\frac{\\sqrt{3}}{2}", "\\frac{\\sqrt{3}}{2}", "symbolic"),
        ("sin(x)/2", "sin(x)/2", "symbolic"), ("B", "B", "exact"), ("Paris", "Paris", "exact"),
        ("4 June 1989", "4 June 1989", "exact"), ("yes", "yes", "exact"), ("Jean-Luc", "Jean-Luc", "exact"),
    ],
)  # fmt: skip
def test_the_default_verifier(tmp_path: Path, answer: Any, text: str, verifier: str) -> None:
    (problem,) = file.open_problems(jsonl(tmp_path, [{"prompt": "Which?", "answer": answer}])).problems
    assert (gold.load(problem.gold), problem.verifier) == (gold.Answer(text), verifier)


def test_the_split_follows_from_the_prompt_alone(tmp_path: Path) -> None:
    rows = [{"prompt": f"What is {n} plus {n}?", "answer": 2 * n} for n in range(500)]
    first = file.open_problems(jsonl(tmp_path, rows)).problems
    again = file.open_problems(
        jsonl(tmp_path, [{**r, "answer": 0, "level": 9} for r in rows[::-1]], "b.jsonl")
    ).problems
    assert {p.prompt: p.split for p in first} == {p.prompt: p.split for p in again}
    assert 20 < sum(p.split == "heldout" for p in first) < 80


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "is empty"),
        ([{"question": "1+1?", "answer": "2"}], "has the columns question, answer: it needs `prompt`"),
        ([{"prompt": "1+1?", "solution": "2"}], "it needs `prompt`, and `answer` or `tests`"),
        ([{"prompt": "1+1?", "answer": "2", "verifer": "exact"}], "rename it to `verifier`"),
        (["garbage", "more"], "none of the 2 rows"),
    ],
)
def test_a_useless_file_is_one_sentence(tmp_path: Path, rows: list[Any], says: str) -> None:
    with pytest.raises(UserError, match=r"mine\.jsonl") as e:
        file.open_problems(jsonl(tmp_path, rows))
    assert says in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("name", ["nowhere.jsonl", "notes.txt", "broken.parquet", "folder"])
def test_a_path_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "broken.parquet").write_text("hello")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=name) as e:
        file.open_problems(tmp_path / name)
    assert "\n" not in str(e.value)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = jsonl(tmp_path, ROWS)
    assert len(file.open_problems(path).problems) == 3
    jsonl(tmp_path, ROWS[:1])
    os.utime(path, ns=(1, 1))
    assert len(file.open_problems(path).problems) == 1


def test_examples_parse_and_answers_solve() -> None:
    found = [file.parse(text) for text in file.EXAMPLES]
    assert all(found)
    assert [file.solve(p) for p in found[:2] if p] == ["#### 42", "#### Paris"]


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
NESTED = st.recursive(
    LEAVES, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(), x, max_size=3), max_leaves=6
)


@given(NESTED, st.sampled_from(file.COLUMNS))
def test_any_value_in_any_column_is_a_problem_or_a_reason(value: Any, column: str) -> None:
    for row in ({"prompt": "p", "answer": "1"}, {"prompt": "p", "entry": "f", "tests": ["assert f(1) == 1"]}):
        problem = file.parse(json.dumps({**row, column: value}))
        assert problem is None or gold.dump(gold.load(problem.gold)) == problem.gold


@given(st.text(max_size=200))
def test_any_text_is_a_problem_or_none(text: str) -> None:
    file.parse(text)
