"""What makes a good key: the one text form of a record's id, whatever the vendor typed.

Works on values and JSON tokens; where in a record the id stands is landing.py's and heads.py's to find.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeGuard, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHOLE_NUMBER = re.compile(rb"(-?\d{1,38})(?:\.0+)?")
_TOO_LONG = 10**38
_REPLACEMENT = "\ufffd"  # stands where something unreadable was: two ids may have become one


def is_key(key: str | int | None) -> TypeGuard[str | int]:
    """Return whether a value can be a record's key: something to read, and nothing that cannot be printed."""
    if isinstance(key, int):
        return abs(key) < _TOO_LONG
    return key is not None and key != "" and not key.isspace() and key.isprintable() and _REPLACEMENT not in key


def are_keys(ids: list[str | int | None]) -> TypeGuard[list[str | int]]:
    """Return whether all of them are keys; of texts, by looking at them as one."""
    if set(map(type, ids)) != {str}:
        return all(map(is_key, ids))
    texts = cast("list[str]", ids)
    together = "".join(texts)
    return all(texts) and together.isprintable() and _REPLACEMENT not in together and not any(map(str.isspace, texts))


def read_key(token: bytes) -> str | int | None:
    """Return the one text form of an id: strings as they are, whole numbers as their digits (1.0 is 1), else None."""
    if token[:1] == b'"':
        try:
            text = msgspec.json.decode(token, type=str)
        except msgspec.DecodeError:
            return None
        return text
    match = _WHOLE_NUMBER.fullmatch(token)
    return int(match[1]) if match else None


def colliding(ids: Sequence[str | int]) -> list[int]:
    """Return the positions whose id is another record's id once both are text: 1 and "1" are not one record."""
    if len(set(map(type, ids))) <= 1:
        return []
    first: dict[str, type] = {}
    return [at for at, key in enumerate(ids) if first.setdefault(str(key), type(key)) is not type(key)]
