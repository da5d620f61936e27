"""The promise: a round's problems follow the curriculum, are new, reproducible, and never held out."""

from collections import Counter

from data.domains import load
from data.records import Problem, Score
from data.schemas import rows
from data.store import At, Store
from tasks.problems import band_of, draw, held_out, levels_of, pass_rates
from tests.stages import AT, GENERATE, LEVELS, drawn


def own_problems(n: int) -> list[Problem]:
    texts = (f'{{"prompt": "What is {i} times 7?", "answer": {7 * i}, "split": "train"}}' for i in range(n))
    return [problem for text in texts if (problem := load("file").parse(text))]


def test_rounds_draw_new_train_problems_and_repeat_exactly(home):
    store = Store(home)
    first, second = drawn(store), drawn(store, At("run", 2, 7))
    assert len(first) == len(second) == GENERATE.problems
    assert not {p.id for p in first} & {p.id for p in second}
    assert {p.split for p in first + second} == {"train"}
    assert {(p.domain, p.level) for p in first} == {(d, n) for d, levels in LEVELS.items() for n in levels}
    assert drawn(store) == first
    assert drawn(Store(home / "again")) == first
    assert {p.id for p in drawn(store, At("other", 1, 8))} != {p.id for p in first}


def test_a_level_that_has_run_dry_gives_what_it_has(home):
    rates = {("chain_sum", 1): 0.5}
    many = GENERATE.model_copy(update={"problems": 400})
    result = draw(Store(home), AT, {"chain_sum": [1]}, rates, many)
    assert 50 < result.problems < 160
    assert result.lacking == 400 - result.problems
    left = draw(Store(home), At("run", 2, 7), {"chain_sum": [1]}, rates, many)
    assert left.problems < 10


def test_the_users_own_problems_come_back_when_all_were_tried(home):
    store, own, few = Store(home), own_problems(10), GENERATE.model_copy(update={"problems": 4})
    tried: Counter[str] = Counter()
    for number in range(1, 6):
        at = At("run", number, 7)
        assert draw(store, at, {}, {}, few, own).problems == 4
        tried.update(p.id for p in rows(store.read("problems", "run", [number]), Problem))
    assert tried == Counter({p.id: 2 for p in own})


def test_held_out_problems_depend_on_the_evaluation_alone(home):
    problems = held_out(LEVELS, 5, 0)
    assert problems == held_out(LEVELS, 5, 0)
    assert Counter((p.domain, p.level) for p in problems) == {(d, n): 5 for d, ns in LEVELS.items() for n in ns}
    assert {p.split for p in problems} == {"heldout"}
    assert not {p.id for p in problems} & {p.id for p in drawn(Store(home))}
    assert problems != held_out(LEVELS, 5, 1)


def test_pass_rates_are_those_of_earlier_rounds(home):
    store = Store(home)
    for number, value in ((0, 0.25), (1, 0.75)):
        stage = store.stage(At("run", number, 7), "evaluate-m0", "f")
        score = Score("m0", "chain_sum", 2, "easy", "strict@k", 1, value, 0.0, 1.0, 4, 16)
        band = Score("m0", "chain_sum", 0, "all", "strict@k", 1, 0.5, 0.0, 1.0, 4, 16)
        stage.write("scores", "all", [score, band])
        stage.commit()
    assert pass_rates(store, At("run", 1, 7), "m0") == {("chain_sum", 2): 0.25}
    assert pass_rates(store, At("run", 2, 7), "m0") == {("chain_sum", 2): 0.75}
    assert pass_rates(store, At("run", 2, 7), "m1") == {}


def test_bands_cover_every_level():
    levels = levels_of(["chain_sum", "programs"], 12)
    assert levels["programs"] == list(range(1, 13))
    bands = [band_of("chain_sum", n) for n in levels["chain_sum"]]
    assert bands == ["easy"] * 2 + ["middle"] * 3 + ["hard"] * 7
    assert band_of("file:/some/where.jsonl", 3) == "middle"
