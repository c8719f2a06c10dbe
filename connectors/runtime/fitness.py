"""Which records can become a row whatever their fields say: asked of many at once first, of one where that does not do.

Works on bytes. A record found unfit is set aside by landing.py with the reason given here; what makes a good key is
keys.py's.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from connectors.runtime import paths
from connectors.runtime.heads import MOST_KEYS
from connectors.runtime.jsontext import (
    DEEPEST,
    MARKER,
    NONFINITE,
    TOO_DEEP,
    has_far_number,
    is_too_deep,
    may_have_far_number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_RECORD = 1024 * 1024
_SHORTEST_MEMBER = 4  # bytes: of fewer than that for each key, a record cannot have too many of them
_MOST_LISTS = DEEPEST - 10  # beside the few objects that records alike may nest
_BACKSLASH, _BRACKET = b"\\["  # as numbers: bytes look for a number much sooner than for another bytes


def unfit(raw: bytes) -> str | None:
    """Return why a record can become no row whatever its fields say, or None."""
    if len(raw) > LARGEST_RECORD:
        return "too_large"
    is_marked = _BACKSLASH in raw  # every marker begins with an escape, and few records have one
    if is_too_deep(raw) or (is_marked and TOO_DEEP in raw):
        return "too_deep"
    if raw[:1] != b"{" or (is_marked and NONFINITE in raw):
        return "malformed"
    may_be_wide = len(raw) > _SHORTEST_MEMBER * MOST_KEYS and raw.count(b":") > MOST_KEYS
    with suppress(msgspec.DecodeError):  # no JSON, as whoever reads its fields will find
        if may_be_wide and len(paths.members(raw)) > MOST_KEYS:
            return "too_large"
    return None if raw.isascii() or _is_utf8(raw) else "malformed"


def are_plain(raws: Sequence[bytes], text: bytes, longest: int) -> bool:
    """Return whether no record holds what can be no row: bytes beyond measure, a marker, no UTF-8, a far number.

    ``text`` is all of them together, ``longest`` the size of the longest in bytes.
    """
    return (
        longest <= LARGEST_RECORD
        and not any(MARKER[1:] in raw for raw in raws if _BACKSLASH in raw)
        and (text.isascii() or _is_utf8(text))
        and not (may_have_far_number(text, longest) and any(map(has_far_number, raws)))
    )


def may_nest_lists(raws: Sequence[bytes]) -> bool:
    """Return whether lists may nest too deeply in one of some records; False is certain of records alike."""
    return any(raw.count(b"[") > _MOST_LISTS for raw in raws if _BRACKET in raw)


def are_small(raws: Sequence[bytes], longest: int) -> bool:
    """Return whether all are objects that can neither nest too deeply nor have too many keys, for want of bytes."""
    return (
        longest <= _SHORTEST_MEMBER * MOST_KEYS
        and {raw[:1] for raw in raws} == {b"{"}
        and not any(raw.count(b"{") + raw.count(b"[") > DEEPEST for raw in raws)
    )


def _is_utf8(raw: bytes) -> bool:
    """Return whether the text is UTF-8, as Arrow sees it: it neither copies nor decodes."""
    ends = pa.py_buffer(struct.pack("=ii", 0, len(raw)))
    try:
        pa.StringArray.from_buffers(1, ends, pa.py_buffer(raw)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
