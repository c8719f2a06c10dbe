"""What Salesforce deleted, out of its delete log: the only trace of rows that left the recycle bin.

The log reaches back fifteen days and is written with a delay, so the next read starts where the log says it is complete
(latestDateCovered), never where this one ended. A log that no longer reaches back to that point is a gap, and only a
full read closes it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.errors import Resync, Stop
from connectors.landing import tombstones
from connectors.vendors.salesforce.soql import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from connectors.vendors.salesforce.session import Session

REACH = timedelta(days=15)
_SHORTEST = timedelta(minutes=1)  # seconds are ignored by the vendor, and a span must be longer than a minute


def deleted_rows(session: Session, name: str, start: datetime, end: datetime) -> Iterator[tuple[pa.Table, datetime]]:
    """Yield tombstones from ``start`` on, each page with the moment the log is complete up to."""
    if end - start >= REACH:
        raise Resync("deletes_gap", f"the delete log of {name} reaches back fifteen days, the last read is older")
    while end - start > _SHORTEST:
        answer, stop = _asked(session, name, start, end)
        available = _moment(answer.get("earliestDateAvailable"))
        if available is not None and available > start:
            raise Resync("deletes_gap", f"the delete log of {name} begins after the last read")
        covered = min(_moment(answer.get("latestDateCovered")) or start, stop)
        records = answer.get("deletedRecords") or []
        yield tombstones([(each["id"], _moment(each.get("deletedDate"))) for each in records]), max(covered, start)
        if stop == end or covered <= start:
            return
        start = covered


def _asked(session: Session, name: str, start: datetime, end: datetime) -> tuple[dict[str, Any], datetime]:
    """Ask for a span, for half of it when it holds more ids than one answer may, and say up to when."""
    try:
        response = session.get(f"/sobjects/{name}/deleted/", {"start": _minute(start), "end": _minute(end)})
    except Stop as error:
        if error.code != "too_many_deletes" or end - start <= _SHORTEST * 2:
            raise
        return _asked(session, name, start, start + (end - start) / 2)
    answer = response.json()
    if not isinstance(answer, dict) or "latestDateCovered" not in answer:
        raise Stop("malformed_page", "the delete log's answer does not say how far it reaches")
    return answer, end


def _minute(moment: datetime) -> str:
    return literal(moment.replace(microsecond=0))


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) and value else None
