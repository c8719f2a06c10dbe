"""What Salesforce deleted, out of its delete log: the only trace of rows that left the recycle bin.

The log reaches back fifteen days and is written with a delay, so the next read starts where the log says it is complete
(latestDateCovered), never where this one ended. A log that no longer reaches back to that point is a gap, and only a
full read closes it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from connectors.errors import Resync, Stop
from connectors.landing import tombstones
from connectors.vendors.salesforce.soql import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from connectors.vendors.salesforce.session import Session

REACH = timedelta(days=15)
_SHORTEST = timedelta(minutes=1)  # seconds are ignored by the vendor, and a span must be longer than a minute


class _Deletion(msgspec.Struct, rename="camel"):
    id: str
    deleted_date: str | None = None


class _Log(msgspec.Struct, rename="camel"):
    latest_date_covered: str | None
    earliest_date_available: str | None = None
    deleted_records: list[_Deletion] | None = None


def deleted_rows(session: Session, name: str, start: datetime, end: datetime) -> Iterator[tuple[pa.Table, datetime]]:
    """Yield tombstones from ``start`` on, each page with the moment the log is complete up to."""
    if end - start >= REACH:
        raise Resync("deletes_gap", f"the delete log of {name} reaches back fifteen days, the last read is older")
    while end - start > _SHORTEST:
        answer, stop = _asked(session, name, start, end)
        available = _moment(answer.earliest_date_available)
        if available is not None and available > start:
            raise Resync("deletes_gap", f"the delete log of {name} begins after the last read")
        covered = min(_moment(answer.latest_date_covered) or start, stop)
        gone = [(each.id, _moment(each.deleted_date)) for each in answer.deleted_records or []]
        yield tombstones(gone), max(covered, start)
        if stop == end or covered <= start:
            return
        start = covered


def _asked(session: Session, name: str, start: datetime, end: datetime) -> tuple[_Log, datetime]:
    """Ask for a span, for half of it when it holds more ids than one answer may, and say up to when."""
    try:
        response = session.get(f"/sobjects/{name}/deleted/", {"start": _minute(start), "end": _minute(end)})
    except Stop as error:
        if error.code != "too_many_deletes" or end - start <= _SHORTEST * 2:
            raise
        return _asked(session, name, start, start + (end - start) / 2)
    try:
        return msgspec.json.decode(response.content, type=_Log), end
    except msgspec.DecodeError as error:
        raise Stop(
            "malformed_page", "the delete log's answer does not say what is gone and how far it reaches"
        ) from error


def _minute(moment: datetime) -> str:
    return literal(moment.replace(microsecond=0))


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError) as error:
        raise Stop("malformed_page", "the delete log holds a time that is none") from error
