"""Fathom's request limits: so many in a minute for the user, in real time, and fewer of those that ask for content."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from time import monotonic

_MINUTE = 60


@dataclass(slots=True)
class Limiter:
    """Counts the requests of the present minute."""

    _began: float = float("-inf")
    _used: dict[bool, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def admit(self, limits: dict[bool, int], *, is_heavy: bool) -> dict[str, str] | None:
        """Count a request and return the headers that tell of the limit; None with the limit reached."""
        with self._lock:
            now = monotonic()
            if now - self._began >= _MINUTE:
                self._began, self._used = now, {}
            for kind in {False, is_heavy}:
                if self._used.get(kind, 0) >= limits[kind]:
                    return None
            for kind in {False, is_heavy}:
                self._used[kind] = self._used.get(kind, 0) + 1
            return self._headers(limits[is_heavy], limits[is_heavy] - self._used[is_heavy], now)

    def refusal(self, limit: int) -> dict[str, str]:
        """Return the headers of an answer that refuses."""
        return self._headers(limit, 0, monotonic())

    def _headers(self, limit: int, left: int, now: float) -> dict[str, str]:
        resets = max(1, ceil(self._began + _MINUTE - now))
        return {"RateLimit-Limit": str(limit), "RateLimit-Remaining": str(left), "RateLimit-Reset": str(resets)}
