"""A vendor of the sandbox as a test uses it: connectors over real HTTP, its faults, its truth, its moving world."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors import registry
from connectors.connector import Connector, ConnectorContext
from connectors.runtime.messages import Response
from connectors.runtime.transport import EgressPolicy, RateLimit, RetryPolicy, Transport
from gtm_pipelines import sandbox
from tests.stand_ins import MemoryStore

NOW = datetime(2027, 1, 1, tzinfo=UTC)
"""When every test sync starts: long after the world's present, so that settling hides nothing."""


class Waiting:
    """Time for a transport whose waits cost nothing: sleeping moves the clock."""

    def __init__(self) -> None:
        self.slept = 0.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.sleeps.append(seconds)

    def monotonic(self) -> float:
        return time.monotonic() + self.slept


Send = Callable[[httpx.Request], Response]


def between(connector: Connector, answer: Callable[[httpx.Request, Send], Response]) -> None:
    """Have every request of a connector answered by ``answer``, which may send it on to the vendor."""
    exchange = connector.context.transport._exchange
    send = exchange.send
    exchange.send = lambda request: answer(request, send)  # type: ignore[method-assign]  # the last step before the network


@dataclass
class Sandboxed:
    """One tenant's account at one vendor of a running sandbox."""

    base_url: str
    tenant: str
    connector_id: str
    settings: dict[str, Any] = field(default_factory=dict)
    store: MemoryStore = field(init=False)
    waiting: Waiting = field(default_factory=Waiting)
    _transports: list[Transport] = field(default_factory=list, repr=False)
    _faults: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = MemoryStore(**self.credentials)

    @property
    def _account(self) -> sandbox.Account:
        return sandbox.accounts(self.base_url, self.tenant)[self.connector_id]

    @property
    def credentials(self) -> dict[str, str]:
        """The fields the sandbox knows this tenant by."""
        return self._account.credentials

    def connect(
        self, *, rate: RateLimit | None = None, wrong: Mapping[str, str] | None = None, **settings: Any
    ) -> Connector:
        """Build a connector; ``wrong`` replaces credentials, further keywords are settings."""
        store = self.store if wrong is None else MemoryStore(**{**self.credentials, **wrong})
        policy = EgressPolicy(frozenset(registry.manifest(self.connector_id).allowed_hosts), self.base_url)
        quick = RetryPolicy(base=0.0, uniform=lambda low, _: low)
        transport = Transport(
            policy,
            rate=rate,
            retry=quick,
            clock=lambda: NOW,
            sleep=self.waiting.sleep,
            monotonic=self.waiting.monotonic,
        )
        self._transports.append(transport)
        chosen = {**self._account.settings, **self.settings, **settings}
        context = ConnectorContext(chosen, transport, store, lambda: NOW)
        return registry.build(self.connector_id, context)

    def close(self) -> None:
        """Close every connection the connectors opened."""
        for transport in self._transports:
            transport.close()

    @contextmanager
    def suffering(self, **faults: Any) -> Iterator[None]:
        """Switch faults on for a while, beside those already on; only this vendor's of this tenant."""
        before = self._faults
        self._suffer({**before, **faults})
        try:
            yield
        finally:
            self._suffer(before)

    def _suffer(self, faults: dict[str, Any]) -> None:
        self._faults = faults
        self._call("PUT", "_faults", json={self.connector_id: faults})

    @contextmanager
    def timed(self, connector: Connector) -> Iterator[list[float]]:
        """Note when each request of a connector goes out, in the seconds its transport believes in."""
        moments: list[float] = []

        def noted(request: httpx.Request, send: Send) -> Response:
            moments.append(self.waiting.monotonic())
            return send(request)

        between(connector, noted)
        yield moments

    def ledger(self) -> list[dict[str, Any]]:
        """Every request this vendor answered since the ledger was cleared."""
        return [entry for entry in self._call("GET", "_ledger") if entry["vendor"] == self.connector_id]

    def clear_ledger(self) -> None:
        """Forget the requests so far."""
        self._call("DELETE", "_ledger")

    def advance(self, steps: int = 1) -> dict[str, int]:
        """Let days pass at the vendor; say what was touched."""
        counts: dict[str, int] = self._call("POST", f"_advance?steps={steps}")["counts"]
        return counts

    def truth(self, entity: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids that live and those that are deleted at the vendor now."""
        records = [
            record
            for record in self._call("GET", "_truth/records")
            if (record["connector"], record["entity"]) == (self.connector_id, entity)
        ]
        gone = frozenset(record["external_id"] for record in records if record["is_deleted"])
        return frozenset(record["external_id"] for record in records) - gone, gone

    def now(self) -> datetime:
        """The world's present."""
        return datetime.fromisoformat(self._call("GET", "_now")["now"])

    def _call(self, method: str, path: str, **options: Any) -> Any:
        response = httpx.request(
            method, f"{self.base_url}/{self.tenant}/{path}", trust_env=False, timeout=60, **options
        )
        answer = response.json()
        if response.status_code != httpx.codes.OK:
            raise RuntimeError(f"the sandbox answers {answer}")
        return answer
