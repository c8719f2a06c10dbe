"""How often and how long to wait: attempt budgets per kind of failure, full jitter, and the vendor's own Retry-After.

Pure: no clock, no sleep. The transport does the waiting.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.errors import ConnectorError, Retry
from connectors.runtime.messages import http_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)
_LONGEST_SENSIBLE = 7 * 24 * 3600.0  # beyond a week a Retry-After is a mistake, not a plan

_ATTEMPTS = {
    "rate_limited": 8,
    "vendor_unavailable": 5,
    "connection_failed": 5,
    "read_timeout": 3,
    "request_timeout": 2,  # a trickle costs the whole time limit, so it gets one more chance only
    "malformed_page": 4,
    "unexpected_content_type": 2,
    "session_refused": 2,  # each costs a login
}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Budgets of one request. Delays are in seconds; ``longest_wait`` is what one run may spend on one Retry-After."""

    base: float = 1.0
    cap: float = 60.0
    longest_wait: float = 300.0
    longest_total: float = 600.0
    attempts: Mapping[str, int] = field(default_factory=lambda: dict(_ATTEMPTS))
    default_attempts: int = 5
    uniform: Callable[[float, float], float] = random.uniform

    def allowed(self, code: str) -> int:
        """Return how many attempts in all a request may make while failing with ``code``."""
        return self.attempts.get(code, self.default_attempts)

    def backoff(self, failures: int) -> float:
        """Return a fully jittered exponential delay after the n-th failure (1 is the first)."""
        return self.uniform(0.0, min(self.cap, self.base * 2 ** min(failures - 1, 30)))

    def politeness(self) -> float:
        """Return the small extra wait after a Retry-After, so that many workers do not return in one instant."""
        return self.uniform(0.0, 0.25)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds the vendor asks us to wait; None when it says nothing usable.

    A date is read against the response's own ``Date`` header, so that neither clock being wrong matters; a date in
    the past, a negative or an absurd number counts as nothing, and the caller backs off as usual.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if _SECONDS.fullmatch(value):
        seconds = float(value)
    else:
        until, now = http_date(value), http_date(headers.get("date", ""))
        if until is None or now is None:
            return None
        seconds = (until - now).total_seconds()
    return seconds if 0 < seconds <= _LONGEST_SENSIBLE else None


class Transient(Exception):  # noqa: N818  the state of one attempt; no caller outside the runtime sees it
    """One attempt failed in a way that may pass. The transport repeats it or turns it into the caller's typed error.

    ``unsent`` says that the vendor surely did nothing with the request, so even an unsafe one may go again.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        wait: float | None = None,
        unsent: bool = False,
        final: type[ConnectorError] = Retry,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status
        self.wait = wait
        self.unsent = unsent
        self.final = final

    def error(self) -> ConnectorError:
        """Return what the caller sees once the budget is spent."""
        return self.final(self.code, self.message, status=self.status)
