"""Close's request limit: so many a second for a key, in real time, told with every answer."""

from __future__ import annotations

from threading import Lock
from time import monotonic


class Limiter:
    """Counts the requests of the present second."""

    def __init__(self) -> None:
        self._second = 0.0
        self._used = 0
        self._lock = Lock()

    def admit(self, per_second: float) -> int:
        """Count one more request; return how many more the second allows, below zero when this one is too many."""
        with self._lock:
            now = monotonic()
            if now - self._second >= 1:
                self._second, self._used = now, 0
            self._used += 1
            return int(per_second) - self._used
