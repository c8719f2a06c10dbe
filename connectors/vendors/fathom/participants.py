"""Participants out of meetings: one record per address, however often and however written it was invited. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from connectors.landing import RAW_SCHEMA, RecordShape, land_records

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHAPE = RecordShape("$", "email")
_COLUMN = RAW_SCHEMA.get_field_index("source_updated_at")
_NEVER = datetime.min.replace(tzinfo=UTC)


class _Invitee(msgspec.Struct):
    name: Any = None
    email: Any = None
    email_domain: Any = None
    is_external: Any = None


class _Meeting(msgspec.Struct):
    calendar_invitees: list[_Invitee] | None = None


_DECODER = msgspec.json.Decoder(_Meeting)


class Participants:
    """The addresses one read has met. They are remembered for as long as the read lasts, with their newest meeting."""

    def __init__(self) -> None:
        self._newest: dict[str, datetime] = {}

    def of(self, meetings: pa.Table) -> pa.Table:
        """Return the participants of a page of meetings, without those a newer meeting has named already."""
        chosen: dict[str, dict[str, Any]] = {}
        payloads: list[Any] = meetings["payload"].to_pylist()
        moments: list[Any] = meetings["source_updated_at"].to_pylist()
        for payload, created in zip(payloads, moments, strict=True):
            for key, record in _records(payload):
                if created is not None and created > self._newest.get(key, _NEVER):
                    self._newest[key] = created
                    chosen[key] = record
        landed = land_records(list(chosen.values()), _SHAPE).table
        stamps = pa.array([self._newest[key] for key in chosen], pa.timestamp("us", tz="UTC"))
        return landed.set_column(_COLUMN, RAW_SCHEMA.field(_COLUMN), stamps)


def _records(payload: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the invitees that have an address; rooms and people who joined without one are nobody we could know."""
    try:
        meeting = _DECODER.decode(payload or "{}")
    except msgspec.ValidationError:  # invitees of another form: the meeting itself is kept as it is
        return
    for each in meeting.calendar_invitees or ():
        if not isinstance(each.email, str) or "@" not in each.email:
            continue
        key = each.email.strip().lower()
        yield (
            key,
            {
                "email": key,
                "name": each.name,
                "email_domain": each.email_domain,
                "is_external": each.is_external,
            },
        )
