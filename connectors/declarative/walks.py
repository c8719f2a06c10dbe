"""One entity's requests: the template filled in, and the walk over its pages. No I/O of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connectors.declarative import template
from connectors.declarative.pages import (
    CursorPages,
    LastIdPages,
    LinkHeaderPages,
    NextUrlPages,
    NumberedPages,
    OffsetPages,
)
from connectors.errors import Retry, Stop
from connectors.runtime import paths
from connectors.runtime.messages import Request, Response
from connectors.runtime.pagination import (
    after_last,
    by_offset,
    by_page,
    follow_link,
    follow_token,
    in_body,
    in_header,
    more_at,
    resolve_link,
)

if TYPE_CHECKING:
    from connectors.declarative.pages import Pagination
    from connectors.declarative.words import Endpoint

Send = Callable[[Request], Response]
Slices = Callable[[Response], list[bytes]]
More = Callable[[Response], bool | None]


def base_url(declared: str, settings: Mapping[str, Any]) -> str:
    """Return where the API stands: the connection's ``base_url`` setting, or the manifest's."""
    return str(settings.get("base_url") or declared).rstrip("/")


def build_request(
    base: str, endpoint: Endpoint, values: template.Values, *, headers: Mapping[str, str], params: Mapping[str, str]
) -> Request:
    """Fill an endpoint's templates; ``params`` are the delta's and the page size's own."""
    query = {name: _query(value, values) for name, value in endpoint.query.items()}
    filled = {name: template.render_header(text, values) for name, text in {**headers, **endpoint.headers}.items()}
    body = template.render_body(endpoint.body, values) if endpoint.body is not None else None
    return Request(
        endpoint.method,
        base + template.render_path(endpoint.path, values),
        params={**{name: value for name, value in query.items() if value is not None}, **params},
        headers={name: value for name, value in filled.items() if value is not None},
        json=body,
        safe=True,  # a descriptor only reads
    )


def start_from(request: Request, link: str | None) -> Request:
    """Return the request that starts a read: at a stored link of the same origin, or as built."""
    if link is None:
        return request
    return Request(request.method, resolve_link(request, link), headers=request.headers, json=request.json, safe=True)


def walk(send: Send, request: Request, pagination: Pagination, slices: Slices) -> Iterator[Response]:
    """Yield the answers of all pages, as the descriptor says they follow; ``slices`` cuts out their items."""
    limit = pagination.max_pages
    if isinstance(pagination, CursorPages):
        return follow_token(
            send,
            request,
            at=pagination.token_path,
            header=pagination.token_header,
            param=pagination.param,
            body_path=pagination.body_path,
            more_path=pagination.more_path,
            most_pages=limit,
        )
    if isinstance(pagination, LinkHeaderPages):
        return follow_link(send, request, in_header, most_pages=limit)
    if isinstance(pagination, NextUrlPages):
        return follow_link(send, request, in_body(pagination.path), most_pages=limit)
    if isinstance(pagination, OffsetPages | NumberedPages):
        step = by_offset if isinstance(pagination, OffsetPages) else by_page
        more = more_at(pagination.more_path) if pagination.more_path else None
        return step(
            send,
            request,
            lambda page: len(_items(page, slices, more)),
            param=pagination.param,
            first=pagination.first,
            more=more,
            most_pages=limit,
        )
    if isinstance(pagination, LastIdPages):
        more = more_at(pagination.more_path) if pagination.more_path else None
        last_id = _last(lambda page: _items(page, slices, more), pagination.id_path)
        return after_last(send, request, last_id, param=pagination.param, more=more, most_pages=limit)
    return iter((send(request),))


def _items(page: Response, slices: Slices, more: More | None) -> list[bytes]:
    """Return a page's items; raise Retry for a page that has none and says that more follow.

    The walk can go no further from it, and taken for the end it would make what is left look deleted.
    """
    items = slices(page)
    if not items and more is not None and more(page):
        raise Retry("empty_page", "the vendor sends a page without records and says that more follow")
    return items


def _last(slices: Slices, path: str) -> Callable[[Response], str | None]:
    def last_id(response: Response) -> str | None:
        items = slices(response)
        found = paths.find_one(items[-1], path) if items else None
        if items and not isinstance(found, str | int):
            raise Stop("malformed_page", "the last record of a page has no id to ask for the next page with")
        return None if found is None else str(found)

    return last_id


def page_size(pagination: Pagination, wanted: int | None) -> int:
    """Return the page size to ask for: the caller's, never above the descriptor's."""
    if wanted is not None and wanted < 1:
        raise Stop("bad_page_size", "a page size is at least 1")
    return min(wanted or pagination.page_size, pagination.page_size)


def _query(value: Any, values: template.Values) -> str | list[str] | None:
    if isinstance(value, list):
        return [text for each in value if isinstance(text := _query(each, values), str)] or None
    return template.render_text(value, values) if isinstance(value, str) else template.text_of(value)
