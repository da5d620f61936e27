"""Content hashes: the identifiers of the ledger, the derived random seeds and the split of a problem.

Not a security boundary: hashes are truncated to 64 bits, enough for billions of rows, not for adversaries.
"""

import hashlib
import json
from typing import Any

HELD_OUT_SHARE = 10  # one problem in ten


def content_id(*parts: Any) -> str:
    """16 hex digits that depend on every part (anything JSON can write; tuples count as lists)."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def derived_seed(*parts: Any) -> int:
    """A 31-bit random seed for these parts. Neighbouring inputs share nothing, unlike `seed + i`."""
    return int(content_id("seed", *parts), 16) % (2**31 - 1)


def split_of(key: str) -> str:
    """`train` or `heldout`, decided by the content of a problem alone, so that the two can never overlap."""
    return "heldout" if int(content_id("split", key), 16) % HELD_OUT_SHARE == 0 else "train"
