"""A circuit breaker per connection: a vendor that is down is not asked by every entity in turn.

It opens after whole requests have failed with all their retries, not after single attempts, and any success closes it.
After a cool-down exactly one request goes through as a probe.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from connectors.errors import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

_THRESHOLD = 2  # one broken endpoint must not silence the healthy ones
_COOL_DOWN, _LONGEST_COOL_DOWN = 30.0, 300.0  # seconds; it doubles with each failed probe


class CircuitBreaker:
    """Closed, open, or half open with one probe on its way."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._cool_down = _COOL_DOWN
        self._open_until: float | None = None
        self._probing = False

    def enter(self) -> bool:
        """Return whether this request is the probe; raise Retry while the circuit is open."""
        with self._lock:
            if self._open_until is None:
                return False
            if self._probing or self._monotonic() < self._open_until:
                raise Retry("vendor_unavailable", "the vendor failed repeatedly; it is left alone for a while")
            self._probing = True
            return True

    def succeeded(self) -> None:
        """Close the circuit."""
        with self._lock:
            self._failures, self._open_until, self._probing, self._cool_down = 0, None, False, _COOL_DOWN

    def failed(self) -> None:
        """Count a request that failed for good; open after the second in a row, longer after each failed probe."""
        with self._lock:
            self._failures += 1
            if self._probing:
                self._cool_down = min(_LONGEST_COOL_DOWN, self._cool_down * 2)
            if self._probing or self._failures >= _THRESHOLD:
                self._open_until = self._monotonic() + self._cool_down
            self._probing = False

    def abandoned(self) -> None:
        """Forget a probe that ended without saying anything about the vendor's health."""
        with self._lock:
            self._probing = False
