"""Microsoft 365 for the conformance suite: the sandbox's, with a room that has no mailbox, and a guest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from connectors import registry
from connectors.conformance import checks
from tests.contract.sandbox_scenario import SandboxScenario
from tests.contract.sandboxed import NOW


class VendorScenario(SandboxScenario):
    """One organization of the sandbox."""

    connector_id = "microsoft365"
    size = 300
    wrong: ClassVar = {"client_secret": "a-secret-of-nobody"}
    page_size = 20
    paged_entity = "messages"

    def moments(self) -> Sequence[float]:
        rate = registry.manifest("microsoft365").rate_limit
        connector = self.vendor.connect(rate=rate.limit() if rate else None)
        with self.vendor.timed(connector) as moments:
            checks.read(connector, "messages", started_at=NOW, page_size=5)
        return moments
