"""Walks whose next page is named by the last record of the page before (Stripe's ``starting_after``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.runtime.pagination.guard import MOST_PAGES, PageGuard
from connectors.runtime.pagination.merge import with_param

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.runtime.messages import Request, Response


def after_last(
    send: Callable[[Request], Response],
    request: Request,
    last_id: Callable[[Response], str | None],
    *,
    param: str,
    more: Callable[[Response], bool | None] | None = None,
    most_pages: int = MOST_PAGES,
) -> Iterator[Response]:
    """Yield pages until one is empty (``last_id`` finds none), or until ``more`` says that none follow."""
    guard = PageGuard(most_pages)
    while True:
        guard.next_page()
        response = send(request)
        yield response
        last = last_id(response)
        if last is None or (more is not None and more(response) is False):
            return
        request = with_param(request, param, guard.fresh(last))
