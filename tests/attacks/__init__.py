"""The adversarial suite for verdicts on programs: one Markdown file per class, one heading and one block per program.

The first word after `python` names the problem (`problems.py`), a second one the limit that ends the program: `spin`
the processor's, `slow` the wall's. What stands in `benign*.md` must be correct; all the rest must never be, must end
within the limits, must leave no mark on the host, and must not change the next verdict. `@SCRATCH@`, `@PROJECT@`,
`@SITE@`, `@PORT@` and `@JUDGE@` become a watched folder that holds the answers, the folder of the project, its library,
the port of a listener that tells the answers, and the judge's process (`host.py`). `wire()` finds nonce and socket. A
block with `@FENCE@` is a whole completion.

Not here: whether a program is efficient, or good; attacks on the judge of mathematics.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

FOLDER = Path(__file__).parent
Limit = Literal["", "spin", "slow"]
_BLOCK = re.compile(r"^## ([^\n]+)\n+```python (\w+) ?(spin|slow)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## ", re.MULTILINE)
_WIRE = """def wire():
    import os, stat, sys
    frame, nonce = sys._getframe(1), ""
    while frame:
        texts = [v for v in frame.f_locals.values() if type(v) is str and len(v) == 16]
        nonce = next((t for t in texts if not set(t) - {*"0123456789abcdef"}), nonce)
        frame = frame.f_back
    for descriptor in range(3, 300):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                return nonce, descriptor
        except OSError:
            pass
"""


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the suite and the problem that it claims to solve."""

    kind: str
    name: str
    problem: str
    limit: Limit
    code: str

    @property
    def benign(self) -> bool:
        """Whether it is right."""
        return self.kind.startswith("benign")

    @property
    def label(self) -> str:
        """Unique in the suite."""
        return f"{self.kind}: {self.name}"

    def aimed(self, targets: Mapping[str, str]) -> "Program":
        """The program with its `@TARGETS@` filled in."""
        code = self.code.replace("@FENCE@", "```").replace("@CR@", "\r").replace("@MANY@", 30_000 * "``` ")
        for name, value in targets.items():
            code = code.replace(f"@{name}@", value)
        return replace(self, code=_WIRE + code if "wire()" in code else code)


def programs() -> list[Program]:
    """The whole suite, in the order of the files. Raises ValueError for a file that is not of this form."""
    found = []
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        blocks = _BLOCK.findall(text)
        if len(blocks) != len(_HEADING.findall(text)):
            raise ValueError(f"{path.name}: a heading without its block, or a block of another form")
        for name, problem, limit, code in blocks:
            found.append(Program(path.stem, name, problem, cast(Limit, limit), code))
    return found
