"""Customer.io for the conformance suite: the sandbox's, without its rate limit but where that is the point."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from connectors import registry
from connectors.connector import Connector
from gtm_pipelines import sandbox
from tests.contract import checks
from tests.contract.checks import Truth
from tests.contract.sandboxed import NOW, Sandboxed
from tests.contract.scenario import Scenario

_UNLIMITED = 100_000


class VendorScenario(Scenario):
    """One workspace of the sandbox."""

    started_at = NOW
    page_size = 40
    paged_entity = "activities"

    def __init__(self, directory: Path) -> None:
        sandbox.create_world(directory, "acme", size=400, seed=3)
        self._stack = ExitStack()
        self._vendor = Sandboxed(self._stack.enter_context(sandbox.running(directory)), "acme", "customerio")
        self._stack.callback(self._vendor.close)
        self._stack.enter_context(self._vendor.suffering(requests_per_second=_UNLIMITED))

    def close(self) -> None:
        self._stack.close()

    def connect(self) -> Connector:
        return self._vendor.connect()

    def unknown(self) -> Connector:
        return self._vendor.connect(wrong={"app_api_key": "a-key-of-nobody"})

    def truth(self, entity: str) -> Truth:
        return Truth(*self._vendor.truth(entity))

    def change(self) -> None:
        self._vendor.advance(2)

    def breaking_a_page(self) -> AbstractContextManager[None]:
        return self._vendor.suffering(truncate_next=1_000)

    def circling(self) -> AbstractContextManager[None]:
        return self._vendor.suffering(repeat_token=True)

    def requests(self) -> int:
        return len(self._vendor.ledger())

    def moments(self) -> Sequence[float]:
        rate = registry.manifest("customerio").rate_limit
        connector = self._vendor.connect(rate=rate.limit() if rate else None)
        with self._vendor.timed(connector) as moments:
            checks.read(connector, "activities", started_at=NOW, page_size=25)
        return moments

    @property
    def secrets(self) -> Sequence[str]:
        return self._vendor.store.secrets
