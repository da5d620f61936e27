"""The problems of a round, drawn by the curriculum, and the held-out problems, the same for every round and model.

Not here: problems the model writes (`propose.py`), and what a level's weight is (`curriculum.py`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

from prefect import task
from prefect.cache_policies import NO_CACHE

from data import domains
from data.ids import content_id, derived_seed
from data.records import Problem, Score
from data.schemas import rows
from data.store import At, Store
from tasks.curriculum import Key, allocate, weights
from tasks.settings import GenerateSettings

VERSION = 1
LOOK_PAST = 20_000  # problems of an earlier round that are skipped before a level counts as dry


@dataclass(frozen=True, slots=True)
class Drawn:
    """The problems of a round: how many, of which level, and how many the levels lacked."""

    problems: int
    by_level: dict[str, int]  # "domain/level" -> problems
    lacking: int


def levels_of(names: Sequence[str], highest: int) -> dict[str, list[int]]:
    """Levels 1 to `highest` of each of these generated domains."""
    return {name: list(range(1, highest + 1)) for name in names}


def band_of(domain: str, level: int) -> str:
    """easy, middle or hard, by the domain's own bands; levels above all of them are hard."""
    bands: Mapping[str, tuple[int, int]] = domains.load(domain).BANDS
    return next((name for name, (_, last) in bands.items() if level <= last), "hard")


def held_out(levels: Mapping[str, Sequence[int]], n: int, seed: int, extra: Sequence[Problem] = ()) -> list[Problem]:
    """At most `n` held-out problems per domain and level: the generators', then the user's own in `extra`.

    Depends on `seed` alone, which is that of the evaluation and not of the run, so that runs can be compared.
    """
    chosen: dict[str, Problem] = {}
    for domain, numbers in sorted(levels.items()):
        for level in sorted(numbers):
            fresh = domains.load(domain).problems("heldout", derived_seed("held-out", seed, domain, level), level)
            chosen |= {p.id: p for p in islice(fresh, n)}
    for group in _by_level([p for p in extra if p.split == "heldout"]).values():
        chosen |= {p.id: p for p in sorted(group, key=lambda p: content_id(seed, p.id))[:n]}
    return list(chosen.values())


def pass_rates(store: Store, at: At, model_id: str) -> dict[Key, float]:
    """The model's strict pass rate (right, and no wrong step) per domain and level, as evaluated in earlier rounds.

    This round's own scores stay out: a resumed round must draw what it drew. Held-out scores steer only how many
    problems of a level are drawn, never which, so nothing held out is trained on.
    """
    scores = rows(store.read("scores", at.run, range(at.round)), Score)
    return {(s.domain, s.level): s.value for s in scores if _is_level_rate(s, model_id)}


def draw(
    store: Store,
    at: At,
    levels: Mapping[str, Sequence[int]],
    rates: Mapping[Key, float],
    settings: GenerateSettings,
    extra: Sequence[Problem] = (),
) -> Drawn:
    """Stage `problems`: writes this round's train problems to `problems`.

    Generated problems are new to the run. The user's own come back when all of their level were tried, least often
    tried first. A level with too few problems gives what it has.
    """
    own = _by_level([p for p in extra if p.split == "train"])
    keys = {(d, n) for d, numbers in levels.items() for n in numbers} | own.keys()
    shares = weights({key: rates.get(key) for key in sorted(keys)}, settings.mastered_share)
    wanted = allocate(settings.problems, shares)
    inputs = [sorted(wanted.items()), sorted(p.id for group in own.values() for p in group)]
    stage = store.stage(at, "problems", content_id("problems", VERSION, at.seed, inputs))
    if stage.done:
        return Drawn(**stage.meta["drawn"])
    tried = Counter(store.read("problems", at.run, range(at.round)).column("id").to_pylist())
    chosen: dict[str, Problem] = {}
    for key, n in wanted.items():
        seed = derived_seed(at.seed, at.round, *key)
        pool = _least_tried(own[key], tried, seed) if key in own else _fresh(key, tried, seed)
        chosen |= {p.id: p for p in islice(pool, n)}
    by_level = Counter(f"{p.domain}/{p.level}" for p in chosen.values())
    drawn = Drawn(len(chosen), dict(sorted(by_level.items())), settings.problems - len(chosen))
    stage.write("problems", "all", list(chosen.values()))
    stage.commit({"drawn": asdict(drawn)})
    return drawn


def _is_level_rate(score: Score, model_id: str) -> bool:
    return score.model_id == model_id and score.metric == "strict@k" and score.level > 0


def _by_level(problems: Sequence[Problem]) -> dict[Key, list[Problem]]:
    groups: dict[Key, list[Problem]] = {}
    for p in problems:
        groups.setdefault((p.domain, p.level), []).append(p)
    return dict(sorted(groups.items()))


def _fresh(key: Key, tried: Mapping[str, int], seed: int) -> Iterator[Problem]:
    domain, level = key
    problems = islice(domains.load(domain).problems("train", seed, level), LOOK_PAST)
    return (p for p in problems if p.id not in tried)


def _least_tried(problems: Sequence[Problem], tried: Mapping[str, int], seed: int) -> Iterator[Problem]:
    return iter(sorted(problems, key=lambda p: (tried.get(p.id, 0), content_id(seed, p.id))))


draw_task = task(name="problems", cache_policy=NO_CACHE)(draw)
