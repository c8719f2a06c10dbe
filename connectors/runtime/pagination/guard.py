"""What every walk over pages is held to: an end, no circles, no strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from connectors.errors import Stop

if TYPE_CHECKING:
    from connectors.runtime.messages import Request

MOST_PAGES = 100_000


class PageGuard:
    """Remembers a walk. One guard per walk; its methods raise Stop."""

    def __init__(self, most_pages: int = MOST_PAGES) -> None:
        self._most_pages = most_pages
        self._pages = 0
        self._seen: set[int] = set()

    def next_page(self) -> None:
        """Count a page about to be asked for."""
        self._pages += 1
        if self._pages > self._most_pages:
            raise Stop("too_many_pages", f"the vendor offers more than {self._most_pages} pages of one read")

    def fresh(self, token: str) -> str:
        """Return ``token`` when this walk has not used it; a repeat would go round for ever."""
        mark = hash(token)
        if mark in self._seen:
            raise Stop("pagination_loop", "the vendor sends back to a page this read has already been to")
        self._seen.add(mark)
        return token


def resolve_link(current: Request, link: str) -> str:
    """Return ``link`` as a full URL at the origin of ``current``; raise Stop for any other origin.

    A next link carries our credential with it, so a vendor's answer may not choose another host for it.
    """
    try:
        url = urljoin(current.url, link)
        here, there = urlsplit(current.url), urlsplit(url)
        same = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
    except ValueError:  # not a URL at all
        same = False
    if not same or there.username is not None:
        raise Stop("foreign_link", "the vendor's next link leads to another host, which is never followed")
    return url
