"""A token bucket per connection: how fast one tenant's account at one vendor is read.

The bucket also holds the vendor's own pauses (Retry-After), so that every thread of a connection waits, and no other
connection does. Time and sleep are handed in; nothing here reads a clock of its own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``requests`` in ``per`` seconds, with up to ``burst`` at once (a second's worth by default)."""

    requests: float
    per: float = 1.0
    burst: int | None = None

    def __post_init__(self) -> None:
        if self.requests <= 0 or self.per <= 0 or (self.burst is not None and self.burst < 1):
            raise ValueError("a rate limit needs positive numbers")

    @property
    def per_second(self) -> float:
        """Tokens that come back each second."""
        return self.requests / self.per

    @property
    def capacity(self) -> float:
        """Tokens a rested bucket holds."""
        return float(self.burst) if self.burst is not None else max(1.0, self.per_second)


class TokenBucket:
    """Hands out permission to send, in order, never faster than its limit. No limit means only pauses are kept."""

    def __init__(
        self, limit: RateLimit | None, *, monotonic: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = limit.capacity if limit else 0.0
        self._filled_at = monotonic()
        self._paused_until = float("-inf")

    def acquire(self) -> float:
        """Wait for one token and take it; return the seconds waited.

        The token is booked before the wait, so threads queue up behind one another instead of racing for it. A pause
        that arrives during the wait is waited for too.
        """
        waited = 0.0
        delay = self._book()
        while delay > 0:
            self._sleep(delay)
            waited += delay
            delay = self._pause_left()
        return waited

    def pause(self, seconds: float) -> None:
        """Let nothing out for ``seconds`` from now; a longer pause already set stays."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._monotonic() + seconds)

    def _pause_left(self) -> float:
        with self._lock:
            return max(0.0, self._paused_until - self._monotonic())

    def _book(self) -> float:
        with self._lock:
            now = self._monotonic()
            delay = max(0.0, self._paused_until - now)
            if self._limit is None:
                return delay
            rate = self._limit.per_second
            self._tokens = min(self._limit.capacity, self._tokens + max(0.0, now - self._filled_at) * rate)
            self._filled_at = now
            self._tokens -= 1.0
            return max(delay, -self._tokens / rate)
