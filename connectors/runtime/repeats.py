"""Objects that say a key twice: readers differ about which value counts, so no record keeps more than the last.

Looking is done for many records at once, by what is lost when they are read and written again: that costs a fraction
of landing them. Works on bytes; knows nothing of rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from connectors.runtime import paths

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENCODER = msgspec.json.Encoder()
_AT_ONCE = 100  # records: few enough that their objects come and go without waking the garbage collector
_PIECE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|:', re.DOTALL)


def may_repeat(records: Sequence[bytes]) -> bool:
    """Return whether an object in ``records`` may say a key twice; False is certain.

    Every member has a colon, so a member that is dropped takes one along. Only an escaped colon could make up for it.
    """
    return any(_loses_members(records[at : at + _AT_ONCE]) for at in range(0, len(records), _AT_ONCE))


def _loses_members(records: Sequence[bytes]) -> bool:
    text = b"[" + b",".join(records) + b"]"
    if b"\\" in text and b"\\u003" in text:
        return True
    try:
        kept = orjson.dumps(orjson.loads(text))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return True  # a number beyond what Python holds: each record is looked into by itself
    return kept.count(b":") != text.count(b":")


def without_repeats(raw: bytes) -> bytes:
    """Return ``raw`` with the last value of each key, values as they are written; the very object when none repeats."""
    rebuilt = _rebuilt(msgspec.Raw(raw))
    kept = _ENCODER.encode(rebuilt)
    return raw if _members(raw) == _members(kept) else kept


def _rebuilt(value: msgspec.Raw) -> Any:
    """Return the value with its objects as dicts and all that holds no object as it is written."""
    text = bytes(value)
    if b"{" not in text or text[:1] not in b"{[":
        return value
    if text[:1] == b"[":
        return [_rebuilt(each) for each in paths.follow(value, (True,))]
    return {key: _rebuilt(each) for key, each in paths.members(value).items()}


def _members(raw: bytes) -> int:
    """Count the colons between names and values: those outside of texts."""
    return sum(token == b":" for token in _PIECE.findall(raw))
