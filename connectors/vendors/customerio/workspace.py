"""The calls of the App API that a descriptor cannot make, and what time it is at the vendor.

What a sync does with the answers, and which cursor it leaves, is source.py's.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from connectors.connector import Unreadable
from connectors.landing import slice_records
from connectors.runtime import paths
from connectors.runtime.keys import is_key, read_key
from connectors.runtime.messages import Request, Response
from connectors.runtime.pagination import follow_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import msgspec

    from connectors.connector import Credentials
    from connectors.runtime.transport import Transport

ACTIVITIES_PER_PAGE = 100
IDS_PER_PAGE = 1_000
IDS_PER_CALL = 100
MESSAGES_PER_PAGE = 1_000
_SHOWN = 2_000
_EVERYONE = {"filter": {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}}


class Workspace:
    """One workspace. ``vendor_time`` is the time of the latest answer by the vendor's own clock."""

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials
        self.vendor_time: datetime | None = None

    def activities(
        self, kind: str | None = None, *, limit: int = ACTIVITIES_PER_PAGE, of_deleted: bool = False
    ) -> Iterator[tuple[bytes, bool]]:
        """Yield pages of the activity log, newest first, with whether more follow.

        The log of profiles that are gone is asked for by itself: the plain log need not have it.
        """
        params = {"limit": limit, **({"type": kind} if kind else {}), **({"deleted": "true"} if of_deleted else {})}
        return self._pages("/activities", params)

    def messages(self, start: datetime, end: datetime, *, limit: int) -> Iterator[tuple[bytes, bool]]:
        """Yield the deliveries created from ``start`` to ``end``, both inclusive; an empty page may have a next."""
        params = {"limit": limit, "start_ts": int(start.timestamp()), "end_ts": int(end.timestamp())}
        return self._pages("/messages", params)

    def everyone(self, *, limit: int = IDS_PER_PAGE) -> Iterator[tuple[list[str], tuple[Unreadable, ...], bool]]:
        """Yield the ids of all profiles, a page at a time, the entries that name none, and whether more follow."""
        for body, more in self._pages("/customers", {"limit": limit}, body=_EVERYONE):
            entries = slice_records(body, "identifiers")
            named = [(_cio_id(entry), entry) for entry in entries]
            unnamed = tuple(
                Unreadable("bad_key", bytes(entry)[:_SHOWN].decode(errors="replace")) for key, entry in named if not key
            )
            yield [key for key, _ in named if key], unnamed, more

    def attributes(self, ids: Sequence[str]) -> Iterator[bytes]:
        """Yield answers that hold these profiles; one that is gone is left out without a word."""
        for start in range(0, len(ids), IDS_PER_CALL):
            chosen = list(ids[start : start + IDS_PER_CALL])
            url = f"{self._credentials.base_url}/customers/attributes"
            asked = Request("POST", url, params={"id_type": "cio_id"}, json={"ids": chosen}, safe=True)
            yield self._send(asked).content

    def _pages(
        self, path: str, params: dict[str, Any], body: dict[str, Any] | None = None
    ) -> Iterator[tuple[bytes, bool]]:
        """Walk pages, saying of each whether another follows; the end is a ``next`` that is "", null or absent."""
        request = Request(
            "GET" if body is None else "POST",
            f"{self._credentials.base_url}{path}",
            params=params,
            json=body,
            safe=True,
        )
        for response in follow_token(self._send, request, at="next", param="start"):
            yield response.content, paths.read(response.content, "next") not in (None, "")

    def _send(self, request: Request) -> Response:
        response = self._transport.send(request, self._credentials.auth)
        with suppress(KeyError, TypeError, ValueError):  # an answer without a clock leaves the one before
            self.vendor_time = parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
        return response


def _cio_id(entry: msgspec.Raw) -> str | None:
    found = paths.find(entry, "cio_id")
    key = read_key(bytes(found[0])) if found else None
    return str(key) if is_key(key) else None
