"""Walking one query to its end: by relay cursor, by offset, or in one answer, in pages the API's price allows.

Rows shift under an offset when others are deleted or inserted. Each page therefore begins with the last record of the
page before; where that record is not found, rows have moved, and the walk goes back until it meets one it knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow.compute as pc

from connectors.errors import Deferred, Retry, Stop
from connectors.landing import Landed, RecordShape, land, read_envelope
from connectors.runtime import paths
from connectors.runtime.pagination import PageGuard
from connectors.vendors.graphql.answers import price

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connectors.runtime.messages import Response
    from connectors.vendors.graphql.queries import Query

    Ask = Callable[[Mapping[str, Any]], Response]
_MOST_DRIFTS = 50
_NESTED = r'"hasNextPage"\s*:\s*true'


@dataclass(frozen=True, slots=True)
class Step:
    """One page and whether more follow. ``is_cut`` says that a record of it holds a list that goes on elsewhere."""

    landed: Landed
    has_more: bool
    is_cut: bool = False


class Walk:
    """One query, asked with a fixed part of its variables. ``size`` shrinks when pages cost too much."""

    def __init__(self, query: Query, ask: Ask, fixed: Mapping[str, Any], *, size: int, most_points: int | None) -> None:
        self._query = query
        self._ask = ask
        self._fixed = fixed
        self.size = size
        self._most_points = most_points
        self._guard = PageGuard()
        self._shape = RecordShape(query.items, query.key, query.timestamp, query.timestamp_format, query.deleted)

    def pages(self) -> Iterator[Step]:
        """Yield the pages; raise Stop where an answer is not in the form the query's settings say."""
        way = {"relay": self._relay, "offset": self._offset, "none": self._single}[self._query.paging.kind]
        for landed, has_more in way():
            yield Step(landed, has_more, is_cut=_goes_on(landed))

    def _single(self) -> Iterator[tuple[Landed, bool]]:
        yield self._landed(self._asked({})), False

    def _relay(self) -> Iterator[tuple[Landed, bool]]:
        paging, after = self._query.paging, None
        while True:
            self._guard.next_page()
            response = self._asked({paging.first: self.size, paging.after: after}, sized=paging.first)
            landed, more = (
                self._landed(response),
                read_envelope(response.content, f"{self._query.page_info}.hasNextPage"),
            )
            if not isinstance(more, bool):
                raise Stop("malformed_page", f"the answer has no hasNextPage at {self._query.page_info}")
            after = read_envelope(response.content, f"{self._query.page_info}.endCursor") if more else None
            if more and (not isinstance(after, str | int) or isinstance(after, bool) or after == ""):
                raise Stop("malformed_page", "the answer has a next page and no endCursor that leads to it")
            if more:
                self._guard.fresh(str(after))
            yield landed, more
            if not more:
                return

    def _offset(self) -> Iterator[tuple[Landed, bool]]:
        offset, last, drifts = 0, None, 0
        while True:
            self._guard.next_page()
            start = max(offset - 1, 0) if last is not None else offset
            landed, total = self._numbered(start)
            ids = landed.table["external_id"].to_pylist()
            if ids not in ([], [last]):
                self._guard.fresh(f"{drifts} {hash(tuple(ids))}")
            if last is not None and start > 0 and last not in ids:
                drifts, offset, last = drifts + 1, max(start - self.size, 0), None
                if drifts > _MOST_DRIFTS:
                    raise Retry("records_moving", "records are deleted faster than pages by number can be read")
                yield landed, True
                continue
            offset = start + landed.seen
            more = landed.seen > (last is not None) if total is None else bool(landed.seen) and offset < total
            last = ids[-1] if ids else last
            yield landed, more
            if not more:
                return

    def _numbered(self, start: int) -> tuple[Landed, int | None]:
        """Ask for the records from number ``start`` on; two at least, for the first of them is known already."""
        paging = self._query.paging
        self.size = max(self.size, 2)
        response = self._asked({paging.limit: self.size, paging.offset: start}, sized=paging.limit)
        landed = self._landed(response)
        total = read_envelope(response.content, paging.total) if paging.total else None
        if paging.total and (not isinstance(total, int) or isinstance(total, bool)):
            raise Stop("malformed_page", f"the answer has no number at {paging.total}")
        return landed, total

    def _asked(self, variables: dict[str, Any], sized: str | None = None) -> Response:
        """Ask, in a smaller page where one is too dear; note what it cost."""
        while True:
            try:
                response = self._ask({**self._fixed, **variables})
            except Stop as error:
                if error.code != "query_too_costly" or sized is None or variables[sized] <= 1:
                    raise
                self.size = variables[sized] = variables[sized] // 2
                continue
            if sized is not None:
                self._mind(response, variables[sized])
            return response

    def _mind(self, response: Response, asked: int) -> None:
        """Make the next page smaller when this one cost more than its share; stop politely when nothing is left."""
        told = price(response)
        if told is None:
            return
        if told.resets_at is not None and told.left < told.cost:
            raise Deferred("quota_spent", "the API's points of this hour are used up", resume_at=told.resets_at)
        most = self._most_points or (told.maximum or 0) / 2
        if most and told.cost > most:
            self.size = max(int(asked * most / told.cost), 1)

    def _landed(self, response: Response) -> Landed:
        """Return the records; an answer without the place they stand in is no empty page, whatever the status."""
        found = paths.find(response.content, self._query.container)
        if not found or bytes(found[0]) == b"null":
            raise Stop("malformed_page", f"nothing stands at {self._query.container} of the answer")
        try:
            return land(response.content, self._shape)
        except msgspec.DecodeError:
            raise Stop("malformed_page", "the answer is not whole JSON") from None


def _goes_on(landed: Landed) -> bool:
    """Return whether a record holds a connection of its own that has a next page: only its first part came along."""
    return bool(pc.any(pc.match_substring_regex(landed.table["payload"], _NESTED)).as_py())
