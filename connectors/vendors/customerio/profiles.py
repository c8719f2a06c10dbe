"""When a profile last changed, which the vendor says of each attribute and never of the whole.

Only that is decided here. Which profiles are read, and what became of those that are gone, is source.py's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from connectors.landing import RAW_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_COLUMN = RAW_SCHEMA.get_field_index("source_updated_at")


class _Profile(msgspec.Struct):
    timestamps: Any = None  # attribute: epoch seconds of when it was last set


_DECODER = msgspec.json.Decoder(_Profile)


def dated(rows: pa.Table, logged: Mapping[str, datetime], now: datetime) -> pa.Table:
    """Return ``rows`` with the time of each profile's last change: its newest attribute's, or the log's if later.

    An attribute that is taken away takes its time with it, and a device has none: the log knows of both, and without it
    such a version would pass for an older one. A time beyond ``now`` is nobody's: it would hide every later change.
    """
    bound = now.timestamp()
    moments: list[int | None] = []
    keys: list[Any] = rows["external_id"].to_pylist()
    payloads: list[Any] = rows["payload"].to_pylist()
    for key, payload in zip(keys, payloads, strict=True):
        known = [*_set_at(payload), *([logged[key].timestamp()] if key in logged else [])]
        newest = max((moment for moment in known if 0 < moment <= bound), default=None)
        moments.append(None if newest is None else round(newest * 1_000_000))
    field = RAW_SCHEMA.field(_COLUMN)
    return rows.set_column(_COLUMN, field, pa.array(moments, pa.int64()).cast(field.type))


def _set_at(payload: str) -> Iterator[float]:
    """Yield the time of each attribute; what is no number is passed over, for the profile stays readable without."""
    found = _DECODER.decode(payload).timestamps
    for moment in found.values() if isinstance(found, dict) else ():
        if isinstance(moment, int | float) and not isinstance(moment, bool):
            yield moment
