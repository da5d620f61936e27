"""Hidden tests as users write them, made into a typed gold.

Of a function: {"args": [...], "expected": ...} or "assert f(1) == 2"; assert lines are parsed, never run, and their
values must be literals. Of a whole program: {"stdin": ..., "stdout": ...}; a line may end with CR LF there.
"""

import ast
import json
from typing import Any

from data import gold

MAX_TESTS = 1_000
MAX_CASE = 20_000  # characters of one test
MAX_EXCHANGES = 100
MAX_STREAM = 1_000_000  # characters of a standard input or output


def tests(value: Any, entry: Any) -> gold.Tests | gold.Console:
    """The gold of a row's `tests` and `entry`. Raises ValueError that names the test and what is wrong with it."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = [line for line in value.splitlines() if line.strip()]
    if not isinstance(value, list) or not value:
        raise ValueError("`tests` is not a list with at least one test")
    if len(value) > MAX_TESTS:
        raise ValueError(f"`tests` has {len(value)} tests, more than {MAX_TESTS}")
    if isinstance(value[0], dict) and {"stdin", "stdout"} & value[0].keys():
        return _console(value, entry)
    if entry and not (isinstance(entry, str) and entry.isidentifier()):
        raise ValueError(f"`entry` {str(entry)[:40]!r} is not the name of a function")
    names = {entry} if entry else set()
    cases = []
    for number, item in enumerate(value, start=1):
        try:
            name, case = _from_assert(item) if isinstance(item, str) else ("", _from_object(item))
            _check_plain([case.args, case.expected])
        except ValueError as e:
            raise ValueError(f"test {number}: {e}") from None
        cases.append(case)
        names |= {name} if name else set()
    if len(names) != 1:
        raise ValueError(
            f"`tests` call several functions: {', '.join(sorted(names))}" if names else "`entry` is missing"
        )
    return gold.Tests(names.pop(), cases)


def _from_object(item: Any) -> gold.Case:
    if not isinstance(item, dict) or set(item) != {"args", "expected"}:
        raise ValueError('not of the form {"args": [...], "expected": ...} or "assert f(1) == 2"')
    if not isinstance(item["args"], list):
        raise ValueError("`args` is not a list")
    return gold.Case(item["args"], item["expected"])


def _from_assert(line: str) -> tuple[str, gold.Case]:
    """Function and case of a line `assert f(1, 2) == 3`."""
    if len(line) > MAX_CASE:
        raise ValueError(f"has {len(line)} characters, more than {MAX_CASE}")
    try:
        match ast.parse(line.strip(), mode="exec").body:
            case [
                ast.Assert(
                    test=ast.Compare(
                        left=ast.Call(func=ast.Name(id=name), args=args, keywords=[]),
                        ops=[ast.Eq()],
                        comparators=[expected],
                    )
                )
            ]:
                return name, gold.Case([ast.literal_eval(a) for a in args], ast.literal_eval(expected))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        pass  # said below, as for a line that parses but has another form
    raise ValueError(f"{line.strip()[:60]!r} is not of the form `assert f(1, 2) == 3` with literal values")


def _check_plain(values: list[Any]) -> None:
    """Raises ValueError unless they are plain values that a gold can keep."""
    try:
        text = gold.literal(values)
        text.encode()
    except (ValueError, RecursionError):
        text = ""
    if not 0 < len(text) <= MAX_CASE:
        raise ValueError("its values are not plain data (None, true, numbers, text, lists, ...), or too long")


def _console(items: list[Any], entry: Any) -> gold.Console:
    """The gold of tests that a whole program must pass."""
    if entry:
        raise ValueError("has `entry`, the name of a function, but `tests` of a whole program: keep what is meant")
    if len(items) > MAX_EXCHANGES:
        raise ValueError(f"`tests` has {len(items)} tests of a whole program, more than {MAX_EXCHANGES}")
    exchanges = []
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict) or set(item) != {"stdin", "stdout"} or not all(map(_is_text, item.values())):
            raise ValueError(f'test {number}: not of the form {{"stdin": "...", "stdout": "..."}}, or too long')
        exchanges.append(gold.Exchange(*(item[name].replace("\r\n", "\n") for name in ("stdin", "stdout"))))
    if not any(exchange.stdout.strip() for exchange in exchanges):
        raise ValueError("`tests` ask for no output")
    return gold.Console(exchanges)


def _is_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value.encode()) <= MAX_STREAM
    except UnicodeEncodeError:
        return False
