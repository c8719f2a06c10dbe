"""A vendor's request limit: so many a second for a whole account, in real time."""

from __future__ import annotations

from threading import Lock
from time import monotonic


class PerSecond:
    """Counts requests of the present second. Each vendor has a class of its own: a tenant's state is kept by class."""

    def __init__(self) -> None:
        self._second = 0.0
        self._used = 0
        self._lock = Lock()

    def admit(self, per_second: float) -> bool:
        """Say whether one more request is within the limit, and count it if so."""
        with self._lock:
            now = monotonic()
            if now - self._second >= 1:
                self._second, self._used = now, 0
            if self._used >= per_second:
                return False
            self._used += 1
            return True
