"""Values that cross between a candidate program and its judge: a bounded, tagged JSON of exact builtin types.

Not a pickle: a subclass, an object or a value over the bounds raises `NotPlain` on either side, and `decode` takes any
bytes a hostile program may send. Bounds: MAX_BYTES of JSON, MAX_NODES values, MAX_DEPTH nested, MAX_BITS an int.

What crosses, exactly these types and no subclass: None, bool, int, float, complex, str, bytes, list, tuple, set,
frozenset, dict. What is `same` as a gold:
- of the same type: True is not 1, 1.0 is not 1, (1,) is not [1]; only where the gold is a float may it be an int;
- floats within 1e-9 of the gold, relative; nan is nan; -0.0 is 0.0; an infinity is itself alone;
- text by its code points: no normal form, no folding; lone surrogates are text;
- sequences in order and whole; sets and dicts in any order, members and keys compared exactly (no 1e-9 there).
"""

import json
import math
from collections import Counter
from typing import Any

MAX_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_DEPTH = 50
MAX_BITS = 1 << 17
_RAW_INT = 1 << 53
_MAX_SHARED = 16  # members of one set or dict with one hash: more is an attack on our time
_MAX_COLLISIONS = {True: 4096, False: 16}  # in one value: of members that hold no container but a tuple, and of others
_SEQUENCES: dict[Any, str] = {list: "l", tuple: "t", set: "s", frozenset: "z"}
_BUILDERS: dict[str, Any] = {tag: kind for kind, tag in _SEQUENCES.items()}


class NotPlain(ValueError):
    """The value is of no plain type, or over the bounds."""


def encode(value: object) -> str:
    """JSON of `value`: ASCII, at most MAX_BYTES. Raises NotPlain. Calls no method that a program could have defined."""
    text = json.dumps(_tagged(value, 0, [0]), separators=(",", ":"), allow_nan=False)
    if len(text) > MAX_BYTES:
        raise NotPlain("too large")
    return text


def _tagged(value: Any, depth: int, count: list[int]) -> Any:
    """`value` as what JSON can say; a list is always [tag, ...]."""
    count[0] += 1
    if depth > MAX_DEPTH or count[0] > MAX_NODES:
        raise NotPlain("too deep" if depth > MAX_DEPTH else "too large")
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        if -_RAW_INT <= value <= _RAW_INT:
            return value
        if value.bit_length() > MAX_BITS:
            raise NotPlain("integer too large")
        return ["i", hex(value)]
    if kind is str or kind is bytes:
        if len(value) > MAX_BYTES:
            raise NotPlain("too large")
        return value if kind is str else ["b", value.hex()]
    if kind is float:
        return ["f", repr(value)]
    if kind is complex:
        return ["c", repr(value.real), repr(value.imag)]
    if kind is dict:
        return ["d", *([_tagged(k, depth + 1, count), _tagged(v, depth + 1, count)] for k, v in value.items())]
    if kind in _SEQUENCES:
        return [_SEQUENCES[kind], *(_tagged(v, depth + 1, count) for v in value)]
    raise NotPlain(f"not a plain value: {type.__getattribute__(kind, '__name__')[:60]}")


def decode(text: str | bytes) -> Any:
    """The value in `text`. Raises NotPlain for whatever `encode` cannot have written."""
    if len(text) > MAX_BYTES or not text.isascii():
        raise NotPlain("too large, or not ASCII")
    try:
        return _value(json.loads(text), 0, [0, 0, 0])
    except NotPlain:
        raise
    except (ValueError, TypeError, IndexError, KeyError, RecursionError, OverflowError) as e:
        raise NotPlain(f"not an encoded value: {type(e).__name__}") from e


def _value(tagged: Any, depth: int, count: list[int]) -> Any:
    """`count`: nodes, then collisions of nested and of flat members."""
    count[0] += 1
    if depth > MAX_DEPTH or count[0] > MAX_NODES:
        raise NotPlain("too deep or too large")
    if tagged is None or type(tagged) in (bool, int, str):
        return tagged
    if type(tagged) is not list:
        raise NotPlain("not a tagged value")
    tag, parts = tagged[0], tagged[1:]
    if tag == "i":
        if (number := int(parts[0], 16)).bit_length() > MAX_BITS:
            raise NotPlain("integer too large")
        return number
    if tag == "f":
        return float(parts[0])
    if tag == "c":
        return complex(float(parts[0]), float(parts[1]))
    if tag == "b":
        return bytes.fromhex(parts[0])
    if tag == "d":
        keys = [_value(k, depth + 1, count) for k, _ in parts]
        _refuse_collisions(keys, count)
        return dict(zip(keys, (_value(v, depth + 1, count) for _, v in parts), strict=True))
    values = [_value(v, depth + 1, count) for v in parts]
    if tag in ("s", "z"):
        _refuse_collisions(values, count)
    return _BUILDERS[tag](values)


def _refuse_collisions(members: list[Any], count: list[int]) -> None:
    """Raises NotPlain where building a set or dict of these, or of those that hold them, would take long."""
    shared = Counter(map(hash, members))
    flat = all(type(part) not in (tuple, frozenset) for m in members for part in (m if type(m) is tuple else (m,)))
    count[1 + flat] += len(members) - len(shared)
    if count[1 + flat] > _MAX_COLLISIONS[flat] or max(shared.values(), default=0) > _MAX_SHARED:
        raise NotPlain("too many equal hashes")


def same(got: Any, gold: Any) -> bool:
    """Type-strict equality of decoded values, as the module's docstring has it."""
    if type(gold) is float and type(got) in (int, float):
        return _close(got, gold)
    if type(got) is not type(gold):
        return False
    if isinstance(gold, complex):
        return _close(got.real, gold.real) and _close(got.imag, gold.imag)
    if isinstance(gold, list | tuple):
        return len(got) == len(gold) and all(same(a, b) for a, b in zip(got, gold, strict=True))
    if isinstance(gold, set | frozenset):
        return sorted(map(_key, got)) == sorted(map(_key, gold))
    if isinstance(gold, dict):
        ours, theirs = ({_key(k): v for k, v in d.items()} for d in (gold, got))
        return (
            len(got) == len(gold) and ours.keys() == theirs.keys() and all(same(theirs[k], v) for k, v in ours.items())
        )
    return bool(got == gold)


def _key(member: Any) -> str:
    """The same text for hashable values that are the same, another for others."""
    if type(member) is tuple:
        return f"({','.join(map(_key, member))})"
    if type(member) is frozenset:
        return f"{{{','.join(sorted(map(_key, member)))}}}"
    return repr(member + 0.0) if type(member) is float else encode(member)  # -0.0 + 0.0 is 0.0


def _close(got: float, gold: float) -> bool:
    if math.isnan(gold):
        return got != got
    try:
        return math.isclose(got, gold, rel_tol=1e-9)
    except OverflowError:  # an int beyond every float
        return False
