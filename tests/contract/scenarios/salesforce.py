"""Salesforce for the conformance suite: the sandbox's, with days of mass updates, deletes and merges behind it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from connectors.connector import Connector
from gtm_pipelines import sandbox
from tests.contract.checks import Truth
from tests.contract.sandboxed import NOW, Sandboxed
from tests.contract.scenario import Scenario

_DAYS = 10  # each ends in a mass update: ties, one after the other, for several pages


class VendorScenario(Scenario):
    """One org of the sandbox."""

    started_at = NOW
    page_size = 200
    tied_entity = "Contact"
    paged_entity = "Contact"

    def __init__(self, directory: Path) -> None:
        sandbox.create_world(directory, "acme", size=1_500, seed=3)
        self._stack = ExitStack()
        self._vendor = Sandboxed(self._stack.enter_context(sandbox.running(directory)), "acme", "salesforce")
        self._stack.callback(self._vendor.close)
        self._vendor.advance(_DAYS)

    def close(self) -> None:
        self._stack.close()

    def connect(self) -> Connector:
        return self._vendor.connect()

    def unknown(self) -> Connector:
        return self._vendor.connect(wrong={"refresh_token": "a-token-of-nobody"})

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

    @property
    def secrets(self) -> Sequence[str]:
        return self._vendor.store.secrets
