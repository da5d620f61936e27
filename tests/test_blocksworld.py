"""Blocksworld: every problem can be solved, its level is the length of a shortest plan, and no renaming leaks it."""

from collections import deque
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import domains, registry
from data.domains import _stacks, blocksworld
from data.gold import Planning, load
from data.records import Problem
from verifiers._judge import judge
from verifiers._plan_text import extract
from verifiers.plan import check_steps, verify
from verifiers.probes.plan import MARK, probes, works

State = frozenset[tuple[str, str]]  # block, what it is on


def below(text: str) -> State:
    """The stacks as pairs, read apart from the domain's own code."""
    return frozenset((block, ("-" + word)[at]) for word in text.split() for at, block in enumerate(word))


def distances(start: State) -> dict[State, int]:
    """Moves to every state there is, by breadth."""
    found, queue = {start: 0}, deque([start])
    while queue:
        state = queue.popleft()
        free = {block for block, _ in state} - {under for _, under in state}
        for block, under in state:
            for target in {*free, "-"} - {block, under} if block in free else ():
                after = state - {(block, under)} | {(block, target)}
                if after not in found:
                    found[after] = found[state] + 1
                    queue.append(after)
    return found


def written(state: State) -> str:
    """The stacks as the prompt writes them."""
    above = {under: block for block, under in state if under != "-"}
    words = []
    for word in (block for block, under in state if under == "-"):
        while word[-1] in above:
            word += above[word[-1]]
        words.append(word)
    return " ".join(sorted(words))


def some(level: int, n: int, split: str = "train", seed: int = 11) -> list[Problem]:
    return list(islice(blocksworld.problems(split, seed, level), n))


arrangements = st.permutations("abcdef").flatmap(
    lambda blocks: st.lists(st.booleans(), min_size=5, max_size=5).map(
        lambda cuts: tuple(sorted("".join(b + " " * c for b, c in zip(blocks, [*cuts, False], strict=True)).split()))
    )
)
prompts = st.tuples(arrangements, arrangements).map(lambda two: f"blocks: {' '.join(two[0])} -> {' '.join(two[1])}")


@pytest.mark.parametrize(("blocks", "states"), [("ab", 3), ("abc", 13), ("abcd", 73)])
def test_the_level_is_the_length_of_a_shortest_plan(blocks: str, states: int) -> None:
    everything = [written(state) for state in distances(below(" ".join(blocks)))]
    assert len(everything) == states
    for start in everything:
        for goal, moves in distances(below(start)).items():
            problem = blocksworld.parse(f"blocks: {start} -> {written(goal)}")
            assert (problem.level if problem else 0) == moves


def test_the_level_is_the_length_of_a_shortest_plan_of_six_blocks() -> None:
    for start in ("abcdef", "ab cd ef", "fa ebc d"):
        for goal, moves in islice(distances(below(start)).items(), 1, None, 7):
            assert len(_stacks.shortest(tuple(start.split()), tuple(written(goal).split()))) == moves


@pytest.mark.parametrize("level", range(1, 13))
def test_problems_are_of_their_level_and_split_and_solved(level: int) -> None:
    for split in ("train", "heldout"):
        n = 8 if split == "train" else 2
        found = some(level, n, split)
        assert len({p.id for p in found}) == len(found) == n
        assert {(p.split, p.level, p.domain, p.verifier) for p in found} == {(split, level, "blocksworld", "plan")}
        for problem in found:
            again = blocksworld.parse(problem.prompt, problem.source)
            assert again == problem
            judged = judge(problem, blocksworld.solve(problem))
            assert judged.verdict.outcome == "correct", judged
            assert [s.outcome for s in judged.steps] == ["correct"] * 3 * level


def test_the_same_seed_gives_the_same_problems_and_another_does_not() -> None:
    assert some(4, 20) == some(4, 20)
    assert {p.id for p in some(4, 20)} != {p.id for p in some(4, 20, seed=12)}


def test_easy_levels_have_problems_enough() -> None:
    counts = {level: len(some(level, 300)) for level in (1, 2)}
    assert counts == {1: 300, 2: 300}
    assert len(some(1, 60, "heldout")) == len(some(2, 60, "heldout")) == 60


NONE = [
    "blocks: ba -> ba",  # nothing to do
    "blocks: ac b -> bc",
    "blocks: ac b -> bcad",
    "blocks: aab -> baa",
    "blocks: b ac -> bca",  # not in order
    "blocks: ac b -> c ba",
    "blocks: ac  b -> bca",
    "blocks: ac b-> bca",
    "blocks: AC b -> bca",
    "blocks: ac b -> bca ",
    "blocks: ac b -> bca\n",
    "blocks:  -> ",
    "blocks: abcdefghij -> jihgfedcba",
    "ac b -> bca",
    "3+5-2=?",
    "",
    "blocks: " + "ab " * 10_000,
    "blocks: é ab -> abé",
]


@pytest.mark.parametrize("text", NONE)
def test_a_text_that_is_no_problem_is_none(text: str) -> None:
    assert blocksworld.parse(text) is None


def test_a_prompt_belongs_to_one_domain() -> None:
    examples = [(name, text) for name in registry.known("data.domains") for text in domains.load(name).EXAMPLES]
    for name, text in examples:
        assert (blocksworld.parse(text) is not None) == (name == "blocksworld")
    mine = [p.prompt for p in some(3, 20)] + blocksworld.EXAMPLES
    others = [domains.load(name) for name in registry.known("data.domains") if name not in ("blocksworld", "file")]
    assert not [text for text in mine for other in others if other.parse(text)]


def test_the_gold_is_the_task_of_the_prompt_and_the_prompt_hides_it() -> None:
    problem = blocksworld.parse("blocks: ac b -> bca")
    assert problem is not None
    gold = load(problem.gold)
    assert isinstance(gold, Planning) and gold.steps.kind == "stacks"
    for atom in ("(on c a)", "(on-table a)", "(clear c)", "(on-table b)", "(clear b)", "(arm-empty)"):
        assert atom in gold.problem.partition("(:goal")[0]
    assert gold.problem.partition("(:goal")[2].split(")))")[0] == " (and (on-table b) (on c b) (on a c"
    assert blocksworld.solve(problem) == "a bc\nbca\n#### plan\nunstack c a\nstack c b\npick-up a\nstack a c"
    assert verify(problem, problem.prompt).outcome == verify(problem, gold.problem).outcome == "no_answer"


@given(prompts, st.permutations("abcdef"))
def test_a_renaming_is_in_the_same_split(prompt: str, names: list[str]) -> None:
    problem = blocksworld.parse(prompt)
    if problem is None:
        assert len({*prompt.removeprefix("blocks: ").split(" -> ")}) == 1
        return
    sides = prompt.translate(str.maketrans("abcdef", "".join(names))).split(": ")[1]
    start, goal = (" ".join(sorted(side.split())) for side in sides.split(" -> "))
    other = blocksworld.parse(f"blocks: {start} -> {goal}")
    assert other is not None
    assert (other.split, other.level) == (problem.split, problem.level)


@given(prompts, st.data())
def test_a_solution_is_accepted_and_no_shorter_one_is(prompt: str, data: st.DataObject) -> None:
    problem = blocksworld.parse(prompt)
    if problem is None:
        return
    solution = blocksworld.solve(problem)
    shown, _, plan = solution.partition(f"{MARK}\n")
    lines = plan.split("\n")
    assert works(prompt, lines) and verify(problem, solution).outcome == "correct"
    assert extract(solution).before == tuple(shown.split("\n")[:-1])
    assert verify(problem, solution.rpartition("\n")[0]).outcome == "incorrect"
    at = data.draw(st.integers(0, len(lines) - 1))
    assert verify(problem, f"{MARK}\n" + "\n".join(lines[:at] + lines[at + 1 :])).outcome != "correct"
    spoilt = shown.split("\n")[:-1]
    at = data.draw(st.integers(0, len(spoilt) - 1))
    spoilt[at] = data.draw(st.sampled_from(["", " "])).join(reversed(spoilt[at].split()))
    steps = check_steps(problem, "\n".join([*spoilt, MARK, plan]))
    changed = spoilt[at].split() != shown.split("\n")[at].split()
    assert any(s.outcome == "incorrect" for s in steps) == changed


@given(
    prompts,
    st.lists(
        st.tuples(st.sampled_from(["pick-up", "put-down", "stack", "unstack"]), st.permutations("abcdef")), max_size=8
    ),
)
def test_the_verdict_is_that_of_moving_blocks_by_hand(prompt: str, drawn: list[tuple[str, list[str]]]) -> None:
    problem = blocksworld.parse(prompt)
    if problem is None:
        return
    plan = [f"{name} {' '.join(names[: 1 if '-' in name else 2])}" for name, names in drawn]
    solved = blocksworld.solve(problem).partition(f"{MARK}\n")[2].split("\n")
    for lines in (plan, plan + solved, solved + plan, solved[:2] + plan + solved[2:]):
        verdict = verify(problem, f"{MARK}\n" + ("\n".join(lines) or "()"))
        assert verdict.outcome == ("correct" if works(prompt, lines) else "incorrect"), verdict


def test_probes_are_judged_as_they_are_labelled() -> None:
    kinds = set()
    for level in range(1, 9):
        for problem in some(level, 5):
            for probe in probes(problem, Random(level), blocksworld.solve(problem)):
                judged = judge(problem, probe.text)
                accepted = judged.verdict.outcome == "correct" and all(s.outcome != "incorrect" for s in judged.steps)
                assert accepted == probe.accept, (probe, judged)
                kinds.add((probe.kind, probe.accept))
    refused = {"near_miss", "empty", "copied", "listed", "refusal", "early_exit", "over_long", "injected", "lucky"}
    assert kinds >= {("gold", True), ("spelling", True)} | {(kind, False) for kind in refused}
