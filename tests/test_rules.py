"""The rules of curation: each is one file, one switch and one reason, and drops what it says and nothing else."""

from typing import Any

import pyarrow as pa
import pytest

from data.rules import rules
from data.store import At, Store
from tasks.curate import FAULTS, ORDER, SURPLUS, curate
from tasks.settings import CurateSettings, Rules
from tests.rows import ask, fill, given

Rows = list[dict[str, Any]]
ELSEWHERE = {"contaminated", "near_duplicate"}  # their cases are with what they look up
OFF = dict.fromkeys(ORDER, False)
PLAIN = "First 12 + 5 = 17, then 17 - 3 = 14.\n#### 14"
LOOP = "12 + 5 = 17\n" + "wait, once more\n" * 6 + "#### 17"
LONG_LOOP = "12 + 5 = 17\n" + "We know that twelve and five make seventeen, so the sum that we want is there.\n" * 5
TABLE = "".join(f"n = {n}: {n} * {n} = {n * n}, which is not what we look for\n" for n in range(9)) + "#### 9"


def rows(*texts: str, **more: Any) -> Rows:
    """Right attempts a, b, c … at one problem, with these texts."""
    return [{"attempt_id": chr(97 + i), "text": text, **more} for i, text in enumerate(texts)]


def levels(**sizes: int) -> Rows:
    """So many attempts at each level, two at a problem: a1 and a2 at the first problem of level a."""
    return [
        {"attempt_id": f"{k}{i + 1}", "problem_id": f"{k}/{i // 2}", "level": ord(k)}
        for k, n in sizes.items()
        for i in range(n)
    ]


CASES: list[tuple[str, Rows, str, dict[str, Any]]] = [  # rule, candidates, ids that are dropped, settings
    ("lucky", [*rows("1", lucky=True), {"attempt_id": "b"}], "a", {}),
    ("truncated", [{"attempt_id": f, "finish": f} for f in ("stop", "length", "abort")], "abort length", {}),
    ("endless", rows(PLAIN, LOOP, LONG_LOOP, TABLE, "", "0" * 63, "0" * 64, PLAIN + "\n" + PLAIN), "b c g", {}),
    ("endless", rows("ab" * 60 + TABLE, "ab" * 600 + TABLE), "b", {}),
    ("endless", rows("ab" * 40 + "x" + PLAIN), "", {"endless_share": 0.9}),
    ("foreign_characters", rows(PLAIN, "a\tb\r\nc", "2 × π ≈ 6.28 − ½ é Ä 😀 ½ ∑"), "", {}),
    ("foreign_characters", rows("a\x00b", "a\x1bb", "a\ufffdb", "a\x7fb", "\ue000"), "a b c d e", {}),
    ("foreign_characters", rows("所以", "так", "так что", "λ", "कि"), "a e", {}),  # two of five: a habit of the domain
    ("foreign_characters", rows("所以 また 그래서", "так", prompt="多少 да"), "", {}),
    ("foreign_characters", rows("a\x0cb", "\ufffd", prompt="\x0c?"), "", {}),
    ("foreign_characters", rows(*["1"] * 9, "так", "так"), "j k", {"foreign_share": 0.1}),
    ("length_outlier", rows("x" * 90, *["x" * 30] * 20, "x" * 91, "x" * 10, "x" * 9), "v x", {}),
    ("length_outlier", rows(*["x" * 30] * 18, "x" * 300), "", {}),  # too few to tell
    ("length_outlier", rows(*["x" * (i * 10) for i in range(1, 24)], "x" * 900), "x", {"length_mads": 12}),
    ("duplicate", rows("1 2", " 1\n2", "12\t", "1 3", ""), "b c", {}),
    ("duplicate", [*rows("1"), {"attempt_id": "b", "text": "1", "prompt": "other"}], "", {}),
    ("used_before", rows("old\n1", "new 1"), "a", {}),
    ("over_the_cap", rows("1", "2", "3"), "b c", {"per_problem": 1}),
    ("over_the_cap", rows("1", "2"), "", {}),
    ("over_the_cap", rows("a b c", "a b c d", "x y", "a y"), "b d", {}),
    ("over_the_cap", rows("a b c d", "a b c e", "x y", "a z"), "b", {"per_problem": 3}),
    ("over_the_cap", rows("a b c", "a b c d", "x y", "a y"), "c d", {"compared": 2}),
    ("over_the_cap", rows("a", "a", "a", "b"), "d", {"per_problem": 3, "compared": 2}),
    ("over_the_cap", [*rows("1", "1"), {"attempt_id": "c", "problem_id": "q"}], "b", {"per_problem": 1}),
    ("level_balance", levels(a=2, b=3, c=5), "c2 c4", {"level_times": 1, "min_examples": 1}),
    ("level_balance", levels(a=1, b=5, c=1), "b2 b4 b5", {"level_times": 2, "min_examples": 1}),
    ("level_balance", levels(a=1, b=4), "", {"level_times": 1, "min_examples": 1}),  # of two, the upper is the median
    ("level_balance", levels(a=1, b=33, c=1), "b32", {}),
]
USED = given("examples", {"prompt": "1+1?", "completion": "old 1"}, {"prompt": "2?", "completion": "new 1"})


@pytest.mark.parametrize(("name", "right", "dropped", "changed"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_a_rule_drops_what_it_says(name: str, right: Rows, dropped: str, changed: dict[str, Any]):
    usual = {"problem_id": "p", "domain": "d", "level": 1, "prompt": "1+1?", "text": "", "tokens": 1}
    usual |= {"finish": "stop", "lucky": False, "round": 1}
    candidates = pa.Table.from_pylist([{**usual, "draw": i, **row} for i, row in enumerate(right)])
    alive = candidates.select(["attempt_id", "problem_id", "domain", "level", "draw"])
    known = {**CurateSettings().model_dump(), "round": 1, "seed": "1", **changed}
    found = ask(rules()[name].select, known, candidates=candidates, alive=alive, examples=USED)
    assert sorted(row["attempt_id"] for row in found) == dropped.split()
    only = alive.slice(0, 1)  # what is not alive is not looked at, or does no harm
    assert {r["attempt_id"] for r in ask(rules()[name].select, known, candidates=candidates, alive=only)} <= {
        *dropped.split()
    }


def test_file_switch_and_place_in_the_order_are_one_thing():
    assert [*rules()] == sorted(ORDER) == sorted(Rules.model_fields)
    assert {name for name, *_ in CASES} == {*ORDER} - ELSEWHERE
    assert not {*FAULTS} & {*SURPLUS}


@pytest.mark.parametrize("name", rules())
def test_a_file_says_what_it_drops_and_is_one_select(name: str):
    rule = rules()[name]
    for text in (rule.select, *(text for _, text in rule.steps)):
        assert not any(";" in line.split("--")[0] for line in text.splitlines())
        assert next(line for line in text.splitlines() if not line.startswith("--")).split()[0] in ("WITH", "SELECT")
        assert max(map(len, text.splitlines())) <= 120
    assert rule.drops and rule.reason.replace(" ", "_") == name


PLANTED: dict[str, Rows] = {  # what one rule alone finds in the round below
    "lucky": [{"id": "lucky", "text": "by luck it is fourteen"}],
    "truncated": [{"id": "cut", "text": "and so on and on and", "finish": "length"}],
    "endless": [{"id": "loop", "text": LOOP}],
    "foreign_characters": [{"id": "foreign", "text": "所以 it is fourteen, 14"}],
    "length_outlier": [{"id": "vast", "text": "".join(f"{i} " for i in range(300))}],
    "duplicate": [{"id": f"copy{i}", "text": PLAIN + "\n" * i, "problem_id": "twice"} for i in range(2)],
    "used_before": [{"id": "again", "text": "once more it is fourteen", "problem_id": "old"}],
    "over_the_cap": [
        {"id": f"more{x}", "text": f"{x} makes fourteen", "problem_id": "full"} for x in ("17-3", "5+9", "7+7")
    ],
}
SETTINGS = {"level_times": 1, "min_examples": 1}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An earlier round that used an example, and one in which every rule finds something."""
    store, here = Store(tmp_path_factory.mktemp("ledger")), At("r", 1, 7)
    fill(
        store,
        At("r", 0, 7),
        "curate",
        examples=[{"prompt": "old?", "completion": "once  more it is fourteen"}],
        decisions=[],
    )
    attempts: Rows = [{"id": f"plain{i}", "text": f"{PLAIN} {i}"} for i in range(25)]
    attempts += [row for found in PLANTED.values() for row in found]
    attempts = [{"problem_id": a["id"], **a} for a in attempts]
    level = {"plain0": 2, "plain1": 3, "plain2": 3, "plain3": 3}  # 1, 3 and the rest: the median is 3
    problems = [{"id": p, "prompt": f"{p}?", "level": level.get(p, 1)} for p in {a["problem_id"] for a in attempts}]
    fill(store, here, "problems", problems=problems)
    fill(store, here, "generate", attempts=attempts)
    steps = [{"attempt_id": "lucky", "outcome": "incorrect"}]
    fill(store, here, "verify", verdicts=[{"attempt_id": a["id"]} for a in attempts], step_verdicts=steps)
    return store


def reasons(ledger: Store, **on: bool) -> dict[str, str]:
    """The reason of every attempt when these rules are on and no others."""
    curate(ledger, At("r", 1, 7), CurateSettings(**SETTINGS, rules=Rules(**{**OFF, **on})))
    return {row["attempt_id"]: row["reason"] for row in ledger.read("decisions", rounds=[1]).to_pylist()}


@pytest.mark.parametrize("name", PLANTED)
def test_each_rule_has_its_switch(ledger: Store, name: str):
    found = reasons(ledger, **{name: True})
    dropped = {a for a, reason in found.items() if reason == rules()[name].reason}
    assert {a for a, reason in found.items() if reason == "kept"} == found.keys() - dropped
    assert len(dropped) == 1 and dropped <= {row["id"] for row in PLANTED[name]}


def test_all_off_keeps_all_that_is_right_and_all_on_drops_each_for_its_own_reason(ledger: Store):
    assert set(reasons(ledger).values()) == {"kept"}
    found = reasons(ledger, **dict.fromkeys(ORDER, True))
    for name, planted in PLANTED.items():
        assert rules()[name].reason in {found[row["id"]] for row in planted}, name
    assert sum(reason == "level balance" for reason in found.values()) == 21  # of 24 that were left at level 1
    assert sum(reason == "kept" for reason in found.values()) == 7
