"""What went wrong with a vendor, sorted by what the caller must do next.

The type is decided once, in the transport, from the status and the vendor's structured code, never from the words of a
message. ``code`` is a stable machine word (``rate_limited``, ``malformed_page``…) that reports, tests and docs share.
A message never holds a credential, a query string or a record's content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class ConnectorError(Exception):
    """Base of all vendor errors: a stable ``code`` and, where there was an answer, its HTTP ``status``."""

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Retry(ConnectorError):
    """Transient and already retried as far as one run may; the next scheduled run tries again with the cursor kept."""


class Deferred(Retry):
    """The vendor said when to come back (quota spent, a long Retry-After): stop politely, keep the cursor."""

    def __init__(
        self, code: str, message: str, *, resume_at: datetime | None = None, status: int | None = None
    ) -> None:
        super().__init__(code, message, status=status)
        self.resume_at = resume_at


class Reauthorise(ConnectorError):
    """The credential is refused for good (``invalid_grant``, revoked key): pause the connection until a person acts."""


class SkipRecord(ConnectorError):
    """One record cannot be read; the rest of its page can. It goes to quarantine, never to nowhere."""


class Resync(ConnectorError):
    """The cursor is lost at the vendor (410, expired token, retention gap): this entity alone is read in full."""


class Stop(ConnectorError):
    """Retrying cannot help: a wrong setting, a missing permission, an endpoint that is gone, a broken page."""
