"""HubSpot for the conformance suite: the sandbox's, without its limits but where they are the point."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from connectors import registry
from connectors.conformance import checks
from tests.contract.sandbox_scenario import SandboxScenario
from tests.contract.sandboxed import NOW

_UNLIMITED = 1_000_000


class VendorScenario(SandboxScenario):
    """One portal of the sandbox, connected by OAuth. A search shows so few results that it is asked again and again."""

    connector_id = "hubspot"
    size = 400
    wrong: ClassVar = {"refresh_token": "a-token-of-nobody"}
    page_size = 40
    tied_entity = "contacts"
    paged_entity = "contacts"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        unlimited = {"requests_per_ten_seconds": _UNLIMITED, "searches_per_second": _UNLIMITED}
        self.stack.enter_context(self.vendor.suffering(search_cap=100, association_page=3, **unlimited))

    def change(self) -> None:
        """Let days pass here too: associations are swept once a day."""
        super().change()
        self.started_at += timedelta(days=2)

    def moments(self) -> Sequence[float]:
        rate = registry.manifest("hubspot").rate_limit
        connector = self.vendor.connect(rate=rate.limit() if rate else None)
        with self.vendor.timed(connector) as moments:
            checks.read(connector, "contacts", started_at=NOW, page_size=20)
        return moments
