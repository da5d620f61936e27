"""Plans: read whole or not at all, judged to the failing step; a task that is not understood is nobody's mistake."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import gold
from data.gold import Planning, StepRule, dump
from data.records import Problem
from tests.plans import LAMPS, LOGISTICS
from verifiers import _pddl
from verifiers._plan_text import MAX_ACTIONS, MAX_LINE, extract
from verifiers._sexpr import MAX_DEPTH, MAX_TEXT, Unreadable, read
from verifiers._strips import carry_out
from verifiers.plan import EXAMPLES, MAX_REASON, check_steps, verify

SWAP = EXAMPLES[0][0]
PLAN = ["unstack b a", "put-down b", "pick-up a", "stack a b"]
ACTIONS = tuple(tuple(line.split()) for line in PLAN)
LIST = "\n".join(PLAN)
CITY = (
    "(define (problem city) (:domain logistics) (:objects t - truck p - plane x - parcel shop - place)\n"
    " (:init (at t shop) (at x shop) (at p hub) (road shop hub)) (:goal (and (at x hub) (not (at t shop)))))"
)
DARK = "(define (problem dark) (:domain lamps) (:objects a b) (:init (linked a b) (lit b)) (:goal (not (lit b))))"


def problem(domain: str, text: str, rule: str = "") -> Problem:
    known = Planning(domain, text, StepRule(rule))  # type: ignore[arg-type]
    return Problem("p", "d", 1, "?", dump(known), "plan", "test", "train")


READ = [
    f"#### plan\n{LIST}",
    f"#### PLAN:\n\n{LIST}\n\n",
    f"Plan:\n{LIST}",
    f"We begin.\n\n**Final plan:**\n{LIST}",
    f"```\n{LIST}\n```",
    f"```pddl\n{LIST}\n```\nand that is it",
    f"#### plan\n```\n{LIST}\n```",
    f"```\n#### plan\n{LIST}\n```",
    f"```\nstack a b\n```\nNo:\n```\n{LIST}\n```",
    f"#### plan\nstack a b\n#### plan\n{LIST}",
    f"<think>#### plan\nstack a b</think>\n#### plan\n{LIST}",
    f"```\nstack a b\n```\n#### plan\n{LIST}",
    "#### plan\n(unstack b a)\n( put-down b )\n(PICK-UP A)\n(stack a b)",
    "#### plan\nunstack(b, a)\nput-down(b)\npick-up( a )\nstack(a,b)",
    "#### plan\n1. unstack b a\n2) put-down b\n3: pick-up a\nstep 4: (stack a b)",
    "#### plan\r\nunstack b a\r\nput-down b\r\n\r\npick-up a\r\n\tstack  a\tb\r\n",
    "#### plan\n; four actions\nunstack b a ; first\nput-down b\npick-up a\nstack a b\n; cost = 4",
]
UNREAD = [
    ("", "no plan is marked"),
    (LIST, "no plan is marked"),
    (f"The plan: {LIST}", "no plan is marked"),
    (f"<think>#### plan\n{LIST}", "never closed"),
    (f"<think>#### plan\n{LIST}</think>", "no plan is marked"),
    (f"```\n{LIST}", "no plan is marked"),
    ("#### plan", "nothing is under"),
    ("#### plan\n\n ; later\n", "nothing is under"),
    (f"#### plan\n{LIST}\n#### plan\n", "nothing is under"),
    (f"#### plan\n{LIST}\nDone.", "line 5"),
    (f"#### plan\n- {LIST}", "line 1"),
    (f"#### plan\n{LIST.replace('put-down b', '...')}", "line 2"),
    ("#### plan\n(unstack b a) (put-down b)", "line 1"),
    ("#### plan\n(unstack b a", "line 1"),
    ("#### plan\n((unstack b a))", "line 1"),
    ("#### plan\nunstack(b a)", "line 1"),
    ("#### plan\nunstack(b,,a)", "line 1"),
    ("#### plan\nunstack ?x ?y", "line 1"),
    ("#### plan\n1.", "line 1"),
    ("#### plan\n()\nunstack b a", "line 2"),
    ("#### plan\nunstack b a\n()", "line 2"),
    ("#### plan\nunstack b é", "line 1"),
    ("#### plan\n" + "a " * MAX_LINE, "line 1"),
    ("#### plan\n" + "a\n" * (MAX_ACTIONS + 1), f"line {MAX_ACTIONS + 1}"),
]


@pytest.mark.parametrize("text", READ)
def test_every_spelling_is_the_same_plan(text: str) -> None:
    assert extract(text).actions == ACTIONS
    assert verify(SWAP, text).outcome == "correct"
    assert verify(SWAP, text).answer == "(unstack b a) (put-down b) (pick-up a) (stack a b)"


@pytest.mark.parametrize(("text", "reason"), UNREAD)
def test_a_plan_is_read_whole_or_not_at_all(text: str, reason: str) -> None:
    verdict = verify(SWAP, text)
    assert (verdict.outcome, verdict.answer) == ("no_answer", "")
    assert reason in verdict.reason and len(verdict.reason) < 200


WRONG = [
    ("stack a b", "step 1 `stack a b`: (holding a) does not hold"),
    ("unstack b a\nstack b a\nstack b a", "step 3 `stack b a`: (holding b) does not hold"),
    ("unstack b a\nput-down b\npick-up a\npick-up b", "step 4 `pick-up b`: (arm-empty) does not hold"),
    ("unstack b a\nput-down b\npick-up a", "the goal is not reached: (on a b) does not hold"),
    ("()", "the goal is not reached: (on-table b) does not hold, (on a b) does not hold"),
    ("unstack b a\nfly b", "step 2 `fly b`: there is no such action"),
    ("unstack b", "step 1 `unstack b`: the action takes 2 objects, not 1"),
    ("unstack b c", "step 1 `unstack b c`: there is no object c"),
]


@pytest.mark.parametrize(("plan", "reason"), WRONG)
def test_a_verdict_names_the_failing_step(plan: str, reason: str) -> None:
    verdict = verify(SWAP, f"#### plan\n{plan}")
    assert (verdict.outcome, verdict.reason) == ("incorrect", reason)


TYPED = [
    (CITY, "load x t shop\ndrive t shop hub\nunload x t hub", "correct", "actions: 3"),
    (CITY, "load x p shop", "incorrect", "step 1 `load x p shop`: (at p shop) does not hold"),
    (CITY, "load t t shop", "incorrect", "step 1 `load t t shop`: t is no parcel"),
    (CITY, "fly-home p shop", "incorrect", "step 1 `fly-home p shop`: shop is no airport"),
    (CITY, "fly-home p hub\ndrive t shop hub", "incorrect", "the goal is not reached: (at x hub) does not hold"),
    (CITY, "load x t shop\ndrive t shop hub\nunload x t hub\ndrive t hub shop", "incorrect", "(road hub shop)"),
    (CITY, "()", "incorrect", "(at x hub) does not hold, (at t shop) holds and must not"),
    (DARK, "press a b", "correct", "actions: 1"),
    (DARK, "cut\npress a b", "incorrect", "step 2 `press a b`: (dead) holds and must not"),
    (DARK, "cut()\nmend\n(press a b)", "correct", "actions: 3"),
    (DARK, "()", "incorrect", "(lit b) holds and must not"),
    (DARK.replace("(not (lit b))", "(lit b)"), "()", "correct", "actions: 0"),
]


@pytest.mark.parametrize(("text", "plan", "outcome", "reason"), TYPED)
def test_types_constants_and_negatives(text: str, plan: str, outcome: str, reason: str) -> None:
    verdict = verify(problem(LAMPS if text.startswith("(define (problem dark") else LOGISTICS, text), f"Plan:\n{plan}")
    assert verdict.outcome == outcome and reason in verdict.reason, verdict


def test_an_action_that_deletes_and_adds_an_atom_adds_it() -> None:
    task = _pddl.parse(LOGISTICS, CITY)
    ran = carry_out(task, [("fly-home", "p", "hub")])
    assert (ran.done, ran.fault) == (1, "") and ("at", "p", "hub") in ran.state
    assert ran.state == task.init


REFUSED = [
    (":negative-preconditions", ":adl", "the domain: it requires :adl, which is not supported"),
    ("(not (dead)))\n", "(= ?x ?y))\n", "in the action press, (= ?x ?y) is no atom of a declared predicate"),
    ("(not (dead)))\n", "(or (dead) (dead)))\n", "(or (dead) (dead)) is no atom"),
    ("(and (lit ?x) (not (lit ?y)))", "(when (dead) (lit ?x))", "(when (dead) (lit ?x)) is no atom"),
    ("(lit ?x) (linked", "(lit ?x ?z) (linked", "(lit ?x) is no atom of a declared predicate"),
    ("(lit ?x) (linked", "(lit ?x) (lit ?x) (linked", "the predicate lit is declared twice"),
    (
        "?x ?y)\n    :precondition (and (linked",
        "?x)\n    :precondition (and (linked",
        "?y in (linked ?x ?y) is not declared",
    ),
    (
        "?x ?y)\n    :precondition (and (linked",
        "?x ?x)\n    :precondition (and (linked",
        "the parameter ?x is declared twice",
    ),
    (
        "?x ?y)\n    :precondition (and (linked",
        "?x ?y - lamp)\n    :precondition (and (linked",
        "there is no type lamp",
    ),
    (
        "?x ?y)\n    :precondition (and (linked",
        "x ?y)\n    :precondition (and (linked",
        "x stands where a variable should",
    ),
    ("?x ?y)\n    :precondition (and (linked", "?x - (either a b))\n    :precondition (and (linked", "(either a b)"),
    ("(:action swap", "(:action press", "the action press is declared twice"),
    ("(:action swap", "(:action", "stands where a name should"),
    (":effect (dead)", ":effects (dead)", "in the action cut, the keys are not some of"),
    (":effect (dead)", ":effect", "in the action cut, the keys are not some of"),
    (":effect (dead)", ":effect dead", "dead stands where a list should"),
    ("(:requirements", "(:types a - b b - a) (:requirements", None),
    ("(:requirements", "(:functions (cost)) (:requirements", "the section :functions is not understood"),
    ("(:predicates", "(:predicates) (:predicates", "a section is there twice"),
    ("(define (domain lamps)", "(define (domain)", "it does not begin with (define (domain <name>)"),
    ("(define (domain lamps)", "(define) (define (domain lamps)", "not one list"),
    ("(dead))\n", "(dead)\n", "a bracket is never closed"),
    ("(define", ") (define", "a closing bracket has no opening one"),
    ("(define", "(" * (MAX_DEPTH + 1) + "(define", f"nested deeper than {MAX_DEPTH}"),
    ("(define", ";" * MAX_TEXT + "\n(define", f"more than {MAX_TEXT}"),
]
REFUSED_PROBLEMS = [
    ("(:domain lamps)", "(:domain lights)", "the problem: it is not one of the domain lamps"),
    ("(:domain lamps)", "", "the problem: it is not one of the domain lamps"),
    ("(:objects a b)", "(:objects a b a)", "the object a is declared twice"),
    ("(:objects a b)", "(:objects a b - lamp)", "there is no type lamp"),
    ("(:objects a b)", "(:objects a b -)", "() stands where a name should"),
    ("(:objects a b)", "(:objects - object)", "nothing is said to be of the type object"),
    ("(:objects a b)", "(:objects a b) (:metric minimize (cost))", "the section :metric is not understood"),
    ("(lit b))", "(lit c))", "c in (lit c) is not declared"),
    ("(lit b))", "(not (lit b)))", "(not (lit b)) is no atom"),
    ("(lit b))", "lit)", "lit stands where a list should"),
    ("(:goal (not (lit b)))", "(:goal)", "it has no goal, or several"),
    ("(:goal (not (lit b)))", "", "it has no goal, or several"),
    ("(:goal (not (lit b)))", "(:goal (lit a) (lit b))", "it has no goal, or several"),
    ("(:goal (not (lit b)))", "(:goal (forall (?x) (lit ?x)))", "is no atom of a declared predicate"),
    ("(:goal (not (lit b)))", "(:goal (not (not (lit b))))", "is no atom of a declared predicate"),
    ("(:goal", "goal (:goal", "goal is no section"),
    ("(problem dark)", "(domain dark)", "it does not begin with (define (problem <name>)"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), REFUSED)
def test_a_domain_that_is_not_understood_is_refused_in_a_sentence(old: str, new: str, sentence: str | None) -> None:
    assert old in LAMPS
    domain = LAMPS.replace(old, new, 1)
    if sentence is None:  # a circle of types that nothing has
        domain = domain.replace("(lit ?x) (not (lit ?y)))", "(lit ?x) (not (lit ?y)))").replace(
            "(?x ?y)\n", "(?x ?y - a)\n", 1
        )
        sentence = "the type a inherits from itself"
    verdict = verify(problem(domain, DARK), "#### plan\npress a b")
    assert verdict.outcome == "unverified" and sentence in verdict.reason, verdict
    assert len(verdict.reason) < 300 and "\n" not in verdict.reason
    assert check_steps(problem(domain, DARK), "#### plan\npress a b") == []


@pytest.mark.parametrize(("old", "new", "sentence"), REFUSED_PROBLEMS)
def test_a_problem_that_is_not_understood_is_refused_in_a_sentence(old: str, new: str, sentence: str) -> None:
    assert DARK.count(old) >= 1
    broken = problem(LAMPS, DARK.replace(old, new, 1))
    verdict = verify(broken, "#### plan\npress a b")
    assert verdict.outcome == "unverified" and sentence in verdict.reason, verdict
    assert len(verdict.reason) < 300


def test_what_pddl_leaves_open_is_read() -> None:
    plain = "(DEFINE (Domain d) (:predicates (P)) (:action go :effect (and (and (p)) (and))))"
    task = _pddl.parse(plain, "(define (problem x) (:domain D) (:init) (:goal (P)))")
    assert carry_out(task, [("go",)]).state == {("p",)}
    bare = problem(plain, "(define (problem x) (:domain d) (:goal (and)))")
    assert verify(bare, "#### plan\n()").outcome == "correct"


def test_golds_of_another_kind_are_unverified() -> None:
    other = replace(SWAP, gold=dump(gold.Answer("6")))
    assert verify(other, f"#### plan\n{LIST}").outcome == "unverified"
    odd = replace(SWAP, gold=json.dumps({"kind": "planning", "domain": 5, "problem": None}))
    assert verify(odd, f"#### plan\n{LIST}").outcome == "unverified"
    assert check_steps(odd, f"#### plan\n{LIST}") == check_steps(SWAP, "no plan") == []


STEPS = [
    (f"a b\nba\n#### plan\n{LIST}", "ss pppp", ""),
    (f"a b\n#### plan\n{LIST}", "s pppp", ""),
    (f"#### plan\n{LIST}", " pppp", ""),
    (f"ba\na  b\n#### plan\n{LIST}", "SS pppp", "ba should be a b"),
    (f"a b\nab\n#### plan\n{LIST}", "sS pppp", "ab should be ba"),
    (f"a b\nba\nba\nba\n#### plan\n{LIST}", "ssS pppp", "a line too many"),
    (f"I think so.\nba\n#### plan\n{LIST}", "Ss pppp", "I think so. should be a b"),
    ("a b\nba\n#### plan\nunstack b a\nput-down b\nstack a b\nput-down a", "s ppP", "(holding a) does not hold"),
    ("a b\n#### plan\nunstack b a\nput-down b", "s pp", ""),  # short of the goal: the verdict's business
    ("a b\n#### plan\n()", "S ", "a line too many"),
    ("#### plan\n()", " ", ""),
]


@pytest.mark.parametrize(("text", "marks", "reason"), STEPS)
def test_steps_are_lines_and_actions_up_to_the_failing_one(text: str, marks: str, reason: str) -> None:
    steps = check_steps(SWAP, text)
    found = ["".join(s.kind[0].upper() if s.outcome == "incorrect" else s.kind[0] for s in steps if s.kind == kind)
             for kind in ("stacks", "plan")]  # fmt: skip
    assert " ".join(found) == marks
    assert [s.index for s in steps] == list(range(len(steps)))
    assert next((s.reason for s in steps if s.outcome == "incorrect"), "") == reason


def test_without_the_rule_lines_before_the_plan_are_free() -> None:
    assert {s.kind for s in check_steps(problem(LAMPS, DARK), "So be it.\n#### plan\npress a b")} == {"plan"}


def test_a_huge_plan_and_a_huge_state_are_bounded() -> None:
    things = " ".join(f"o{i}" for i in range(9_000))
    lit = " ".join(f"(lit o{i})" for i in range(9_000))
    big = problem(LAMPS, f"(define (problem x) (:domain lamps) (:objects {things}) (:init {lit}) (:goal (dead)))")
    assert verify(big, "#### plan\n" + "cut\nmend\n" * (MAX_ACTIONS // 2 - 1) + "cut").outcome == "correct"
    assert verify(big, "#### plan\n" + "cut\nmend\n" * MAX_ACTIONS).outcome == "no_answer"
    assert len(verify(big, "#### plan\n()").reason) < 100
    assert len(verify(big, f"#### plan\n{'press ' * 40}").reason) < 200
    named = problem(LAMPS.replace("dead", "d" * 10_000), DARK)
    assert verify(named, "#### plan\nmend").outcome == "incorrect"
    assert len(verify(named, "#### plan\nmend").reason) <= MAX_REASON
    assert len(check_steps(named, "#### plan\nmend")[0].reason) <= MAX_REASON
    assert (
        len(verify(problem(LAMPS, DARK.replace("dark", "d" * 50_000).replace("lamps", "x")), "Plan:\ncut").reason) < 400
    )


words = st.sampled_from(
    ["unstack", "stack", "pick-up", "put-down", "a", "b", "c", "(", ")", ",", "()", "#### plan", "Plan:"]
)
marks = st.sampled_from(["\n", " ", "\n", "```\n", ";", "1. ", "<think>", "</think>"])
name = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)


@given(
    st.text(max_size=200)
    | st.lists(words | marks, max_size=40).map(" ".join)
    | st.lists(words | marks, max_size=40).map("".join)
)
def test_any_text_is_judged(text: str) -> None:
    verdict, steps = verify(SWAP, text), check_steps(SWAP, text)
    assert verdict.outcome in ("correct", "incorrect", "no_answer")
    assert bool(verdict.answer) == (verdict.outcome != "no_answer")
    if verdict.outcome == "correct":
        assert all(s.outcome == "correct" for s in steps if s.kind == "plan")


@given(st.lists(st.lists(name, min_size=1, max_size=4).map(tuple), min_size=1, max_size=12), st.integers(0, 3))
def test_parsing_undoes_writing(plan: list[tuple[str, ...]], style: int) -> None:
    write = [
        " ".join,
        lambda action: f"({' '.join(action)})",
        lambda action: f"{action[0]}({', '.join(action[1:])})",
        lambda action: f"7. ({' '.join(action).upper()}) ; (no)",
    ][style]
    assert extract("so\n#### plan\n" + "\n".join(map(write, plan))).actions == tuple(plan)


@given(st.text(alphabet="()abc-?: ;\n", max_size=80))
def test_any_s_expression_is_read_or_refused(text: str) -> None:
    try:
        found = read(text)
    except Unreadable as e:
        assert str(e)
        return
    assert isinstance(found, tuple)


@given(st.data())
def test_any_damage_to_a_task_is_understood_or_refused(data: st.DataObject) -> None:
    """A token of the domain or the problem replaced by another: a task, or one sentence."""
    texts = [LOGISTICS.replace("(", " ( ").replace(")", " ) ").split(" "), CITY.split(" ")]
    which = data.draw(st.integers(0, 1))
    at = data.draw(st.integers(0, len(texts[which]) - 1))
    texts[which][at] = data.draw(
        st.sampled_from(["", "(", ")", "-", "()", "x", "?v", "place", "and", "not", ":init", "(at x hub)"])
    )
    try:
        task = _pddl.parse(" ".join(texts[0]), " ".join(texts[1]))
    except Unreadable as e:
        assert str(e).startswith(("the domain: ", "the problem: "))
        return
    assert carry_out(task, [("load", "x", "t", "shop")]).done in (0, 1)
