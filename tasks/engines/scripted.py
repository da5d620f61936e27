"""A fake engine that ships with the product: no weights, no torch, deterministic, as good as its skill dial says.

It knows the known domains' external solvers, so it is for tests and the `smoke` recipe only: nothing it writes says
anything about a model. It never sees a gold: it parses the prompt like anybody else. One character is one token.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from types import ModuleType

from data import domains, registry
from data.ids import derived_seed
from data.records import Finish, Problem
from tasks.engines import Completion, EngineError, Request
from tasks.settings import EngineSettings

DIAL = "scripted.json"  # {"skill": 0.7} in a model folder
VARY = "vary: "  # asks for another problem like the one that follows
NO_ANSWER = "I do not know this kind of problem."
LOGPROB = -0.1  # of every token


def engine(model: Path, settings: EngineSettings) -> "Scripted":
    """The fake engine. Raises EngineError when the model folder does not exist; it may be empty."""
    return Scripted(model, settings)


class Scripted:
    """Answers rightly with probability `skill`, else wrongly, cut off, without an answer, or by luck."""

    def __init__(self, model: Path, settings: EngineSettings) -> None:
        self.startup_seconds = 0.0
        self._skill = settings.skill
        self._room = settings.max_model_len
        self._closed = False
        self.load_weights(model)

    def complete(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine`."""
        for request in requests:
            if self._closed:
                raise EngineError("the scripted engine is closed")
            yield [self._one(request, index) for index in range(request.n)]

    def load_weights(self, model: Path) -> None:
        """Take the skill from the folder's `scripted.json`, if there is one."""
        if not model.is_dir():
            raise EngineError(f"no model at {model}: give a folder")
        if (model / DIAL).is_file():
            self._skill = float(json.loads((model / DIAL).read_text())["skill"])

    def close(self) -> None:
        """Nothing to free."""
        self._closed = True

    def _one(self, request: Request, index: int) -> Completion:
        room = self._room - len(request.prompt)
        if room <= 0:
            return Completion(request.id, index, "", 0, len(request.prompt), 0.0, "abort")
        greedy = request.temperature == 0
        rng = Random(derived_seed("scripted", request.prompt, *(() if greedy else (request.seed, index))))
        if request.prompt.startswith(VARY):
            text, finish = _variation(request.prompt.removeprefix(VARY), rng)
        else:
            text, finish = _attempt(request.prompt, rng, self._skill)
        limit = min(room, request.max_tokens)
        if len(text) >= limit:
            text, finish = text[:limit], "length"
        tokens = len(text) + (finish == "stop")
        return Completion(request.id, index, text, tokens, len(request.prompt), LOGPROB * tokens, finish)


def _recognise(prompt: str) -> tuple[ModuleType, Problem] | None:
    """The domain and problem that a prompt states."""
    for name in registry.known("data.domains"):
        module = domains.load(name)
        problem = module.parse(prompt) if hasattr(module, "solve") else None
        if problem is not None:
            return module, problem
    return None


def _attempt(prompt: str, rng: Random, skill: float) -> tuple[str, Finish]:
    """A right trace with probability `skill`, else one of the ways to fail."""
    known = _recognise(prompt)
    if known is None:
        return NO_ANSWER, "stop"
    module, problem = known
    lines = str(module.solve(problem)).split("\n")
    if rng.random() < skill:
        return "\n".join(lines), "stop"
    way = rng.choices(["wrong", "lucky", "cut", "silent"], [0.75, 0.1, 0.1, 0.05])[0]
    if way == "cut":
        text = "\n".join(lines)
        return text[: max(1, len(text) // 2)], "length"
    if way == "silent":
        return "\n".join(lines[:-1]), "stop"
    if len(lines) > 1:
        at = rng.randrange(len(lines) - 1)
        lines[at] = _altered(lines[at], rng)
    if way == "wrong" or len(lines) == 1:
        lines[-1] = _altered(lines[-1], rng)
    return "\n".join(lines), "stop"


def _altered(line: str, rng: Random) -> str:
    """The line with its last number changed; without a number, with one added (` return x` -> ` return x+1`)."""
    start = len(line.rstrip("0123456789"))
    change = rng.randint(1, 3)
    return line[:start] + str(int(line[start:]) + change) if line[start:] else f"{line}+{change}"


def _variation(prompt: str, rng: Random) -> tuple[str, Finish]:
    """Another problem of the same domain and level; now and then the same one, or a malformed one."""
    known = _recognise(prompt)
    if known is None:
        return NO_ANSWER, "stop"
    module, problem = known
    dice = rng.random()
    if dice < 0.1:
        return prompt, "stop"
    other = next(module.problems("train", rng.getrandbits(31), problem.level), problem).prompt
    return (other[: len(other) // 2], "stop") if dice < 0.2 else (other, "stop")
