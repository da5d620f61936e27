"""Decontamination: copies of held-out problems are found in every disguise, fresh problems are left alone."""

import random
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import domains, duck
from data.ids import derived_seed
from data.store import At
from tasks.decontaminate import steps
from tasks.settings import DecontaminateSettings

AT = At("r", 1, 7)
USUAL = DecontaminateSettings()
GENERATED = ("chain_sum", "equations", "programs", "blocksworld", "entailment")
STORY = (
    "Ann has 12 apples and 3 pears in a box. She gives 4 apples to her brother, and he eats two of them. "
    "Their mother then buys 1,250 more apples at the market. How many apples are there in the end?"
)
KNOWN = {"round": 1, "longest": 20_000, **USUAL.model_dump()}


def tables(rows: list[tuple[str, str, str]], name: str, **changed: Any) -> list[dict[str, Any]]:
    """One table of the stage for these rows of `texts`."""
    with duck.workspace(Path("/nowhere"), []) as ws:
        ws.give("texts", pa.table({n: [r[i] for r in rows] for i, n in enumerate(("benchmark", "id", "text"))}))
        ws.give("clearances", pa.table({n: pa.array([], pa.string()) for n in ("problem_id", "because")}))
        for step, text in steps()[1:]:
            ws.table(step, text, KNOWN | changed)
        return ws.arrow(f"FROM {name} ORDER BY ALL").to_pylist()


def made(train: list[str], benchmark: list[str], **changed: Any) -> list[dict[str, Any]]:
    """What is found among problems p0, p1, … that is like the texts b0, b1, … of one benchmark."""
    rows = [("", f"p{i}", text) for i, text in enumerate(train)]
    return tables([*rows, *(("bench", f"b{i}", text) for i, text in enumerate(benchmark))], "found", **changed)


def found(train: list[str], benchmark: list[str], **changed: Any) -> dict[str, str]:
    """Decision and signals of each problem that is like a text of the benchmark."""
    return {r["problem_id"]: f"{r['decision']}: {r['signals']}" for r in made(train, benchmark, **changed)}


def each(pairs: list[tuple[str, str]], **changed: Any) -> list[str]:
    """The same for (held-out problem, problem): what the second is to the first, empty when it is left alone."""
    rows = [row for i, (b, p) in enumerate(pairs) for row in ((f"b{i}", "x", b), ("", f"p{i}", p))]
    hits = {(r["benchmark"], r["problem_id"]): r for r in tables(rows, "found", **changed)}
    both = [hits.get((f"b{i}", f"p{i}")) for i in range(len(pairs))]
    return [f"{r['decision']}: {r['signals']}" if r else "" for r in both]


WORDS = [
    ("Tom has 3 apples.", "tom has 3 apples ¶"),
    ("TOM   has\nthree apples", "tom has ¶ 3 apples"),
    ("It's 1,250.50 kg; ok?", "it s 1250.50 kg ¶ ok ? ¶"),
    ("3+5−2 = ?", "3 + 5 - 2 = ? ¶"),
    ("5! = 120, so 5!", "5! = 120 so 5!"),
    ("1. ~a|b\n(2) c\n3) b?", "№1 ~ a | b ¶ №2 c ¶ №3 b ? ¶"),
    ("(3) + 4\n2.5 m", "( 3 ) + 4 ¶ 2.5 m"),
    ("Question 7: why", "why"),
    ("If it rains, how many go? All go!", "if it rains ¶ how many go ? ¶ all go ¶"),
    ("red, green, blue", "red green blue"),
    ("2x+3=14, x=?", "2 x + 3 = 14 ¶ x = ? ¶"),
    ("求和 是多少", "求 和 是 多 少"),
    ("\x00 \u200b\u00a0", ""),
    ("", ""),
]


def test_every_step_says_what_its_rows_are():
    for _, text in steps():
        assert text.startswith("-- grain: one row per ")
        assert max(map(len, text.splitlines())) <= 120


def test_the_words_of_a_text():
    found = tables([("", f"{i:02}", text) for i, (text, _) in enumerate(WORDS)], "words")
    assert [" ".join(row["words"]) for row in found] == [words for _, words in WORDS]


SAME = [  # a held-out problem and a copy in which all numbers and signs are where they were
    (STORY, STORY),
    (STORY, STORY.upper().replace(". ", " .\n\n").replace(",", "")),
    (STORY, "\n".join(f"{i}) {s}" for i, s in enumerate(STORY.split(". "), 1))),
    (STORY, "Question 3: " + STORY.replace("1,250", "1250").replace("two", "2").replace("?", "")),
    (STORY, "How many apples are there in the end? " + STORY.partition(" How")[0]),
    (STORY, ". ".join([*STORY.split(". ")[1:2], *STORY.split(". ")[:1], *STORY.split(". ")[2:]])),
    ("3+5-2=?", "3 + 5 − 2 ="),
    ("2x+3=14, x=?", "x=?, 2x + 3 = 14"),
    ("1. ~a|b\n2. a|c\n3. ~c|b\nb?", "1. a|c\n2. ~c|b\n3. ~a|b\nb?"),
    ("1. ~a|b\n2. a|c\n3. ~c|b\nb?", "1. ~a|b 2. a|c 3. ~c|b b?"),
    ("f(x): add 3, double\nf(2)=10\nf(5)=16", "f(x): add 3, double\nf(5)=16\nf(2)=10"),
    ("Is 7 prime?", "is seven prime"),
]
OTHER = [  # problems of the same kind
    ("Tom has 3 apples.", "Tom has 4 apples."),
    (STORY, STORY.replace("12", "14")),
    (STORY, STORY.replace("two", "three")),
    (STORY, STORY.replace("1,250", "12")),
    ("3+5-2=?", "3-5+2=?"),
    ("3+5-2=?", "5+3-2=?"),
    ("3+5-2=?", "1+3+5-2=?"),
    ("(3) + 4 = ?", "(5) + 4 = ?"),
    ("What is 5!?", "What is 5?"),
    ("1. d\n2. b\n3. c\na?", "1. a\n2. b\n3. c\nd?"),
    ("blocks: ac b -> bca", "blocks: ab c -> bca"),
    ("f(x): add 3, double\nf(2)=10\nf(5)=16", "f(x): double, add 3\nf(2)=7\nf(5)=13"),
    ("Next in 2, 4, 8?", "Next in 8, 4, 2?"),
    ("", "?"),
]


def test_a_copy_is_dropped():
    assert [(h[:5], h[-9:]) for h in each(SAME)] == [("drop:", "same form")] * len(SAME)
    assert each(SAME, by_form=False, by_ngrams=False) == [""] * len(SAME)


def test_another_problem_of_the_kind_is_left_alone():
    assert each(OTHER) == [""] * len(OTHER)


LONG = STORY + " Then count the pears that nobody ate, and write down both of the numbers in a single line."
EMBEDDED = f"You are a patient teacher. Solve this for your class of pupils: {STORY} Explain every step that you take."


SIGNALS: list[tuple[str, dict[str, Any], str | None]] = [  # problem, settings, what it is to LONG
    (LONG, {}, "drop: n-grams + same form"),
    (LONG.replace("brother", "cousin"), {}, "drop: n-grams + few edits"),
    (LONG.replace("brother", "cousin"), {"edit": 0.0}, "review: n-grams"),
    (LONG.replace("brother", "cousin").replace("mother", "aunt").replace("count", "sum"), {}, "review: few edits"),
    (LONG.replace("brother", "cousin"), {"by_ngrams": False}, "review: few edits"),
    (LONG, {"by_form": False}, "review: n-grams"),
    (LONG, {"ngram": 50}, "drop: n-grams + same form"),
    (LONG, {"least_ngrams": 100}, "drop: same form"),
    (EMBEDDED + LONG, {}, "review: n-grams"),
    (STORY, {}, "review: n-grams"),
    (STORY, {"overlap": 0.9}, None),
    (EMBEDDED.replace("12", "13") + LONG.replace("12", "13"), {}, None),
]


@pytest.mark.parametrize(("train", "changed", "expected"), SIGNALS)
def test_each_signal_can_be_set_and_is_reported(train, changed, expected):
    assert found([train], [LONG], **changed).get("p0") == expected


def test_boilerplate_does_not_count():
    frame = "Read the following problem with care, think step by step, and write the final result in the last line: "
    train = [f"{frame}what is {a} times {b}?" for a in range(5, 9) for b in range(9, 15)]
    assert found(train, [f"{frame}what is 77 times 78?", f"{frame}name the capital of France."]) == {}
    copies = found([*train, f"{frame}what is 77 times 78?"], [f"{frame}what is 77 times 78?"])
    assert copies == {"p24": "drop: n-grams + same form"}  # n-grams with its numbers are its own


def test_many_copies_are_no_boilerplate():
    words = random.Random(3).sample([f"w{chr(97 + i)}{chr(97 + j)}" for i in range(20) for j in range(20)], 60)
    text = " ".join(words)
    edited = " ".join([*words[:30], "other", *words[31:]])
    assert found([text] * 40 + [edited], [text])["p40"] == "drop: n-grams + few edits"


def test_of_several_like_texts_the_nearest_is_shown():
    near = STORY.replace("brother", "cousin")
    rows = made([STORY], [near, STORY, "x"])
    assert [(r["benchmark_id"], r["edit"], r["overlap"], r["prompt"]) for r in rows] == [("b1", 0.0, 1.0, STORY)]
    assert rows[0]["benchmark_prompt"] == STORY and rows[0]["ngrams"] == 34


SAID = st.lists(st.sampled_from([*"12345", "27", "3.5", "apples", "gives", "to", "Tom", "x"]), min_size=1, max_size=30)


@settings(max_examples=8)
@given(st.lists(SAID, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_spaces_case_and_punctuation_never_hide_a_copy(texts, rng):
    def disguised(words: list[str]) -> str:
        said = [w.upper() if rng.random() < 0.3 else w for w in words]
        return "".join(w + rng.choice([" ", ", ", "  \n", '" ', ": ", " ' "]) for w in said)

    hits = found([disguised(w) for w in texts], [" ".join(w) for w in texts])
    assert len(hits) == len(texts) and all(h.endswith("same form") for h in hits.values())


@settings(max_examples=8)
@given(st.lists(SAID, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_another_number_is_another_problem(texts, rng):
    def changed(words: list[str]) -> str:
        at = rng.choice([i for i, w in enumerate(words) if w[0].isdigit()])
        return " ".join([*words[:at], "99", *words[at + 1 :]])

    numbered = [w for w in texts if any(x[0].isdigit() for x in w)]
    assert each([(" ".join(w), changed(w)) for w in numbered]) == [""] * len(numbered)


def test_the_order_of_the_rows_does_not_matter():
    texts = [STORY.replace("12", str(n % 4)).replace("brother", "cousin" if n % 3 else "brother") for n in range(24)]
    first = Counter(found(texts[:16], texts[16:]).values())
    assert first and first == Counter(found(texts[15::-1], texts[:15:-1]).values())


def spread(prompt: str) -> str:
    return re.sub(r"([-+*/=|()~])", r" \1 ", prompt).replace("\n", "\n\n")


def renumbered(prompt: str) -> str:
    lines = re.sub(r"(?m)^(\d+)\. ", r"(\1)  ", prompt)
    return lines if lines != prompt else f"12) {prompt}"


def reordered(prompt: str) -> str:
    """Premises, shown examples or the two halves of an equation in another order; the rest has no clauses."""
    if re.match(r"1\. ", prompt):
        *premises, conclusion = prompt.split("\n")
        turned = [f"{i}. {p.split('. ')[1]}" for i, p in enumerate(reversed(premises), 1)]
        return "\n".join([*turned, conclusion])
    first, *rest = prompt.split("\n")
    return "\n".join([first, *reversed(rest)]) if rest else ", ".join(reversed(prompt.split(", ")))


DISGUISES = (
    str,
    str.upper,
    spread,
    lambda prompt: " ".join(prompt.split()),
    lambda prompt: prompt.rstrip("?") + ".",
    renumbered,
    reordered,
)


def drawn(domain: str, split: str, seed: int, n: int) -> list[str]:
    """So many prompts of each of the levels 1 to 8."""
    levels = [domains.load(domain).problems(split, derived_seed(seed, domain, k, split), k) for k in range(1, 9)]
    return [p.prompt for level in levels for p in islice(level, n)]


@pytest.fixture(scope="module")
def held_out() -> list[str]:
    return [prompt for domain in GENERATED for prompt in drawn(domain, "heldout", 0, 8)]


def test_copies_of_generated_problems_are_found_in_every_disguise(held_out):
    copies = [disguise(prompt) for prompt in held_out for disguise in DISGUISES]
    hits = found(copies, held_out)
    assert len(hits) >= 0.99 * len(copies)
    assert sum(hit.startswith("drop") for hit in hits.values()) >= 0.99 * len(copies)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fresh_problems_are_left_alone(held_out, seed):
    fresh = {domain: drawn(domain, "train", seed, 15) for domain in GENERATED}
    domain_of = [domain for domain, prompts in fresh.items() for _ in prompts]
    hits = found([prompt for prompts in fresh.values() for prompt in prompts], held_out)
    wrong = Counter(domain_of[int(problem[1:])] for problem in hits)
    assert all(wrong[domain] <= 0.01 * len(prompts) for domain, prompts in fresh.items()), hits
