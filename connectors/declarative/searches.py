"""Walking one stretch of time in order, through a search that gives only so many rows, or whose page token can die.

Such a query is asked again from the last timestamp it reached. When all rows of a query share one timestamp, they are
listed by id instead (``ties``), and the walk goes on after them.

How far a query reached is taken with care: a row that changes while the query runs shows a newer timestamp than the one
it was sorted by. So timestamps later than ``bound`` are not trusted as places to go on from. Where only such rows would
get the walk further, it goes on from one stamped before this read began, since that row cannot have changed meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.declarative import times, walks
from connectors.declarative.account import PAGE_CURSOR_DIED
from connectors.errors import Resync, Retry, Stop
from connectors.runtime.pagination import PageGuard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from connectors.declarative.account import Account, Way
    from connectors.declarative.changes import Restart, TimestampFilter
    from connectors.declarative.spans import Span
    from connectors.landing import Landed
    from connectors.manifest import EntitySpec


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a walk. Everything before ``reached`` was read, and at ``reached`` the ids up to ``tie``."""

    landed: Landed
    reached: datetime | None
    tie: str | None = None


@dataclass(slots=True)
class _Query:
    """How one query went."""

    rows: int = 0
    reached: datetime | None = None  # the last timestamp that is trusted
    settling: datetime | None = None  # the last one from before the read began, even if too young to be trusted
    last: datetime | None = None  # the last of all
    cut: Stop | Retry | None = None  # what ended it early; raised when the walk can get no further

    def take(self, landed: Landed, bound: datetime, begun: datetime) -> None:
        self.rows += landed.seen
        stamps = landed.table["source_updated_at"].drop_null()
        self.reached = _last(stamps, bound) or self.reached
        self.settling = _last(stamps, begun) or self.settling
        self.last = _last(stamps) or self.last

    def places(self) -> list[datetime]:
        """Return where the next query may start, the most trusted place first."""
        found = [self.reached, self.settling, self.last if self.reached is None else None]
        return [place for place in found if place is not None]


class Search:
    """Reads the spans of an ordered delta, for one set of values (one parent's, or none)."""

    def __init__(
        self, account: Account, spec: EntitySpec, way: Way, delta: TimestampFilter, values: Mapping[str, Any]
    ) -> None:
        self._account = account
        self._spec = spec
        self._way = way
        self._delta = delta
        self._values = values

    def steps(self, span: Span, bound: datetime) -> Iterator[Step]:
        """Yield the pages of a span, however many queries that takes.

        Timestamps later than ``bound`` are not trusted as places to go on from.
        """
        here = span.since
        if span.tie is not None and here is not None and self._delta.restart and self._delta.restart.ties:
            yield from self._instant(here, span.tie)
            here += times.unit(self._delta.format)
        while True:
            query = _Query()
            yield from self._ask(here, span.until, query, bound)
            if query.cut is None:
                return
            places = query.places()
            further = [place for place in places if here is None or self._whole(place) > self._whole(here)]
            if further:
                here = further[0]
                continue
            if not places or here is None or self._delta.restart is None or self._delta.restart.ties is None:
                raise query.cut
            yield from self._instant(here, None)
            here = self._whole(here) + times.unit(self._delta.format)
            if here > span.until:
                return

    def _ask(self, since: datetime | None, until: datetime, query: _Query, bound: datetime) -> Iterator[Step]:
        """Ask once and follow its pages, until they end or the query is cut."""
        restart = self._delta.restart
        size = walks.page_size(self._way.pagination, self._account.options.page_size)
        values = {**self._values, **window_values(self._delta, since, until)}
        pages = self._account.walk(
            self._way,
            values,
            params=window_params(self._delta, since, until),
            dies=restart.dies_with if restart else None,
        )
        try:
            for response in pages:
                landed = self._way.land(response, self._spec)
                query.take(landed, bound, self._account.horizon)
                yield Step(landed, query.reached)
                if restart is not None and _is_spent(restart, query.rows, size):
                    query.cut = _too_many(restart)
                    return
        except Resync as error:
            if error.code != PAGE_CURSOR_DIED:
                raise
            query.cut = Retry(error.code, error.message, status=error.status)

    def _instant(self, at: datetime, after: str | None) -> Iterator[Step]:
        """List the rows of one instant by id, from after ``after``."""
        ties = self._delta.restart and self._delta.restart.ties
        if not ties:
            return
        at = self._whole(at)
        guard = PageGuard()
        size = walks.page_size(self._way.pagination, self._account.options.page_size)
        last = after or ties.first_id
        while True:
            guard.next_page()
            values = {
                **self._values,
                "page.size": size,
                "tie.at": times.write(at, self._delta.format),
                "tie.until": times.write(at + times.unit(self._delta.format), self._delta.format),
                "tie.after_id": last or None,
            }
            response = self._account.send(self._account.build(ties.endpoint, values))
            landed = self._way.land(response, self._spec)
            if not landed.seen:
                return
            if not landed.table.num_rows:
                raise Stop("malformed_page", "a page of one instant holds no record with an id to go on from")
            last = guard.fresh(str(landed.table["external_id"][-1].as_py()))
            yield Step(landed, at, last)

    def _whole(self, moment: datetime) -> datetime:
        return times.floor(moment, self._delta.format)


def window_values(delta: TimestampFilter, since: datetime | None, until: datetime) -> dict[str, Any]:
    """Return the placeholders of one stretch of time."""
    return {"delta.since": times.write(since, delta.format), "delta.until": times.write(until, delta.format)}


def window_params(delta: TimestampFilter, since: datetime | None, until: datetime) -> dict[str, str]:
    """Return the query parameters that the delta names itself."""
    found = {delta.param: times.write(since, delta.format), delta.until_param: times.write(until, delta.format)}
    return {name: str(value) for name, value in found.items() if name and value is not None}


def _last(stamps: pa.ChunkedArray[Any], until: datetime | None = None) -> datetime | None:
    """Return the last stamp not later than ``until``; None when there is none."""
    if until is not None:
        stamps = stamps.filter(pc.less_equal(stamps, pa.scalar(until, stamps.type)))
    found: datetime | None = stamps[-1].as_py() if len(stamps) else None
    return found


def _is_spent(restart: Restart, rows: int, size: int) -> bool:
    """Return whether a query that gave ``rows`` is not to be asked for another page."""
    return rows + size > restart.most_rows or (restart.each_page and rows >= size)


def _too_many(restart: Restart) -> Stop:
    return Stop(
        "too_many_ties",
        f"more than {restart.most_rows:,} records share one timestamp, more than the vendor lists for one question: "
        "save some of them anew at the vendor, which gives them another",
    )
