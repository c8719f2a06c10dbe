"""Graph as one read asks it: its requests, its pages, its clock. Which collection is read is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from connectors.errors import SkipRecord, Stop
from connectors.landing import slice_records
from connectors.runtime import paths
from connectors.runtime.messages import Request
from connectors.runtime.pagination import PageGuard, resolve_link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from connectors.connector import Credentials
    from connectors.runtime.classification import Classify
    from connectors.runtime.messages import Response
    from connectors.runtime.transport import Transport

_PREFER = 'IdType="ImmutableId", outlook.timezone="UTC"'
"""Ids that stay when a thing is moved, and times in UTC; a call without it would speak of other ids."""


@dataclass(frozen=True, slots=True)
class GraphPage:
    """One answer of a collection: its records as they are written, and the link of the next round once there is one."""

    records: list[msgspec.Raw]
    delta_link: str | None


class Graph:
    """One organization's Graph for one read."""

    def __init__(self, transport: Transport, credentials: Credentials, classify: Classify | None) -> None:
        self._transport = transport
        self._credentials = credentials
        self._classify = classify
        self.now: datetime | None = None  # by Graph's own clock, as its latest answer showed it

    @property
    def base(self) -> str:
        """Where Graph stands."""
        return self._credentials.base_url

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Response:
        """Ask for one thing; ``path`` is made by :func:`path_of`."""
        return self._send(self._request(self.base + path, params))

    def find(self, path: str, params: Mapping[str, Any] | None = None) -> msgspec.Raw | None:
        """Return one item of a mailbox as it is written, None when the mailbox has it no more."""
        try:
            return msgspec.Raw(self.get(path, params).content)
        except SkipRecord as error:
            if error.code == "item_gone":
                return None
            raise

    def pages(
        self, url: str, params: Mapping[str, Any] | None = None, *, size: int | None = None
    ) -> Iterator[GraphPage]:
        """Walk a collection from ``url``; its links are followed to the letter, and only at Graph's own host."""
        guard = PageGuard()
        request = self._request(url, params, size)
        while True:
            guard.next_page()
            response = self._send(request)
            body = response.content
            yield GraphPage(slice_records(body, "value"), _link(body, "@odata.deltaLink"))
            link = _link(body, "@odata.nextLink")
            if link is None:
                return
            request = self._request(guard.fresh(resolve_link(request, link)), None, size)

    def _request(self, url: str, params: Mapping[str, Any] | None, size: int | None = None) -> Request:
        prefer = _PREFER if size is None else f"{_PREFER}, odata.maxpagesize={size}"
        return Request("GET", url, params=params, headers={"Prefer": prefer})

    def _send(self, request: Request) -> Response:
        response = self._transport.send(request, self._credentials.auth, self._classify)
        self.now = response.sent_at or self.now
        return response


def path_of(*segments: str) -> str:
    """Join path segments, each kept to itself: ids hold ``=`` and ``/``, user principal names ``#``."""
    for segment in segments:
        if not segment.strip() or segment in (".", ".."):
            raise Stop("bad_setting", "a mailbox or a folder has an empty name")
    return "/" + "/".join(quote(segment, safe="") for segment in segments)


def _link(body: bytes, name: str) -> str | None:
    found = paths.read(body, f"['{name}']")
    return found if isinstance(found, str) and found else None
