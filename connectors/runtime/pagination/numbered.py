"""Walks by page number or offset. Rows shift between such pages, so they prove nothing about what is absent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from connectors.runtime import paths
from connectors.runtime.messages import Request, Response
from connectors.runtime.pagination.guard import MOST_PAGES, PageGuard
from connectors.runtime.pagination.merge import with_param

Send = Callable[[Request], Response]
Count = Callable[[Response], int]
More = Callable[[Response], bool | None]


def by_page(
    send: Send,
    request: Request,
    count: Count,
    *,
    param: str = "page",
    first: int = 1,
    more: More | None = None,
    most_pages: int = MOST_PAGES,
) -> Iterator[Response]:
    """Yield pages ``first``, ``first + 1``… until an empty one, or until ``more`` says so.

    A short page is no end: vendors filter after they cut pages.
    """
    return _walk(send, request, count, param, first, lambda _: 1, more, most_pages)


def by_offset(
    send: Send,
    request: Request,
    count: Count,
    *,
    param: str = "offset",
    first: int = 0,
    more: More | None = None,
    most_pages: int = MOST_PAGES,
) -> Iterator[Response]:
    """Yield pages, moving the offset by the records really received, until an empty one or until ``more`` says so."""
    return _walk(send, request, count, param, first, lambda records: records, more, most_pages)


def _walk(
    send: Send,
    request: Request,
    count: Count,
    param: str,
    first: int,
    step: Callable[[int], int],
    more: More | None,
    most_pages: int,
) -> Iterator[Response]:
    """Yield pages from number ``first`` on, each further by the ``step`` its count of records makes."""
    guard = PageGuard(most_pages)
    number = first
    while True:
        guard.next_page()
        response = send(with_param(request, param, str(number)))
        records = count(response)
        _refuse_repeat(guard, response, records)
        yield response
        if _ended(response, records, more):
            return
        number += step(records)


def more_at(path: str) -> More:
    """Read "are there more" at ``path`` of the body; None when the vendor does not say."""

    def more(response: Response) -> bool | None:
        found: Any = paths.read(response.content, path) if response.content else False
        return found if isinstance(found, bool) else None

    return more


def _ended(response: Response, records: int, more: More | None) -> bool:
    said = more(response) if more is not None else None
    return records == 0 if said is None else not said or records == 0


def _refuse_repeat(guard: PageGuard, response: Response, records: int) -> None:
    """Raise Stop on equal bytes twice: a vendor that ignores the parameter sends one page for ever."""
    if records:
        guard.fresh(f"{hash(response.content)}")
