"""What was asked of the sandbox, in order, for tests and for authors who wonder what their connector does."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from itertools import count
from threading import Lock
from typing import Any

_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. ``note`` says which fault struck or which grant was used; no credential is ever kept."""

    number: int
    vendor: str
    method: str
    path: str
    query: dict[str, str]
    status: int
    bytes: int
    milliseconds: float
    note: str


class Ledger:
    """The last 20,000 requests of one tenant."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_LONGEST)
        self._numbers = count(1)
        self._lock = Lock()

    def add(self, **told: Any) -> None:
        """Write down one request."""
        with self._lock:
            self._entries.append(Entry(number=next(self._numbers), **told))

    def entries(self, vendor: str | None = None) -> list[dict[str, Any]]:
        """Return the requests, oldest first, of one vendor or of all."""
        with self._lock:
            return [asdict(entry) for entry in self._entries if vendor in {None, entry.vendor}]

    def clear(self) -> None:
        """Forget them; numbers go on."""
        with self._lock:
            self._entries.clear()
