"""One Salesforce session: what its error codes ask for, how much quota is left, what time it is there.

Every call of the connector passes here. Queries, entities and cursors are not known.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from connectors.errors import Deferred
from connectors.runtime.classification import Do, Verdict, structured_codes
from connectors.runtime.messages import Request, Response
from connectors.runtime.pagination import resolve_link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.connector import Clock, Credentials
    from connectors.runtime.transport import Transport

_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")
_QUOTA_RETURNS = timedelta(hours=1)  # the allocation is a rolling day: some of it is back within the hour
_BATCH = 2_000

_CODES = {
    "REQUEST_LIMIT_EXCEEDED": Verdict(
        Do.DEFER,
        "quota_spent",
        "the org's daily API requests are used up; the sync goes on when some are back",
        _QUOTA_RETURNS.total_seconds(),
    ),
    "QUERY_TIMEOUT": Verdict(Do.STOP, "query_timeout", "the query took Salesforce more than two minutes"),
    "INVALID_QUERY_LOCATOR": Verdict(Do.STOP, "locator_expired", "the place in a long query is no longer kept"),
    "EXCEEDED_ID_LIMIT": Verdict(Do.STOP, "too_many_deletes", "more deletes than one answer may hold"),
    "INVALID_REPLICATION_DATE": Verdict(Do.RESYNC, "deletes_gap", "the delete log no longer reaches back that far"),
    "SERVER_UNAVAILABLE": Verdict(Do.RETRY, "vendor_unavailable", "Salesforce is briefly unavailable"),
    "UNABLE_TO_LOCK_ROW": Verdict(Do.RETRY, "vendor_unavailable", "a row is locked at Salesforce"),
    "INVALID_TYPE": Verdict(
        Do.STOP, "stream_gone", "the integration user cannot see this object: grant it, or leave the entity out"
    ),
}


def classify(response: Response) -> Verdict | None:
    """Read Salesforce's error array; codes it shares with nobody are decided here, the rest by status."""
    if response.status < 400:  # noqa: PLR2004 - the error classes of HTTP
        return None
    for code in structured_codes(response):
        if code in _CODES:
            return _CODES[code]
    if response.status == 404:  # noqa: PLR2004
        return _CODES["INVALID_TYPE"]
    if response.status == 406:  # noqa: PLR2004 - seen as transient by other integrations
        return _CODES["SERVER_UNAVAILABLE"]
    return None


class Session:
    """Sends requests below one instance, and stops before the share of the quota left to others is touched."""

    def __init__(
        self, transport: Transport, credentials: Credentials, *, api_version: str, reserve: float, clock: Clock
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._root = f"/services/data/v{api_version}"
        self._reserve = reserve
        self._clock = clock
        self.used = 0
        self.allowed = 0
        self.vendor_time: datetime | None = None

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Response:
        """Get a path below the API root; raise Deferred, without a call, once our share of the quota is spent."""
        return self._send(f"{self._credentials.base_url}{self._root}{path}", params)

    def follow(self, link: str) -> Response:
        """Get a ``nextRecordsUrl``, which is a path at the same host and never another host."""
        return self._send(resolve_link(Request("GET", self._credentials.base_url), link), None)

    def query(self, soql: str, *, batch: int = _BATCH) -> Response:
        """Run a query that also shows what lies in the recycle bin or the archive."""
        return self._send(
            f"{self._credentials.base_url}{self._root}/queryAll",
            {"q": soql},
            {"Sforce-Query-Options": f"batchSize={max(200, min(batch, _BATCH))}"},
        )

    @property
    def spent(self) -> bool:
        """Whether our share of the org's daily requests is used up."""
        return self.allowed > 0 and self.used >= self.allowed * (1.0 - self._reserve)

    def _send(self, url: str, params: Mapping[str, Any] | None, headers: Mapping[str, str] | None = None) -> Response:
        if self.spent:
            raise Deferred(
                "quota_spent",
                f"{self.used} of the org's {self.allowed} daily API requests are used and {self._reserve:.0%} are left "
                "to others; the sync goes on when some are back",
                resume_at=self._clock() + _QUOTA_RETURNS,
            )
        request = Request("GET", url, params=params, headers=headers)
        response = self._transport.send(request, self._credentials.auth, classify)
        self._note(response.headers)
        return response

    def _note(self, headers: Mapping[str, str]) -> None:
        if usage := _USAGE.search(headers.get("sforce-limit-info", "")):
            self.used, self.allowed = int(usage[1]), int(usage[2])
        self.vendor_time = _http_date(headers.get("date", "")) or self.vendor_time


def _http_date(value: str) -> datetime | None:
    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except (TypeError, ValueError):
        return None
