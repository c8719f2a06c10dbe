"""Walks whose next page is a URL: in the body, or in a ``Link`` header (RFC 8288)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator

from connectors.runtime import paths
from connectors.runtime.messages import Request, Response
from connectors.runtime.pagination.guard import MOST_PAGES, PageGuard, resolve_link

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~-]+\s*=\s*(?:\"[^\"]*\"|[^\s\",;]+))*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]+))", re.IGNORECASE)
FindNext = Callable[[Response], str | None]


def follow_link(
    send: Callable[[Request], Response],
    request: Request,
    find_next: FindNext,
    *,
    most_pages: int = MOST_PAGES,
) -> Iterator[Response]:
    """Yield pages while ``find_next`` finds a URL, absolute or relative, at the same origin.

    The URL says everything about the next page, so the first request's parameters are not added to it.
    """
    guard = PageGuard(most_pages)
    while True:
        guard.next_page()
        response = send(request)
        yield response
        link = find_next(response)
        if not link:
            return
        url = guard.fresh(resolve_link(request, link))
        request = dataclasses.replace(request, url=url, params=None)


def in_body(path: str) -> FindNext:
    """Find the next URL at ``path`` of the body."""

    def find_next(response: Response) -> str | None:
        found = paths.read(response.content, path) if response.content else None
        return found if isinstance(found, str) else None

    return find_next


def in_header(response: Response) -> str | None:
    """Find the URL that the ``Link`` header calls ``next``."""
    for target, parameters in _LINK.findall(response.headers.get("link", "")):
        relation = _REL.search(parameters)
        if relation and "next" in (relation[1] or relation[2]).lower().split():
            return str(target)
    return None
