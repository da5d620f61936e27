"""The promise: only a certificate is right, each line of a proof is checked, and what is proved is so, as z3 agrees."""

from dataclasses import replace
from itertools import islice, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import gold
from data.clauses import Clause, negated, write
from data.domains import entailment
from data.domains._dpll import derive, refute, show
from data.gold import Entailment
from data.records import Problem
from verifiers._judge import judge
from verifiers._resolution import counterexample, derivation
from verifiers.certificate import MAX_CERTIFICATE, MAX_LINES, MAX_TEXT, check_steps, verify
from verifiers.probes.certificate import probes

LITERALS = [sign + x for x in "abcde" for sign in ("", "~")]


def asked(premises: str, conclusion: str) -> Problem:
    known = gold.dump(Entailment(premises.split(), conclusion))
    return Problem("p", "d", 1, "?", known, "certificate", "test", "train")


QUESTION = asked("~a|b a|c ~c|b", "b")
GOOD = "4. b|c 1,2\n5. b 3,4"


def follows(premises: list[Clause], conclusion: Clause) -> bool:
    """By looking at every assignment."""
    for values in product([False, True], repeat=5):
        true = {x if value else "~" + x for x, value in zip("abcde", values, strict=True)}
        if not conclusion & true and all(premise & true for premise in premises):
            return False
    return True


PROOFS = [
    (GOOD, "+"),
    ("4. c|b 2,1\n5. b 4,3", "+"),
    ("  4 . c | b|b   2 ,1  \n\n\n5.b 4, 3\n ", "+"),
    ("4. b|c 1,2\n5. b|d 3\n5. b 3,4", "5. b|d 3': it lacks literals of line 3"),
    ("4. b|c|d 1,2", "b|c|d is no resolvent of lines 1 and 2"),  # a resolvent weakened takes two lines
    ("4. b|~c 1,3", "b|~c is no resolvent of lines 1 and 3"),  # though it follows
    ("4. b|c 1,2\n5. b|c|d 4\n6. b|d 5,3\n7. b 6", "7. b 6': it lacks literals of line 6"),
    ("4. b|c 1,2\n5. b 3,4\n6. a|b 5", "the last line is not the conclusion b"),
    ("4. b|c 1,2\n4. b 3,4", "its number must be 5, not 4"),
    ("4. b|c 1,2\n6. b 3,4", "its number must be 5, not 6"),
    ("1. b|c 1,2\n2. b 3,4", "its number must be 4, not 1"),
    ("4. b 4", "there is no line 4 before it"),
    ("4. b 5\n5. b 4", "there is no line 5 before it"),
    ("4. b 0,1", "there is no line 0 before it"),
    ("4. b 1,99", "there is no line 99 before it"),
    ("4. b", "not of the form"),
    ("4. 1,2", "not of the form"),
    ("4. b 1,2,3", "not of the form"),
    ("b 1,2", "not of the form"),
    ("4. b 1 2", "'b 1' is not a letter"),
    ("4. b|B 1,2", "'B' is not a letter"),
    ("4. b| 1,2", "'' is not a letter"),
    ("4. b&c 1,2", "not a letter"),
    ("4. b 1,2 hence b", "not of the form"),
    (GOOD + "\nTherefore b holds.", "not of the form"),
    ("```\n" + GOOD + "\n```", "not of the form"),
    ("", "the proof is empty"),
    ("yes", "not of the form"),
    ("~b ~a c", "not of the form"),
    ("4. b|c 1,2\n5. b 3,4 #### yes", "not of the form"),
    ("4. b|c 1, 2\n٥. b 3,4", "not of the form"),
]
COUNTEREXAMPLES = [
    ("~b ~a c", "+"),
    ("~b ~a c\n~b ~a c", "a line too many"),
    ("~b\n~a\nc", "premise 1 is not made true"),
    ("c ¬b  ~a\n", "+"),
    ("~b ~a", "premise 2 is not made true"),
    ("~b ~a ~c", "premise 2 is not made true"),
    ("~a c", "the conclusion is not made false: b"),
    ("b ~a c", "the conclusion is not made false: b"),
    ("~b ~a c ~c", "c is given twice"),
    ("~b ~b ~a c", "b is given twice"),
    ("~b ~a c d", "d is not a letter of the problem"),
    ("b=0 a=0 c=1", "'b=0' is not a letter"),
    ("~b, ~a, c", "'~b,' is not a letter"),
    ("", "the counterexample is empty"),
    ("yes", "'yes' is not a letter"),
    (GOOD, "'4.' is not a letter"),
]


@pytest.mark.parametrize(("text", "expected"), PROOFS)
def test_proofs(text: str, expected: str) -> None:
    verdict = verify(QUESTION, "#### proof\n" + text)
    assert verdict.outcome == ("correct" if expected == "+" else "incorrect")
    assert expected == "+" or expected in verdict.reason


@pytest.mark.parametrize(("text", "expected"), COUNTEREXAMPLES)
def test_counterexamples(text: str, expected: str) -> None:
    verdict = verify(asked("~a|b a|c c|b", "b"), "#### counterexample\n" + text)
    assert verdict.outcome == ("correct" if expected == "+" else "incorrect")
    assert expected == "+" or expected in verdict.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yes", "no line"),
        ("#### yes", "no line"),
        ("#### b", "no line"),
        (GOOD, "no line"),
        (f"#### proof: {GOOD}", "no line"),
        (f"The form is #### proof\n{GOOD}", "no line"),
        (f"#### proof\n{GOOD}\n#### counterexample\n~b", "several"),
        (f"#### proof\n#### proof\n{GOOD}", "several"),
        (f"<think>#### proof\n{GOOD}", "never closed"),
        (f"<think>\n#### proof\n{GOOD}</think>\nyes", "no line"),
        (f"#### proof\n{GOOD}\n" + " " * MAX_CERTIFICATE, "characters"),
        (" " * MAX_TEXT + f"\n#### proof\n{GOOD}", "characters"),
        ("#### proof\n" + "\n".join(f"{n}. b|~a 1" for n in range(4, 5 + MAX_LINES)), "lines"),
    ],
)
def test_what_is_no_certificate(text: str, reason: str) -> None:
    verdict = verify(QUESTION, text)
    assert (verdict.outcome, verdict.answer) == ("no_answer", "")
    assert reason in verdict.reason
    assert check_steps(QUESTION, text) == []


def test_the_empty_clause_and_contradicting_premises() -> None:
    nothing = asked("a ~a|b ~b", "0")
    assert verify(nothing, "#### proof\n4. b 1,2\n5. 0 4,3").outcome == "correct"
    assert verify(nothing, "#### counterexample\na b").outcome == "incorrect"
    assert verify(asked("a ~a|b ~b", "c|d"), "#### proof\n4. b 1,2\n5. 0 4,3\n6. c|d 5").outcome == "correct"
    assert verify(asked("a ~a|b", "0"), "#### counterexample\na b").outcome == "correct"
    assert verify(asked("a b", "b"), "#### proof\n3. b 2").outcome == "correct"
    assert verify(asked("p1|q2 ~q2", "p1"), "#### proof\n3. p1 1,2").outcome == "correct"


@pytest.mark.parametrize(
    ("premises", "conclusion"),
    [([], "b"), (["a"], "a|~a"), (["a>b"], "b"), (["a"], ""), ([""], "a"), ("ab", "a"), ([1], "a"), (["a"] * 501, "a")],
)
def test_a_gold_that_is_not_understood_is_no_wrong_answer(premises, conclusion) -> None:
    faulty = replace(QUESTION, gold=gold.dump(Entailment(premises, conclusion)))
    assert verify(faulty, "#### proof\n" + GOOD).outcome == "unverified"
    assert check_steps(faulty, "#### proof\n" + GOOD) == []


def test_rules_at_their_edges() -> None:
    stronger = asked("~a|b a|c ~c|b", "b|d")
    assert verify(stronger, "#### proof\n" + GOOD).outcome == "incorrect"  # the conclusion itself takes one more line
    assert verify(stronger, f"#### proof\n{GOOD}\n6. b|d 5").outcome == "correct"
    useless = asked("a|b a|~a", "b")  # a tautology resolves to what is known
    assert verify(useless, "#### proof\n3. b 1,2").outcome == "incorrect"
    assert verify(useless, "#### proof\n3. a|b 1,2").reason == "the last line is not the conclusion b"
    assert verify(useless, "#### counterexample\na ~b").outcome == "correct"


def test_steps_say_which_line_is_wrong_and_which_rests_on_it() -> None:
    def marks(text: str) -> str:
        return "".join({"correct": "+", "incorrect": "-"}.get(s.outcome, "?") for s in check_steps(QUESTION, text))

    assert marks("#### proof\n" + GOOD) == "++"
    assert marks("#### proof\n4. b|c 1,2\n5. c 3,4\n6. b 3,5\n7. b|c 4\n8. b 3,7\n9. b 6") == "+-?++?"
    assert marks("#### proof\nHence:\n5. b|c 1,2\n6. b 3,5") == "-++"
    assert marks("#### counterexample\n~b ~a c\nwhat") == "--"
    assert {s.kind for s in check_steps(QUESTION, "#### proof\n" + GOOD)} == {"proof"}


def test_answers_that_can_be_guessed_are_none() -> None:
    """No text that ignores the premises is right for more than the problems it happens to refute."""
    fresh = list(islice(entailment.problems("train", 2, 3), 100))
    for text in ("#### yes", "#### proof\n6. a 1,2", "#### counterexample\na b c d e", "#### proof\n" + GOOD):
        assert sum(verify(p, text).outcome == "correct" for p in fresh) <= 5


CLAUSE = st.frozensets(st.sampled_from(LITERALS), max_size=3)


@st.composite
def derivations(draw) -> tuple[list[Clause], Clause, list[str]]:
    """Premises, a conclusion, and lines made by the rules, by rules misused, or by chance."""
    premises = draw(st.lists(CLAUSE, min_size=1, max_size=5))
    known, lines = list(premises), []
    for _ in range(draw(st.integers(1, 6))):
        number, top = len(known) + 1, len(known) + draw(st.sampled_from([0, 0, 0, 1, 2]))
        parents = draw(st.lists(st.integers(1, top), min_size=1, max_size=2))
        left, right = known[(parents[0] - 1) % len(known)], known[(parents[-1] - 1) % len(known)]
        pivots = sorted(x for x in left if negated(x) in right) or LITERALS
        pivot = draw(st.sampled_from(pivots))
        made = {
            "resolve": left - {pivot} | right - {negated(pivot)},
            "keep": left | right - {negated(pivot)},
            "drop": (left | right) - {pivot, negated(pivot)},
            "both": left & right,
            "weaken": left | draw(CLAUSE),
            "chance": draw(CLAUSE),
        }[draw(st.sampled_from(["resolve", "resolve", "resolve", "keep", "drop", "both", "weaken", "chance"]))]
        number = draw(st.sampled_from([number] * 9 + [number - 1, number + 1]))
        lines.append(f"{number}. {write(made)} {','.join(map(str, parents))}")
        known.append(made)
    return premises, draw(st.sampled_from([known[-1], draw(CLAUSE)])), lines


@settings(max_examples=250)
@given(derivations())
def test_no_derivation_proves_what_does_not_follow(made) -> None:
    premises, conclusion, lines = made
    checked = derivation(premises, lines)
    for line in checked:
        assert line.clause is None or follows(premises, line.clause)
        assert (line.clause is None) == (line.outcome != "correct") == bool(line.reason)
    question = asked(" ".join(map(write, premises)), write(conclusion))
    verdict = verify(question, "\n".join(["#### proof", *lines]))
    right = all(line.outcome == "correct" for line in checked) and checked[-1].clause == conclusion
    if any(negated(x) in conclusion for x in conclusion):
        assert verdict.outcome == "unverified"
    else:
        assert (verdict.outcome == "correct") == right
        assert not right or follows(premises, conclusion)


@given(st.lists(CLAUSE, min_size=1, max_size=6), CLAUSE, st.lists(st.sampled_from([*LITERALS, "f"]), max_size=6))
def test_no_assignment_refutes_what_follows(premises, conclusion, literals) -> None:
    if not counterexample(premises, conclusion, " ".join(literals)):
        assert not follows(premises, conclusion)
        assert len({x[-1] for x in literals}) == len(literals)


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_every_solution_is_accepted_and_all_probes_are_judged_as_labelled(seed: int, level: int) -> None:
    problem = next(entailment.problems("train", seed, level))
    solution = entailment.solve(problem)
    assert all(s.outcome == "correct" for s in judge(problem, solution).steps)
    made = list(probes(problem, Random(seed), solution))
    assert sum(p.accept for p in made) >= 9 and sum(not p.accept for p in made) >= 20
    for probe in [*made, *probes(problem, Random(seed), "")]:
        found = judge(problem, probe.text)
        assert (found.verdict.outcome == "correct") == probe.accept, (problem.prompt, probe, found)
        assert found.verdict.outcome != "unverified"


PIECES = st.sampled_from(
    ["#### proof\n", "#### counterexample\n", "4. ", "5.", "b|c", "b", "~", " ", "1,2", ",", "\n", "0"]
)


@given(
    st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=20).map("".join)), st.sampled_from(["", "#### proof\n"])
)
def test_any_text_is_judged(text: str, head: str) -> None:
    verdict = verify(QUESTION, head + text)
    assert verdict.outcome in ("correct", "incorrect", "no_answer") and verdict.reason
    steps = check_steps(QUESTION, head + text)
    assert verdict.outcome != "correct" or (steps and all(s.outcome == "correct" for s in steps))


def mutated(text: str, rng: Random) -> str:
    """The text with one to three characters dropped, doubled, swapped or replaced, after its first line."""
    head, _, body = text.partition("\n")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(body) + 1)
        piece = rng.choice(["", body[at : at + 1] * 2, rng.choice("abcde~|,. 0123456789\n"), body[at : at + 1]])
        body = body[:at] + piece + body[at + 1 :]
    return f"{head}\n{body}"


def test_z3_agrees() -> None:
    """On 1,000 random problems: the solver's side, each accepted certificate, each line accepted of a mutated one."""
    z3 = pytest.importorskip("z3")

    def formula(x: str):
        return z3.Not(z3.Bool(x[1:])) if x[0] == "~" else z3.Bool(x)

    rng = Random(11)
    sides, spared = [0, 0], 0
    for _ in range(1500):
        made = [frozenset(rng.sample(LITERALS, rng.choice([1, 2, 2, 3, 3]))) for _ in range(rng.randint(4, 10))]
        *premises, conclusion = made
        if any(negated(x) in conclusion for x in conclusion):
            continue
        solver = z3.Solver()
        solver.add(*(z3.Or([formula(x) for x in premise]) for premise in premises))

        def entails(claim: Clause, solver=solver) -> bool:
            return solver.check(*(formula(negated(x)) for x in claim)) == z3.unsat

        truth = entails(conclusion)
        steps = derive(premises, conclusion, rng, tries=2)
        assert (steps is not None) == truth
        text = (
            "#### proof\n" + show(steps, len(premises))
            if steps is not None
            else ("#### counterexample\n" + " ".join(refute(premises, conclusion, rng)))
        )
        question = asked(" ".join(map(write, premises)), write(conclusion))
        assert verify(question, text).outcome == "correct"
        sides[truth] += 1
        for _ in range(4):
            other = mutated(text, rng)
            if verify(question, other).outcome == "correct":
                spared += 1
                assert other.startswith("#### proof") == truth
            if truth:
                lines = [line for line in other.split("\n")[1:] if line.strip()]
                assert all(c.clause is None or entails(c.clause) for c in derivation(premises, lines))
    assert min(sides) > 300 and sum(sides) > 1000 and spared > 100
