"""What an answer means, decided once: from the status and the vendor's structured code, never from message words.

The table below holds what all vendors share. A vendor adds what only it does through a hook
(``classify(response) -> Verdict | None``); None leaves the decision to the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from connectors.errors import ConnectorError, Deferred, Reauthorise, Resync, Retry, SkipRecord, Stop
from connectors.runtime.messages import Response


class Do(StrEnum):
    """What to do with an answer."""

    ACCEPT = "accept"
    RETRY = "retry"  # transient: wait and ask again within this run
    DEFER = "defer"  # quota spent: stop politely and come back later
    REFRESH = "refresh"  # the session ended: renew the access token and ask once more
    REAUTHORISE = "reauthorise"
    RESYNC = "resync"
    SKIP = "skip"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision with its stable code, the sentence for a person, and how long to wait where the vendor said so."""

    do: Do
    code: str = "ok"
    message: str = ""
    wait: float | None = None  # seconds


Classify = Callable[[Response], Verdict | None]

ACCEPT = Verdict(Do.ACCEPT)
_ERRORS: dict[Do, type[ConnectorError]] = {
    Do.RETRY: Retry,
    Do.DEFER: Deferred,
    Do.REFRESH: Reauthorise,
    Do.REAUTHORISE: Reauthorise,
    Do.RESYNC: Resync,
    Do.SKIP: SkipRecord,
    Do.STOP: Stop,
}

_BY_STATUS: dict[int, Verdict] = {
    206: Verdict(Do.STOP, "unexpected_status", "the vendor sent part of an answer where a whole one was asked for"),
    304: Verdict(Do.STOP, "unexpected_status", "the vendor says 'not modified' to a request that set no condition"),
    400: Verdict(Do.STOP, "bad_request", "the vendor refuses the request: check the connection's settings"),
    401: Verdict(Do.REFRESH, "unauthorised", "the vendor refuses the credential: connect the account again"),
    402: Verdict(Do.STOP, "payment_required", "the account's plan at the vendor does not include this"),
    403: Verdict(Do.STOP, "permission_denied", "the credential may not read this: grant the permission at the vendor"),
    404: Verdict(Do.STOP, "stream_gone", "the vendor does not know this address: check account, region and version"),
    405: Verdict(Do.STOP, "bad_request", "the vendor does not allow this method here"),
    408: Verdict(Do.RETRY, "vendor_unavailable", "the vendor timed out"),
    410: Verdict(Do.RESYNC, "cursor_expired", "the vendor no longer keeps the place this read stopped at"),
    413: Verdict(Do.STOP, "request_too_large", "the request is too large for the vendor"),
    414: Verdict(Do.STOP, "request_too_large", "the address is too long for the vendor"),
    425: Verdict(Do.RETRY, "vendor_unavailable", "the vendor asks to come again"),
    429: Verdict(Do.RETRY, "rate_limited", "the vendor's rate limit is reached"),
    431: Verdict(Do.STOP, "request_too_large", "the headers are too large for the vendor"),
    501: Verdict(Do.STOP, "bad_request", "the vendor does not offer this"),
    505: Verdict(Do.STOP, "bad_request", "the vendor does not speak this HTTP version"),
}
_RATE_LIMIT_CODES = frozenset(
    {"rate_limited", "ratelimited", "rate_limit_exceeded", "throttled", "too_many_requests", "toomanyrequests"}
)
_SMALL = 4096  # bytes: an answer up to here is searched whole for signs of an error, a larger one at its beginning
_LARGEST_ERROR = 262_144  # bytes: a larger body is a page and not an error
_LONGEST_CODE = 80  # characters
_SUCCESS, _REDIRECTION, _SERVER_ERROR = 2, 3, 5  # the hundreds of a status
_REDIRECT = Verdict(Do.STOP, "redirect_refused", "the vendor answers with a redirect, which is never followed")
_UNAVAILABLE = Verdict(Do.RETRY, "vendor_unavailable", "the vendor has trouble answering")
_RATE_LIMITED = Verdict(Do.RETRY, "rate_limited", "the vendor's rate limit is reached")
_REFUSED = Verdict(Do.STOP, "bad_request", "the vendor refuses the request")


def decide(response: Response, hook: Classify | None = None) -> Verdict:
    """Return the verdict on ``response``: the vendor's hook first, then the table."""
    verdict = hook(response) if hook is not None else None
    return verdict if verdict is not None else by_default(response)


def by_default(response: Response) -> Verdict:
    """Return what ``response`` means at any vendor."""
    status = response.status
    if status in _BY_STATUS:
        verdict = _BY_STATUS[status]
        if status in (400, 403) and ("retry-after" in response.headers or _says_rate_limited(response)):
            return _RATE_LIMITED
        return verdict
    kind = status // 100
    if kind == _SUCCESS:
        return _RATE_LIMITED if _is_error_envelope(response) and _says_rate_limited(response) else ACCEPT
    if kind == _REDIRECTION:
        return _REDIRECT
    return _UNAVAILABLE if kind >= _SERVER_ERROR else _REFUSED


def error_for(verdict: Verdict, response: Response, label: str) -> ConnectorError:
    """Build the typed error of ``verdict``; it names the request and the vendor's code and nothing of the body."""
    said = next(iter(structured_codes(response)), "")
    detail = f"{verdict.message} ({label}: HTTP {response.status}{', ' + said if said else ''})"
    return _ERRORS[verdict.do](verdict.code, detail, status=response.status)


def structured_codes(response: Response) -> tuple[str, ...]:
    """Return the machine codes in an error body, in the shapes vendors use; empty when there are none.

    Known shapes: ``[{errorCode}]`` (Salesforce), ``{error: "invalid_grant"}`` (OAuth), ``{error: {code}}`` (Graph),
    ``{errors: [{code|reason|type|extensions.code}]}`` (GraphQL and others), ``{code}``.
    """
    if "json" not in response.media_type or len(response.content) > _LARGEST_ERROR:
        return ()
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, RecursionError):
        return ()
    return tuple(code for code in _codes(body) if code.isascii() and code.isprintable() and len(code) <= _LONGEST_CODE)


def _codes(body: Any) -> Iterator[str]:
    faults = body if isinstance(body, list) else [body]
    for fault in faults[:20]:
        if not isinstance(fault, dict):
            continue
        for key in ("errorCode", "code", "reason", "type", "error"):
            value = fault.get(key)
            if isinstance(value, str) and " " not in value:
                yield value
        for key in ("extensions", "error", "errors"):
            if isinstance(fault.get(key), dict | list):
                yield from _codes(fault[key])


def _says_rate_limited(response: Response) -> bool:
    return any(code.lower() in _RATE_LIMIT_CODES for code in structured_codes(response))


def _is_error_envelope(response: Response) -> bool:
    """Return whether a success might be an error in disguise; cheap, because every page passes here."""
    small = len(response.content) < _SMALL
    return b'"error' in (response.content if small else response.content[:512])
