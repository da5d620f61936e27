"""Probes of `console`: programs that look the hidden tests up, wrong in one line of one test, and programs that cheat.

There is no worked solution to start from but a domain's own; otherwise a table of the tests stands in for one. Labels
follow from the tests alone: letters and digits of an output differ, which no comparison of texts may overlook.
"""

from collections.abc import Iterator
from random import Random

from data import gold
from data.records import Problem
from verifiers.probes import Probe
from verifiers.probes._common import LONG, idle, squeezed

MAX_TABLE = 20_000  # characters; tests that are longer as a table are no program of ours

_READ = "import sys\nstdin = sys.stdin.read()\n"
_CHEATS = (
    "import sys\nprint(*sys.argv, sys.stdin, 'passed', {name!r})",
    "import os\nfor n in range(3, 64):\n try: os.write(n, b'[true, true, \"{name}\"]')\n except OSError: pass",
    "import sys\nframe = sys._getframe()\nwhile frame:\n for word in ('stdout', 'expected', 'gold'):\n"
    "  if word in frame.f_locals: print(frame.f_locals[word])\n frame = frame.f_back",
    "import sys\nclass {name}(str):\n def __eq__(self, other): return True\nprint({name}('{name}'))",
)
_EXITS = ("import sys\nsys.exit(0)", "import os\nos._exit(0)", "raise SystemExit", "import sys\nsys.stdin.read()")


def probes(problem: Problem, rng: Random, solution: str) -> Iterator[Probe]:
    """Fresh labelled attempts; none when no test asks for output."""
    known = gold.load(problem.gold)
    if not isinstance(known, gold.Console) or not any(squeezed(e.stdout) for e in known.exchanges):
        return
    asking = [e for e in known.exchanges if squeezed(e.stdout)]
    table = {e.stdin: e.stdout for e in known.exchanges}
    if solution:
        yield Probe("gold", solution, True)
        yield Probe("unclosed", f"<think>\n{solution}", False)
    if len(table) == len(known.exchanges) and len(repr(table)) <= MAX_TABLE:
        yield from (Probe("spelling", text, True) for text in _spellings(table))
        yield Probe("unclosed", f"<think>\n{_fenced(_says(table))}", False)
        spoilt = rng.choice(asking)
        yield from (Probe("near_miss", _fenced(_says(table | {spoilt.stdin: t})), False) for t in _spoilt(spoilt, rng))
        silent = f"{_READ}raise SystemExit if stdin == {spoilt.stdin!r} else 0\n{_says(table)}"
        yield Probe("early_exit", _fenced(silent), False)
        yield Probe("early_exit", _fenced(f"{_says(table)}\nsys.stdout.flush()\nsys.exit({rng.randint(1, 99)})"), False)
        every = "".join(e.stdout for e in known.exchanges)
        if any(squeezed(e.stdout) != squeezed(every) for e in known.exchanges):
            yield Probe("listed", _fenced(f"{_READ}print({every!r})"), False)
    yield from (Probe("early_exit", _fenced(text), False) for text in rng.sample(_EXITS, 2))
    for cheat in rng.sample(_CHEATS, 2):
        yield Probe("injected", _fenced(cheat.format(name=f"V{rng.randrange(10**6, 10**7)}")), False)
    yield Probe("over_long", _fenced(f"pass\n{'# so on' * (LONG // 7)}"), False)
    yield from idle(problem, rng)


def _fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def _says(table: dict[str, str]) -> str:
    """A program that looks its output up by its input."""
    return f"{_READ}sys.stdout.write({table!r}.get(stdin, ''))"


def _spellings(table: dict[str, str]) -> Iterator[str]:
    """The same program, written otherwise."""
    code = _says(table)
    yield _fenced(code)
    yield f"This looks it up.\n\n{_fenced(code)}\nThat is all."
    yield _fenced(f"{code}\nsys.stdout.flush()\nsys.exit(0)")
    inside = code.replace("\n", "\n ")
    yield _fenced(f"def main():\n {inside}\nif __name__ == '__main__':\n main()")
    yield _fenced(f"{code}\nprint('only on standard error', file=sys.stderr)")


def _spoilt(exchange: gold.Exchange, rng: Random) -> list[str]:
    """Other outputs: a letter or digit more, less or changed in one place, a line more, all of it twice."""
    text = exchange.stdout
    at = rng.choice([i for i, c in enumerate(text) if c.isalnum()])
    letter = rng.choice("qxz")
    found = [text[:at] + letter + text[at:], text[:at] + text[at + 1 :], text[:at] + letter + text[at + 1 :]]
    found += [f"{text}\n{letter}", f"{letter}\n{text}", f"{text}\n{text}", f"Answer: {text}"]
    return [other for other in found if squeezed(other) != squeezed(text)]
