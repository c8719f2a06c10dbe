"""What the scenarios of the sandbox's vendors share; a connector's own file adds its numbers and its quirks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import ClassVar

from connectors.conformance.checks import Truth
from connectors.connector import Connector
from gtm_pipelines import sandbox
from tests.contract.sandboxed import NOW, Sandboxed
from tests.contract.scenario import Scenario
from tests.worlds import put_world


class SandboxScenario(Scenario):
    """One tenant's account at one vendor of a sandbox of its own."""

    started_at = NOW
    connector_id: ClassVar[str]
    size: ClassVar[int]
    days: ClassVar[int] = 0  # that passed before the first read
    wrong: ClassVar[Mapping[str, str]]  # a credential the vendor refuses

    def __init__(self, directory: Path) -> None:
        put_world(directory, "acme", size=self.size, seed=3, vendors=(self.connector_id,), days=self.days)
        self.stack = ExitStack()
        self.vendor = Sandboxed(self.stack.enter_context(sandbox.running(directory)), "acme", self.connector_id)
        self.stack.callback(self.vendor.close)

    def close(self) -> None:
        self.stack.close()

    def connect(self) -> Connector:
        return self.vendor.connect()

    def unknown(self) -> Connector:
        return self.vendor.connect(wrong=self.wrong)

    def truth(self, entity: str) -> Truth:
        return Truth(*self.vendor.truth(entity))

    def change(self) -> None:
        self.vendor.advance(2)

    def breaking_a_page(self) -> AbstractContextManager[None]:
        return self.vendor.suffering(truncate_next=1_000)

    def circling(self) -> AbstractContextManager[None]:
        return self.vendor.suffering(repeat_token=True)

    def requests(self) -> int:
        return len(self.vendor.ledger())

    @property
    def secrets(self) -> Sequence[str]:
        return self.vendor.store.secrets
