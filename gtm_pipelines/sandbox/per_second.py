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

    def admit(self, per_second: float) -> int:
        """Count one more request; return how many more the second allows, below zero when this one is too many."""
        with self._lock:
            now = monotonic()
            if now - self._second >= 1:
                self._second, self._used = now, 0
            self._used += 1
            return int(per_second) - self._used
