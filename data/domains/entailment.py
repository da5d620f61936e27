"""Does a clause follow from others? Answered by a certificate: a derivation by resolution, or an assignment against it.

The prompt is numbered premises, then the conclusion with a question mark; `data/clauses.py` has the notation. Level =
premises - 2. Half the problems are entailed: made backwards, splitting a clause in two that resolve to it, so that a
proof takes level + 1 steps at least. The others are such problems with a sign changed. Premises never
contradict each other, and the conclusion never contains one.
"""

import re
from collections.abc import Iterator
from random import Random
from string import ascii_lowercase

from data.clauses import negated
from data.domains._dpll import derive, refute, show
from data.domains._fresh import build, distinct
from data.gold import Entailment
from data.ids import content_id, derived_seed
from data.records import Problem

VERIFIER = "certificate"
BANDS = {"easy": (1, 2), "middle": (3, 5), "hard": (6, 8)}
WIDEST = 3  # literals of a clause
LARGEST = 24  # premises of a problem
REUSED = 0.5  # share of the resolutions undone on a letter that is there already
INSTRUCTION = (
    "Do the numbered clauses entail the last one? `~` is not, `|` is or. End with a certificate and nothing after it. "
    "If they do: a line `#### proof`, then one line per step, numbered on from the premises, the last one being the "
    "conclusion. `5. a|b 1,4` resolves lines 1 and 4: one has a letter, the other its negation, and all other literals "
    "of both remain. `6. a|b|c 5` adds literals to line 5. If they do not: a line `#### counterexample`, then one line "
    "with the literals that make every premise true and the conclusion false: `a ~b c`."
)
EXAMPLES = ["1. ~a|b\n2. a|c\n3. ~c|b\nb?", "1. ~a|b\n2. a|c\n3. c|b\nb?", "1. a|~b|c\n2. b|d\n3. ~c|d\n4. ~a|e\na|d?"]

_LITERAL = "~?[a-z]"
_CLAUSE = rf"{_LITERAL}(?:\|{_LITERAL}){{0,{WIDEST - 1}}}"
_PROMPT = re.compile(rf"((?:[1-9][0-9]?\. {_CLAUSE}\n){{3,{LARGEST}}})({_CLAUSE})\?")

Words = list[list[str]]  # the literals of each premise, then those of the conclusion, in the order written


def _read(text: str) -> Words | None:
    """The clauses in `text`; None unless all of it parses and no clause has a letter twice or is repeated."""
    match = _PROMPT.fullmatch(text)
    if not match:
        return None
    numbers, words = zip(*(line.split(". ") for line in match[1].splitlines()), strict=True)
    clauses = [word.split("|") for word in (*words, match[2])]
    if list(numbers) != [str(n + 1) for n in range(len(words))]:
        return None
    if any(len({x[-1] for x in literals}) < len(literals) for literals in clauses):
        return None
    return clauses if len({frozenset(literals) for literals in clauses}) == len(clauses) else None


def _write(clauses: Words) -> str:
    """The prompt, its letters named in the order in which they appear."""
    lines = [f"{n}. {'|'.join(literals)}" for n, literals in enumerate(clauses[:-1], 1)]
    text = "\n".join([*lines, "|".join(clauses[-1]) + "?"])
    names = dict(zip(dict.fromkeys(re.findall("[a-z]", text)), ascii_lowercase, strict=False))
    return re.sub("[a-z]", lambda m: names[m[0]], text)


def _shape(clauses: Words) -> str:
    """A key that renamed letters and reordered premises or literals do not change.

    Letters are told apart by where they occur, over and over (Weisfeiler and Leman, 1968); problems that differ may
    share a key, which does no harm: they fall in the same split.
    """
    colour = dict.fromkeys((x[-1] for literals in clauses for x in literals), "")
    seen: list[str] = []
    for _ in range(4):
        seen = [content_id(sorted((x[:-1], colour[x[-1]]) for x in literals)) for literals in clauses]
        seen[-1] += "?"
        places: dict[str, list[tuple[str, str]]] = {letter: [] for letter in colour}
        for mark, literals in zip(seen, clauses, strict=True):
            for x in literals:
                places[x[-1]].append((mark, x[:-1]))
        colour = {letter: content_id(sorted(where)) for letter, where in places.items()}
    return content_id(sorted(seen))


def parse(text: str, source: str = "text") -> Problem | None:
    """The problem in `text`; None unless all of it parses, its premises agree and none lies in the conclusion."""
    clauses = _read(text)
    if clauses is None:
        return None
    *premises, conclusion = (frozenset(literals) for literals in clauses)
    if any(premise <= conclusion for premise in premises) or refute(premises, frozenset(), Random(0)) is None:
        return None
    gold = Entailment(["|".join(literals) for literals in clauses[:-1]], "|".join(clauses[-1]))
    return build("entailment", len(premises) - 2, text, gold, VERIFIER, source, key=_shape(clauses))


def problems(split: str, seed: int, level: int) -> Iterator[Problem]:
    """Fresh problems of one level, no two of them alike but for names and order; endless from level 2 to 22."""
    shapes: set[str] = set()

    def draw(rng: Random) -> str:
        clauses = _entailed(rng, level)
        return _write(clauses if rng.random() < 0.5 else _spoilt(rng, clauses))

    def fresh(text: str) -> Problem | None:
        clauses = _read(text)
        if clauses is None or (shape := _shape(clauses)) in shapes:
            return None
        problem = parse(text, f"generator:{seed}")
        shapes.add(shape)
        return problem

    if level + 2 <= LARGEST:
        yield from distinct(draw, fresh, split, seed, level)


def _entailed(rng: Random, level: int) -> Words:
    """Premises and a conclusion that follows from all of them and from no fewer, by undoing resolutions."""
    letters = ascii_lowercase[: rng.randint(1, 2)]
    conclusion = [rng.choice(["", "~"]) + x for x in letters]
    premises = [conclusion]
    while len(premises) < level + 2:
        at = rng.randrange(len(premises))
        spare = [x for x in letters if x not in "".join(premises[at])]
        pivot = rng.choice(spare) if spare and rng.random() < REUSED else ascii_lowercase[len(letters)]
        sides = [rng.choice("lrb") for _ in premises[at]]  # left, right, both
        left = [x for x, side in zip(premises[at], sides, strict=True) if side != "r"] + [pivot]
        right = [x for x, side in zip(premises[at], sides, strict=True) if side != "l"] + ["~" + pivot]
        split = [*premises[:at], left, right, *premises[at + 1 :]]
        if max(len(left), len(right)) <= WIDEST and _tight(split, conclusion):
            premises = split
            letters += pivot.strip(letters)
    return [rng.sample(literals, len(literals)) for literals in (*rng.sample(premises, len(premises)), conclusion)]


def _tight(clauses: Words, conclusion: list[str]) -> bool:
    """Whether no premise can be spared: then a proof takes at least one step fewer than there are premises."""
    rng, premises = Random(0), [frozenset(literals) for literals in clauses]
    rest = ([*premises[:i], *premises[i + 1 :]] for i in range(len(premises)))
    return all(refute(some, frozenset(conclusion), rng) is not None for some in rest)


def _spoilt(rng: Random, clauses: Words) -> Words:
    """The problem with one sign of a premise changed, so that the conclusion does not follow."""
    *premises, conclusion = clauses
    places = [(i, j) for i, literals in enumerate(premises) for j in range(len(literals))]
    for i, j in rng.sample(places, len(places)):
        changed = [*premises[i][:j], negated(premises[i][j]), *premises[i][j + 1 :]]
        spoilt = [*premises[:i], changed, *premises[i + 1 :]]
        if refute([frozenset(c) for c in spoilt], frozenset(conclusion), rng) is not None:
            return [*spoilt, conclusion]
    return clauses


def solve(problem: Problem) -> str:
    """The certificate, a near-shortest one. Raises ValueError when the problem is none of this domain."""
    clauses = _read(problem.prompt)
    if clauses is None:
        raise ValueError(f"not a problem of this domain: {problem.prompt[:80]!r}")
    *premises, conclusion = (frozenset(literals) for literals in clauses)
    rng = Random(derived_seed("solve", problem.prompt))
    steps = derive(premises, conclusion, rng)
    if steps is not None:
        return "#### proof\n" + show(steps, len(premises))
    return "#### counterexample\n" + " ".join(refute(premises, conclusion, rng) or [])
