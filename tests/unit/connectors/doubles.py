"""Stand-ins for what a connector is handed: a clock that moves only by sleeping, a credential store with a diary."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from connectors.runtime.redaction import Secret


class VirtualTime:
    """Monotonic seconds and a wall clock that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []
        self.started = datetime(2026, 3, 1, tzinfo=UTC)
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self.seconds

    def clock(self) -> datetime:
        return self.started + timedelta(seconds=self.seconds - 1000.0)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.seconds += seconds


class Store:
    """A credential store in memory. ``diary`` tells in which order things happened."""

    def __init__(self, **fields: str) -> None:
        self.fields = {name: Secret(value) for name, value in fields.items()}
        self.diary: list[str] = []
        self._lock = threading.RLock()

    def read(self) -> Mapping[str, Secret]:
        self.diary.append("read")
        return dict(self.fields)

    def write(self, changed: Mapping[str, Secret]) -> None:
        self.diary.append("write")
        self.fields.update(changed)

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._lock:
            self.diary.append("lock")
            try:
                yield
            finally:
                self.diary.append("unlock")

    def shown(self) -> dict[str, str]:
        return {name: value.reveal() for name, value in self.fields.items()}
