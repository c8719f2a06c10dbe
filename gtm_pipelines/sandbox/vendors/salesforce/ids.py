"""Salesforce record ids: 15 case-sensitive characters, or 18 whose last three say which of the 15 are upper case."""

from __future__ import annotations

_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT = 15


def eighteen(record_id: str) -> str:
    """Return the 18-character form of a 15-character id; anything else comes back as it is."""
    if len(record_id) != _SHORT:
        return record_id
    chunks = (record_id[start : start + 5] for start in (0, 5, 10))
    return record_id + "".join(
        _CHECK[sum(1 << place for place, char in enumerate(chunk) if char.isupper())] for chunk in chunks
    )
