"""Stand-ins that several areas hand to a connector, or play one with: time, a credential store, a context, a connector.

What only one area needs stands beside its tests.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.connector import Connector, ConnectorContext, Credentials, FieldMapping, HealthStatus
from connectors.runtime.private_databases import PrivateDatabases
from connectors.runtime.redaction import Secret
from connectors.runtime.transport import EgressPolicy, Transport

_PUBLIC = frozenset({"client_id", "instance_url", "access_token_expires_at", "username"})


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


class MemoryStore:
    """A credential store in memory. ``diary`` tells in which order things happened, ``written`` what was stored."""

    def __init__(self, **fields: str) -> None:
        self.fields = {name: Secret(value) for name, value in fields.items()}
        self.diary: list[str] = []
        self.written: list[dict[str, str]] = []
        self._lock = threading.RLock()

    def read(self) -> Mapping[str, Secret]:
        self.diary.append("read")
        return dict(self.fields)

    def write(self, changed: Mapping[str, Secret]) -> None:
        self.diary.append("write")
        self.fields.update(changed)
        self.written.append({name: value.reveal() for name, value in changed.items()})

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

    @property
    def secrets(self) -> list[str]:
        """Every value that must never be seen, tokens of this session included."""
        return [value for name, value in self.shown().items() if value and name not in _PUBLIC]


def offline_context(
    now: datetime, settings: Mapping[str, Any] | None = None, databases: Sequence[str] = (), **credentials: str
) -> ConnectorContext:
    """Return what a connector is given that must send nothing: its transport is allowed no host."""
    transport = Transport(EgressPolicy(frozenset(), databases=PrivateDatabases(tuple(databases))))
    return ConnectorContext(settings or {}, transport, MemoryStore(**credentials), lambda: now)


class QuietConnector(Connector):
    """What every played connector says alike; a test's own adds entities and a sync."""

    def __init__(self, now: datetime) -> None:
        super().__init__(offline_context(now))

    def authenticate(self) -> Credentials:
        return Credentials(base_url="https://vendor.example", auth=None)

    def get_schema(self, credentials: Credentials | None = None) -> list[FieldMapping]:
        del credentials
        return []

    def health_check(self, credentials: Credentials) -> HealthStatus:
        del credentials
        return HealthStatus(ok=True, detail="it answers", checked_at=self.context.clock())
