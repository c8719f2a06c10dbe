"""One Salesforce session: what its error codes ask for, how much quota is left, what time it is there.

Every call of the connector passes here. Queries, entities and cursors are not known.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from connectors.runtime.classification import Do, Verdict, structured_codes
from connectors.runtime.messages import Request, Response
from connectors.runtime.pagination import resolve_link
from connectors.runtime.quota import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.connector import Credentials
    from connectors.runtime.quota import QuotaLedger
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
    "INVALID_SESSION_ID": Verdict(  # the one after a renewal: what the renewal gave was refused too, and it was given
        Do.RETRY,
        "session_refused",
        "Salesforce refuses a session it has just given out; if that goes on, look at the integration user's IP ranges",
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
    """Read Salesforce's error array; codes it shares with nobody are decided here, the rest by status.

    An array is an error under a good status too: what is asked for here is always an object.
    """
    if response.status < HTTPStatus.BAD_REQUEST and not response.content.startswith(b"["):
        return None
    for code in structured_codes(response):
        if code in _CODES:
            return _CODES[code]
    if response.status == HTTPStatus.NOT_FOUND:
        return _CODES["INVALID_TYPE"]
    if response.status == HTTPStatus.NOT_ACCEPTABLE:  # seen as transient by other integrations
        return _CODES["SERVER_UNAVAILABLE"]
    return None


class Session:
    """Sends requests below one instance, each booked in the connection's ledger first."""

    def __init__(
        self, transport: Transport, credentials: Credentials, *, api_version: str, ledger: QuotaLedger
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._root = f"/services/data/v{api_version}"
        self._ledger = ledger
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

    def _send(self, url: str, params: Mapping[str, Any] | None, headers: Mapping[str, str] | None = None) -> Response:
        self._ledger.spend()
        request = Request("GET", url, params=params, headers=headers)
        response = self._transport.send(request, self._credentials.auth, classify)
        self._ledger.note(response)
        self.vendor_time = _http_date(response.headers.get("date", "")) or self.vendor_time
        return response


def usage(response: Response) -> Told | None:
    """Read from any answer how many of the org's daily requests are left; they are of a rolling day."""
    found = _USAGE.search(response.headers.get("sforce-limit-info", ""))
    return None if found is None else Told(int(found[2]), int(found[2]) - int(found[1]), _QUOTA_RETURNS)


def _http_date(value: str) -> datetime | None:
    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except (TypeError, ValueError):
        return None
