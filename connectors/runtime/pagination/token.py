"""Walks whose next page is named by an opaque token in the body or a header."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from connectors.runtime import paths
from connectors.runtime.messages import Request, Response
from connectors.runtime.pagination.guard import MOST_PAGES, PageGuard
from connectors.runtime.pagination.merge import with_param

Send = Callable[[Request], Response]


def follow_token(
    send: Send,
    request: Request,
    *,
    at: str | None = None,
    header: str | None = None,
    param: str | None = None,
    body_path: str | None = None,
    more_path: str | None = None,
    most_pages: int = MOST_PAGES,
) -> Iterator[Response]:
    """Yield pages while a token comes back ``at`` a path or in a ``header``.

    It is sent on as query ``param`` or at ``body_path`` of the JSON body.

    The end is a token that is absent, null, "" or the text ``null`` in a header (Salesforce Bulk), or a false value at
    ``more_path`` where the vendor has one. An empty page with a token goes on.
    """
    guard = PageGuard(most_pages)
    while True:
        guard.next_page()
        response = send(request)
        yield response
        token = _token(response, at, header)
        if token is None or (more_path is not None and not _read(response, more_path)):
            return
        guard.fresh(token)
        if body_path is not None:
            request = dataclasses.replace(request, json=with_member(request.json, body_path, token))
        else:
            request = with_param(request, param or "cursor", token)


def with_member(body: Any, path: str, value: Any) -> dict[str, Any]:
    """Return a copy of ``body`` with ``value`` at the dotted ``path``."""
    first, _, rest = path.partition(".")
    copy = dict(body or {})
    copy[first] = with_member(copy.get(first), rest, value) if rest else value
    return copy


def _token(response: Response, path: str | None, header: str | None) -> str | None:
    found = response.headers.get(header.lower()) if header else _read(response, path or "next")
    return None if found in (None, "", False, "null") else str(found)


def _read(response: Response, path: str) -> Any:
    return paths.read(response.content, path) if response.content else None
