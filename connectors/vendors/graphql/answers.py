"""What a GraphQL answer means: errors inside a 200, the price of a query, where a limit ends.

Decided from structure: status, ``errors`` with their codes and paths, ``extensions.cost`` (Shopify), ``rateLimit`` and
headers (GitHub). An answer with errors is never taken for data, however much of it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.runtime.classification import ACCEPT, Do, Verdict
from connectors.runtime.retry import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.runtime.messages import Response

_LIMITED = frozenset(
    {"THROTTLED", "RATE_LIMITED", "RATE_LIMIT", "RATELIMITED", "TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED"}
)
_TOO_COSTLY = frozenset(
    {
        "MAX_COST_EXCEEDED",
        "MAX_NODE_LIMIT_EXCEEDED",
        "QUERY_TOO_COMPLEX",
        "COMPLEXITY_LIMIT_EXCEEDED",
        "COST_LIMIT_EXCEEDED",
    }
)
_REFUSED = frozenset({"UNAUTHENTICATED", "UNAUTHORIZED", "INVALID_TOKEN", "AUTHENTICATION_ERROR"})
_FORBIDDEN = frozenset({"FORBIDDEN", "ACCESS_DENIED", "INSUFFICIENT_SCOPES", "PERMISSION_DENIED"})
_TROUBLE = frozenset({"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", "DOWNSTREAM_SERVICE_ERROR"})
_BY_CODE = (
    (_REFUSED, Verdict(Do.REAUTHORISE, "unauthorised", "the API refuses the credential: connect the account again")),
    (_TOO_COSTLY, Verdict(Do.STOP, "query_too_costly", "one page of the query costs more than the API allows")),
    (_FORBIDDEN, Verdict(Do.STOP, "permission_denied", "the credential may not read what the query asks for")),
)
_SHOWN = 300
_SUCCESS, _REFUSAL = 2, 4
_LIMITS = (
    "",
    "requests-",
    "complexity-",
)  # what X-RateLimit-…Remaining and -…Reset speak of; the latter two are Linear's
_MOMENTS_FROM, _MILLISECONDS_FROM = (
    1e9,
    1e11,
)  # a smaller reset is seconds to wait, a larger one milliseconds since 1970
_LONGEST_SENSIBLE = 7 * 24 * 3600.0  # seconds; beyond a week a reset is a mistake


class _Fault(msgspec.Struct):
    message: Any = ""
    path: Any = None
    type: Any = None
    extensions: Any = None

    @property
    def code(self) -> str:
        found = self.extensions if isinstance(self.extensions, dict) else {}
        code = found.get("code") or found.get("type") or self.type
        return code.upper() if isinstance(code, str) else ""


class _Answer(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: Any = None
    extensions: Any = None


@dataclass(frozen=True, slots=True)
class Price:
    """What a query costs and what is left, in the API's points; ``resets_at`` where it says when all is back."""

    cost: float
    left: float
    maximum: float | None = None
    restored_per_second: float | None = None
    resets_at: datetime | None = None


def classify(response: Response) -> Verdict | None:
    """Return what an answer means where GraphQL differs from the rest; None leaves it to the common table."""
    if _is_spent(response.headers) and response.status // 100 == _REFUSAL:
        return Verdict(Do.DEFER, "quota_spent", "the API's quota is used up", _reset_in(response))
    if response.status // 100 not in (_SUCCESS, _REFUSAL) or b'"errors"' not in response.content:
        return ACCEPT if response.status // 100 == _SUCCESS and response.content else None
    answer = _read(response)
    faults = _faults(answer)
    if not faults:
        return ACCEPT if response.status // 100 == _SUCCESS else None
    codes = {fault.code for fault in faults}
    if codes & _LIMITED:
        return Verdict(Do.RETRY, "rate_limited", "the API's rate limit is reached", _wait(response, answer))
    known = next((verdict for words, verdict in _BY_CODE if codes & words), None)
    if known is not None or response.status // 100 == _SUCCESS or response.status == HTTPStatus.BAD_REQUEST:
        return known or _of_the_query(answer, faults, codes)
    return None


def _of_the_query(answer: _Answer | None, faults: list[_Fault], codes: set[str]) -> Verdict:
    """Tell an answer that failed while it was made from a query that cannot be answered at all."""
    if answer is not None and bytes(answer.data) != b"null":
        return Verdict(Do.RETRY, "partial_data", f"only a part of the answer came, without {_where(faults)}")
    if codes & _TROUBLE or any(fault.path for fault in faults):
        return Verdict(Do.RETRY, "vendor_unavailable", f"the API could not answer at {_where(faults)}")
    said = "".join(c for c in str(faults[0].message)[:_SHOWN] if c.isprintable())  # about the query's own words
    return Verdict(Do.STOP, "bad_query", f"the API refuses the query: {said}")


def price(response: Response) -> Price | None:
    """Return what the query cost, where the API says so."""
    answer = _read(response)
    cost = _member(answer.extensions, "cost") if answer is not None else None
    status = _member(cost, "throttleStatus")
    if isinstance(cost, dict) and isinstance(status, dict):
        return Price(
            _number(cost.get("requestedQueryCost")),
            _number(status.get("currentlyAvailable")),
            _number(status.get("maximumAvailable")) or None,
            _number(status.get("restoreRate")) or None,
        )
    if b'"rateLimit"' not in response.content:
        return None
    try:
        limit = msgspec.json.decode(answer.data, type=_Data).rate_limit if answer is not None else None
    except msgspec.DecodeError:
        return None
    if not isinstance(limit, dict) or "remaining" not in limit:
        return None
    return Price(_number(limit.get("cost")), _number(limit["remaining"]), resets_at=_moment(limit.get("resetAt")))


class _Data(msgspec.Struct, rename="camel"):
    rate_limit: Any = None  # as GitHub tells it


def _read(response: Response) -> _Answer | None:
    try:
        return msgspec.json.decode(response.content, type=_Answer)
    except (msgspec.DecodeError, RecursionError):
        return None


def _faults(answer: _Answer | None) -> list[_Fault]:
    listed = answer.errors if answer is not None else None
    if listed in (None, []):
        return []
    given = listed if isinstance(listed, list) else [listed]
    return [msgspec.convert(each, _Fault) if isinstance(each, dict) else _Fault(str(each)) for each in given]


def _where(faults: list[_Fault]) -> str:
    steps = next((fault.path for fault in faults if isinstance(fault.path, list)), None)
    shown = ".".join("*" if isinstance(step, int) else str(step) for step in steps or ["…"])
    return shown if shown.isascii() and shown.isprintable() else "…"


def _wait(response: Response, answer: _Answer | None) -> float | None:
    """Return the seconds until the query can be paid for: by its price, by Retry-After, by the limit's reset."""
    told = price(response) if answer is not None else None
    if told is not None and told.restored_per_second:
        return max(told.cost - told.left, 0.0) / told.restored_per_second or None
    return retry_after(response.headers) or _reset_in(response)


def _is_spent(headers: Mapping[str, str]) -> bool:
    return headers.get("x-ratelimit-remaining") == "0" and "retry-after" not in headers


def _reset_in(response: Response) -> float | None:
    """Return the seconds until the limit that is used up resets, one at least, by the API's own clock."""
    headers, now = response.headers, response.sent_at
    spent = [name for name in _LIMITS if headers.get(f"x-ratelimit-{name}remaining", "0") == "0"]
    waits = [wait for name in spent if (wait := _until(headers.get(f"x-ratelimit-{name}reset", ""), now)) is not None]
    return max(waits, default=None)


def _until(reset: str, now: datetime | None) -> float | None:
    """Return the seconds a reset means: APIs write a moment, its seconds or milliseconds, or the seconds to wait."""
    moment = _moment(reset)
    try:
        told = moment.timestamp() if moment is not None else float(reset)
    except ValueError:
        return None
    if told > _MILLISECONDS_FROM:
        told /= 1000
    if told > _MOMENTS_FROM:
        if now is None:
            return None
        told -= now.timestamp()
    return max(told, 1.0) if told <= _LONGEST_SENSIBLE else None


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None
