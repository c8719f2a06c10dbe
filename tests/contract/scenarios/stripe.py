"""Stripe for the conformance suite: the sandbox's, without its rate limit but where that is the point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from connectors import registry
from connectors.conformance import checks
from tests.contract.sandbox_scenario import SandboxScenario
from tests.contract.sandboxed import NOW

_UNLIMITED = 100_000


class VendorScenario(SandboxScenario):
    """One account of the sandbox."""

    connector_id = "stripe"
    size = 900
    wrong: ClassVar = {"api_key": "sk_test_of_nobody"}
    page_size = 40
    tied_entity = "invoices"
    paged_entity = "invoices"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.stack.enter_context(self.vendor.suffering(requests_per_second=_UNLIMITED))

    def moments(self) -> Sequence[float]:
        rate = registry.manifest("stripe").rate_limit
        connector = self.vendor.connect(rate=rate.limit() if rate else None)
        with self.vendor.timed(connector) as moments:
            checks.read(connector, "invoices", started_at=NOW, page_size=20)
        return moments
