"""Walks over pages: by token, by link, by number. All generators of answers, all under one guard; none does I/O."""

from connectors.runtime.pagination.guard import MOST_PAGES, PageGuard, resolve_link
from connectors.runtime.pagination.last import after_last
from connectors.runtime.pagination.link import follow_link, in_body, in_header
from connectors.runtime.pagination.numbered import by_offset, by_page, more_at
from connectors.runtime.pagination.token import follow_token

__all__ = [
    "MOST_PAGES",
    "PageGuard",
    "after_last",
    "by_offset",
    "by_page",
    "follow_link",
    "follow_token",
    "in_body",
    "in_header",
    "more_at",
    "resolve_link",
]
