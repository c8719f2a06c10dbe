"""What goes out and what comes back: plain values between a connector and the transport.

A :class:`Request` holds no credential (auth adds it on the way out) and names itself for error messages, because a URL
may hold a person's address. A :class:`Response` has been read whole, within the limits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PLAIN_SEGMENT = re.compile(r"[A-Za-z][A-Za-z_.-]{0,40}|v?\d{1,3}(\.\d+)*")

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``safe`` says that repeating it changes nothing; by default the method decides.

    ``expect`` is ``json`` (a body that is not JSON is a malformed page and read again) or ``any``.
    """

    method: str
    url: str
    params: Params | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    safe: bool | None = None
    expect: str = "json"

    @property
    def repeatable(self) -> bool:
        """Whether the request may be sent again after an unknown outcome."""
        return self.method.upper() in _SAFE_METHODS if self.safe is None else self.safe

    @property
    def label(self) -> str:
        """Method, host and path for messages; segments that may hold an id or an address are left out."""
        parts = urlsplit(self.url)
        path = "/".join(
            segment if not segment or _PLAIN_SEGMENT.fullmatch(segment) else "…" for segment in parts.path.split("/")
        )
        return f"{self.method.upper()} {parts.hostname or '?'}{path}"


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, decoded and complete. Header names are lower case; ``elapsed`` is in seconds."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    url: str = field(repr=False)
    elapsed: float = 0.0

    def json(self) -> Any:
        """Return the body as Python objects; for envelopes and errors, never for the rows of a page."""
        return msgspec.json.decode(self.content)

    @property
    def sent_at(self) -> datetime | None:
        """When the vendor answered, by its own clock (the ``Date`` header); None when it does not say."""
        return http_date(self.headers.get("date", ""))

    @property
    def media_type(self) -> str:
        """The content type without parameters, lower case."""
        return self.headers.get("content-type", "").split(";", 1)[0].strip().lower()


def http_date(value: str) -> datetime | None:
    """Return a date of an HTTP header in UTC; None when it is none."""
    try:
        parsed = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
