"""Walking one object in keyset order: pages, places to resume, and what to do when a query dies on the way.

A long query is followed by its locator, which costs Salesforce one sort for millions of rows; a locator that dies, or a
query that takes too long, is started again from the last safe place. Rows may change under a running query: they then
show a newer stamp than the one they were sorted by, so a page's end is never trusted as a place by itself, only rows
older than the time held back. Objects too wide for one query are read in field chunks over the same closed range.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from connectors.errors import ConnectorError, Retry, Stop
from connectors.landing import Landed, RecordShape, land, land_records
from connectors.runtime.pagination import PageGuard
from connectors.runtime.paths import read_top
from connectors.vendors.salesforce.soql import Position, SObject, Span, select, select_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from connectors.runtime.messages import Response
    from connectors.vendors.salesforce.session import Session

FIRST_MOMENT = datetime(1999, 1, 1, tzinfo=UTC)  # no Salesforce row is older than Salesforce
_SHORTEST_WINDOW = timedelta(seconds=1)
_ROWS = 2_000
_REPAIR_IDS = 200
_REPAIR_ROUNDS = 3

_Record = dict[str, msgspec.Raw]


class Walk:
    """Reads one object from a position to its end. ``position`` is always a safe place to resume."""

    def __init__(self, session: Session, sobject: SObject, after: Position | None, *, horizon: datetime) -> None:
        self.position = after
        self._session = session
        self._object = sobject
        self._horizon = horizon
        self._here = after  # how far this walk has got, which may be past the safe position
        self._before: datetime | None = None  # end of the window, once a query took too long
        self._width: timedelta | None = None
        self._chunks = sobject.chunks()
        self._shape = RecordShape(
            items="records", id="Id", timestamp=sobject.stamp, deleted="IsDeleted" if sobject.has_deletes else None
        )

    def pages(self, rows: int | None = None) -> Iterator[tuple[Landed, bool]]:
        """Yield each page with whether more follow."""
        size = min(rows or _ROWS, _ROWS)
        stalled: object = object()  # where the last locator died; twice at one place is no progress
        while True:
            try:
                for landed, more in self._wide(size) if len(self._chunks) > 1 else self._narrow(size):
                    self._advance(landed.table)
                    yield landed, more or self._before is not None
            except Stop as error:
                if error.code == "query_timeout":
                    self._halve(error)
                elif error.code == "locator_expired":
                    if stalled == self._here:
                        raise Retry(error.code, error.message, status=error.status) from error
                    stalled = self._here
                else:
                    raise
                continue
            if self._before is None:
                return
            self._next_window()

    def _narrow(self, size: int) -> Iterator[tuple[Landed, bool]]:
        """Follow one query to its end."""
        soql = select(self._object, self._chunks[0], Span(self._here, self._before))
        for response, more in follow(self._session, self._session.query(soql, batch=size)):
            yield land(response.content, self._shape), more

    def _wide(self, size: int) -> Iterator[tuple[Landed, bool]]:
        """Read pages of whole records out of several queries each.

        Every query of a page covers the same closed range. A row that moved between two of them is read again by
        itself, so that no record is put together from two of its versions.
        """
        more = True
        while more:
            span = Span(self._here, self._before)
            first = self._session.query(select(self._object, self._chunks[0], span, limit=size), batch=size)
            records = _records(first)
            more = len(records) == size or _link(first) is not None
            if not records:
                yield Landed(_no_rows(self._shape)), False
                return
            closed = Span(span.after, span.before, _place(self._object, records[-1]))
            if closed.upto == span.after:
                raise Stop("pagination_loop", f"Salesforce gave the same page of {self._object.name} twice")
            versions = {_text(record["Id"]): [record] for record in records}
            for chunk in self._chunks[1:]:
                soql = select(self._object, chunk, closed)
                for response, _ in follow(self._session, self._session.query(soql, batch=size)):
                    for record in _records(response):
                        versions.setdefault(_text(record["Id"]), []).append(record)
            whole, moving = self._merged(versions)
            whole += self._repaired(moving)
            self._here = closed.upto
            yield land_records([msgspec.json.encode(record) for record in whole], self._shape), more

    def _merged(self, versions: dict[str, list[_Record]]) -> tuple[list[_Record], list[str]]:
        """Put chunks together by Id; return the whole records in order, and the ids whose chunks do not agree."""
        whole: list[_Record] = []
        moving: list[str] = []
        for key, parts in versions.items():
            agree = len({_text(part[self._object.keys[-1]]) for part in parts}) == 1
            if agree and len(parts) == len(self._chunks):
                whole.append({name: value for part in parts for name, value in part.items()})
            else:
                moving.append(key)
        return whole, moving

    def _repaired(self, ids: Sequence[str]) -> list[_Record]:
        """Read these rows once more, a few at a time; one that Salesforce no longer has is left to the delete log."""
        whole: list[_Record] = []
        for _ in range(_REPAIR_ROUNDS):
            if not ids:
                return whole
            moving: list[str] = []
            for start in range(0, len(ids), _REPAIR_IDS):
                versions: dict[str, list[_Record]] = {}
                for chunk in self._chunks:
                    soql = select_ids(self._object, chunk, ids[start : start + _REPAIR_IDS])
                    for record in _records(self._session.query(soql)):
                        versions.setdefault(_text(record["Id"]), []).append(record)
                found, still = self._merged(versions)
                whole += found
                moving += still
            ids = moving
        if ids:
            raise Retry("records_moving", f"{len(ids)} records of {self._object.name} change faster than they are read")
        return whole

    def _advance(self, table: pa.Table) -> None:
        """Move to the last row of a page, and the safe position to the last row older than what is held back."""
        if table.num_rows == 0:
            return
        if self._object.stamp is None:
            self._here = self.position = Position(None, table["external_id"][-1].as_py())
            return
        for at in range(table.num_rows - 1, -1, -1):
            stamp = table["source_updated_at"][at].as_py()
            if stamp is not None and stamp <= self._horizon:
                self.position = Position(stamp, table["external_id"][at].as_py())
                if len(self._chunks) == 1:
                    self._here = self.position
                return

    def _halve(self, error: ConnectorError) -> None:
        """Ask for half as much time after a query that took too long; below a second there is nothing to halve."""
        start = (self._here and self._here.stamp) or FIRST_MOMENT
        end = self._before or max(self._horizon, start + _SHORTEST_WINDOW * 2)
        self._width = (end - start) / 2
        if self._width < _SHORTEST_WINDOW or self._object.stamp is None:
            raise Retry("query_timeout", error.message, status=error.status)
        self._before = start + self._width

    def _next_window(self) -> None:
        """Go on after a window that was read to its end, a little wider; past the horizon without an end."""
        start, width = self._before, self._width
        if start is None or width is None:
            return
        self._here = Position(start)
        self._width = width * 2
        self._before = start + self._width if start + self._width < self._horizon else None


def follow(session: Session, response: Response) -> Iterator[tuple[Response, bool]]:
    """Yield a query's answers with whether more follow, until one says that the query is done."""
    guard = PageGuard()
    while (link := _link(response)) is not None:
        yield response, True
        guard.next_page()
        response = session.follow(guard.fresh(link))
    yield response, False


def _link(response: Response) -> str | None:
    """Return the way to the next page; an answer that is neither done nor says where to go on is broken."""
    try:
        done, link = read_top(response.content, "done", "nextRecordsUrl")
    except msgspec.DecodeError as error:
        raise Stop("malformed_page", "Salesforce's answer is not a page of a query") from error
    if done is True:
        return None
    if not isinstance(link, str) or not link:
        raise Stop("malformed_page", "an answer is not done and does not say where the next page is")
    return link


def _records(response: Response) -> list[_Record]:
    try:
        return msgspec.json.decode(response.content, type=_Answer).records
    except msgspec.DecodeError as error:
        raise Stop("malformed_page", "Salesforce's answer is not a list of records") from error


class _Answer(msgspec.Struct):
    records: list[_Record]


def _place(sobject: SObject, record: _Record) -> Position:
    stamp = None if sobject.stamp is None else datetime.fromisoformat(_text(record[sobject.stamp]))
    return Position(stamp, _text(record["Id"]))


def _text(value: msgspec.Raw) -> str:
    return msgspec.json.decode(value, type=str)


def _no_rows(shape: RecordShape) -> pa.Table:
    return land_records([], shape).table
