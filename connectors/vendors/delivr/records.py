"""Records that lack what a row needs: an id made of their own columns, or what the page around them said. Pure."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from connectors.landing import RAW_SCHEMA, Landed, RecordShape, land_slices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.runtime.timestamps import TimestampFormat

_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NULL = b"null"


def hashed(records: Sequence[bytes], columns: Sequence[str], time: str, form: TimestampFormat) -> Landed:
    """Turn events into rows whose id is the SHA-256 of the named columns, as a JSON array of their values as written.

    Two events that agree in all of them are one. An event without a time is unreadable.
    """
    landed = land_slices(records, RecordShape("$", time, time, form))
    payloads: list[Any] = landed.table["payload"].to_pylist()
    ids = [_hash(payload, columns) for payload in payloads]
    table = landed.table.set_column(0, RAW_SCHEMA.field(0), pa.array(ids, pa.string()))
    return Landed(table, landed.unreadable, landed.repaired)


def with_value(records: Sequence[bytes], column: str) -> list[bytes]:
    """Return the records that have something in ``column``."""
    return [record for record in records if bytes(_members(record).get(column, _NULL)) not in (_NULL, b'""')]


def beside(record: bytes, **known: str) -> bytes:
    """Return a record with what is known of it put before its own members, which stay as they are written.

    One that is no object has none, and stays what it is.
    """
    if record.lstrip()[:1] != b"{":
        return record
    own = record.strip()[1:]
    return msgspec.json.encode(known)[:-1] + (b"" if own.strip() == b"}" else b",") + own


def text_at(record: bytes, column: str) -> str:
    """Return a record's text at ``column``, or "" when there is none."""
    try:
        return msgspec.json.decode(_members(record).get(column, _NULL), type=str)
    except msgspec.DecodeError:
        return ""


def scoped(landed: Landed, scope: str) -> Landed:
    """Put ``scope:`` before every id, those of unreadable records too."""
    ids = [f"{scope}:{key}" for key in landed.table["external_id"].to_pylist()]
    unreadable = tuple(each.under(scope) for each in landed.unreadable)
    return Landed(landed.table.set_column(0, RAW_SCHEMA.field(0), pa.array(ids, pa.string())), unreadable)


def _hash(payload: str, columns: Sequence[str]) -> str:
    members = _members(payload.encode())
    return sha256(b"[" + b",".join(bytes(members.get(name, _NULL)) for name in columns) + b"]").hexdigest()


def _members(record: bytes) -> Mapping[str, msgspec.Raw | bytes]:
    try:
        return _DECODER.decode(record)
    except msgspec.DecodeError:
        return {}
