"""What crosses between a program and its judge: plain values unchanged, nothing else, and equality as it is written."""

import collections
import contextlib
import datetime
import decimal
import enum
import fractions
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import gold
from data.records import Problem, Verdict
from verifiers import _plain, unit_tests
from verifiers._plain import NotPlain, decode, encode, same

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers()
HASHABLE = st.recursive(SCALARS, lambda x: st.lists(x).map(tuple) | st.frozensets(x), max_leaves=3)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(HASHABLE, inner)
        | st.sets(HASHABLE)
        | st.frozensets(HASHABLE)
    ),
    max_leaves=8,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*"ifcbdlstz", "0x1", "-0x", "nan"]),
    lambda x: st.lists(x) | st.tuples(st.sampled_from([*"ifcbdlstz"]), x).map(list),
    max_leaves=20,
)


@given(PLAIN)
def test_a_plain_value_survives_the_crossing(value: Any) -> None:
    again = decode(encode(value))
    assert type(again) is type(value) and same(again, value) and same(value, again)


@given(st.text() | st.binary() | PLAIN.map(repr) | JSON.map(json.dumps))
def test_decode_gives_a_plain_value_or_raises_its_own(text: str | bytes) -> None:
    with contextlib.suppress(NotPlain):
        value = decode(text)
        assert same(decode(encode(value)), value)


class Int(int):
    pass


class Colour(enum.IntEnum):
    RED = 1


class Liar:
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int


FOREIGN: list[Any] = [
    Int(1), type("S", (str,), {})(), type("L", (list,), {})(), type("D", (dict,), {})(), type("F", (float,), {})(1.5),
    Colour.RED, collections.Counter(), collections.defaultdict(int), collections.OrderedDict(), collections.deque(),
    collections.namedtuple("P", "x")(1), object(), object, Liar(), len, lambda: 0, (i for i in []), iter([]), range(3),
    {}.keys(), {}.items(), map(len, []), zip(), bytearray(b"x"), memoryview(b"x"), decimal.Decimal(1), ValueError(),
    fractions.Fraction(1), datetime.date(2000, 1, 1), ..., NotImplemented,
]  # fmt: skip


@pytest.mark.parametrize("value", FOREIGN, ids=lambda v: type(v).__name__)
def test_nothing_else_crosses(value: Any) -> None:
    for inside in (value, [value], {"k": (value,)}):
        with pytest.raises(NotPlain):
            encode(inside)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        "x" * (_plain.MAX_BYTES + 1), b"x" * _plain.MAX_BYTES, [0] * _plain.MAX_NODES, nested(_plain.MAX_DEPTH + 2),
        1 << _plain.MAX_BITS, "\u20ac" * (_plain.MAX_BYTES // 2),
    ],
    ids=["text", "bytes", "nodes", "depth", "bits", "escapes"],
)  # fmt: skip
def test_bounds(value: Any) -> None:
    with pytest.raises(NotPlain):
        encode(value)
    with pytest.raises(NotPlain):
        decode(json.dumps(_loosely(value)))


def _loosely(value: Any) -> Any:
    """What `encode` would write if it knew no bounds."""
    if isinstance(value, list):
        return ["l", *map(_loosely, value)]
    if isinstance(value, bytes):
        return ["b", value.hex()]
    return ["i", hex(value)] if isinstance(value, int) and value > 2**53 else value


@pytest.mark.parametrize(("got", "wanted", "equal"), [
    (True, 1, False), (1, True, False), (1.0, 1, False), (1, 1.0, True), (True, 1.0, False), (0.1 + 0.2, 0.3, True),
    (1.0000001, 1.0, False), (float("nan"), float("nan"), True), (0.0, float("nan"), False),
    (None, float("nan"), False),
    (-0.0, 0.0, True), (0.0, -0.0, True), (0, -0.0, True), ({-0.0}, {0.0}, True), ({-0.0: 1}, {0.0: 1}, True),
    ({"-0.0"}, {"0.0"}, False), ({(1, -0.0)}, {(1, 0.0)}, True),
    ({frozenset({-42, None})}, {frozenset({None, -42})}, True), ({frozenset({1})}, {(1,)}, False),
    ({("1", 2)}, {("1,2",)}, False), (-0j, 0j, True),
    (10**400, 1.0, False), (float("inf"), float("inf"), True), (float("-inf"), float("inf"), False),
    ((1,), [1], False), ([1], [1], True), ([1, 2], [1], False), ([1], [1, 2], False), ([[1]], [[True]], False),
    ({1}, {True}, False), ({1}, frozenset({1}), False), ({1, 2}, {2, 1}, True), ({1.0}, {1}, False),
    ({0.1 + 0.2}, {0.3}, False), ({"a": 1}, {"a": True}, False), ({1: 0}, {True: 0}, False),
    ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True), ({"a": 0.1 + 0.2}, {"a": 0.3}, True), ({}, {"a": None}, False),
    ("e\u0301", "\u00e9", False), ("a", "A", False), ("a ", "a", False), ("\ud800", "\ud800", True), (b"a", "a", False),
    (None, None, True), (None, False, False), (0, None, False), ("", None, False), ([], (), False),
])  # fmt: skip
def test_what_is_the_same(got: Any, wanted: Any, equal: bool) -> None:
    assert same(got, wanted) is equal


def test_the_judge_is_stricter_than_python() -> None:
    atoms: list[Any] = [
        None,
        False,
        True,
        0,
        1,
        0.0,
        -0.0,
        1.0,
        1j,
        0j,
        "",
        "0",
        "1",
        b"",
        b"1",
        (),
        (1,),
        (True,),
        (1.0,),
    ]
    held = [kind([a]) for a in atoms for kind in (list, tuple, set, frozenset)] + [
        {a: b} for a in atoms for b in (1, 1.0)
    ]
    for one in (values := [*atoms, *held, [], {}, set(), frozenset()]):
        for other in values:
            if same(one, other):
                assert one == other
                assert type(one) is type(other) or (type(one), type(other)) == (int, float)


def judge(code: str, args: list[Any], expected: Any) -> Verdict:
    text = gold.dump(gold.Tests("f", [gold.Case(args, expected)] * 2))
    return unit_tests.verify(Problem("p", "d", 1, "?", text, "unit_tests", "test", "train"), f"```python\n{code}\n```")


POLICY = {
    "returns its argument": ("def f(a):\n a.sort()\n return a", [[2, 1]], [1, 2], "correct"),
    "sorts in place, returns None": ("def f(a): a.sort()", [[2, 1]], [1, 2], "incorrect"),
    "None is asked for": ("def f(a): a.sort()", [[2, 1]], None, "correct"),
    "what it did to its argument stays": ("def f(a):\n a.append(1)\n return len(a)", [[]], 1, "correct"),
    "one list twice": ("def f(n): return [[0] * n] * n", [2], [[0, 0], [0, 0]], "correct"),
    "a list that it changes later": ("old = []\ndef f(a):\n old[:] = [a]\n return old", [1], [1], "correct"),
    "contains itself": ("def f():\n a = []\n a.append(a)\n return a", [], [[]], "incorrect"),
    "state": ("n = 0\ndef f():\n global n\n n += 1\n return n", [], 1, "incorrect"),
    "nan": ("def f(): return float('nan')", [], float("nan"), "correct"),
    "minus zero": ("def f(): return -0.0", [], 0.0, "correct"),
    "True for 1": ("def f(): return True", [], 1, "incorrect"),
    "a subclass of int": ("class I(int): pass\ndef f(): return I(1)", [], 1, "incorrect"),
    "an enumeration": ("import enum\nclass E(enum.IntEnum): A = 1\ndef f(): return E.A", [], 1, "incorrect"),
    "a Counter": ("import collections\ndef f(): return collections.Counter('a')", [], {"a": 1}, "incorrect"),
    "a dict of a Counter": ("import collections as c\ndef f(): return dict(c.Counter('a'))", [], {"a": 1}, "correct"),
    "a generator": ("def f(): yield 1", [], [1], "incorrect"),
    "an iterator": ("def f(): return iter([1])", [], [1], "incorrect"),
    "a list of it": ("def g(): yield 1\ndef f(): return list(g())", [], [1], "correct"),
    "a coroutine": ("async def f(): return 1", [], 1, "incorrect"),
    "an exception returned": ("def f(): return ValueError('1')", [], "ValueError", "incorrect"),
    "an exception raised": ("def f(): raise ValueError(1)", [], 1, "incorrect"),
    "its subclass": ("class E(ValueError): pass\ndef f(): raise E", [], None, "incorrect"),
    "an exit": ("def f(): raise SystemExit(0)", [], None, "incorrect"),
    "an interrupt": ("def f(): raise KeyboardInterrupt", [], None, "incorrect"),
    "a generator's exit": ("def f(): raise GeneratorExit", [], None, "incorrect"),
    "a group": ("def f(): raise ExceptionGroup('g', [ValueError()])", [], None, "incorrect"),
    "an exception named like a value": ("E = type('1', (Exception,), {})\ndef f(): raise E", [], "1", "incorrect"),
    "a tuple": ("def f(): return 1, 2", [], (1, 2), "correct"),
    "a list for a tuple": ("def f(): return [1, 2]", [], (1, 2), "incorrect"),
    "a set of what it is given": ("def f(a): return set(a)", [(1, 2)], {1, 2}, "correct"),
    "bytes and a complex number": ("def f(b): return b[::-1], 2j", [b"ab"], (b"ba", 2j), "correct"),
}  # fmt: skip


@pytest.mark.parametrize("name", POLICY)
def test_the_policy_at_the_boundary(name: str) -> None:
    code, args, expected, outcome = POLICY[name]
    verdict = judge(code, args, expected)
    assert verdict.outcome == outcome, verdict


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def f(): yield 1", "not a plain value: generator"), ("def f(): return {}.keys()", "plain value: dict_keys"),
        ("def f(): raise ZeroDivisionError", "ZeroDivisionError"), ("def f(): return 1 << 10**7", "integer too large"),
        ("f = 3", "f is not callable"), ("def g(): pass", "no function f"), ("import nothing", "ModuleNotFoundError"),
    ],
)  # fmt: skip
def test_the_reason_says_why(code: str, says: str) -> None:
    verdict = judge(code, [], 1)
    assert verdict.outcome == "incorrect" and says in verdict.reason


def test_a_gold_that_cannot_cross_is_our_fault() -> None:
    assert judge("def f(): return 1", [], "x" * (_plain.MAX_BYTES + 1)).outcome == "unverified"
    assert judge("def f(x): return 1", nested(_plain.MAX_DEPTH + 2), 1).outcome == "unverified"


def colliding(count: int, level: int) -> list[Any]:
    """A forged set, nested `level` deep, each of `count` members with one hash."""
    same_hash = [["i", hex(n * ((1 << 61) - 1))] for n in range(count)]
    return ["z", *([["t", colliding(count, level - 1), m] for m in same_hash] if level else same_hash)]


@pytest.mark.parametrize(("count", "level"), [(17, 0), (5000, 0), (9, 2), (17, 1), (30, 2)])
def test_colliding_members_cost_no_time(count: int, level: int) -> None:
    began = time.monotonic()
    with pytest.raises(NotPlain):
        decode(json.dumps(colliding(count, level)))
    assert time.monotonic() - began < 2


def test_honest_collisions_cross() -> None:
    grid = {(x, y, z) for x in range(-9, 9) for y in range(-9, 9) for z in range(-9, 9)}  # hash(-1) is hash(-2)
    assert decode(encode(grid)) == grid
    edges = {frozenset({a, b}) for a in range(-5, 5) for b in range(-5, 5)}
    assert decode(encode(edges)) == edges
