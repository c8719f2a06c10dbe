"""Delivr.ai for the conformance suite: the sandbox's, over its public API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from connectors import registry
from connectors.conformance import checks
from tests.contract.sandbox_scenario import SandboxScenario
from tests.contract.sandboxed import NOW


class VendorScenario(SandboxScenario):
    """One project of the sandbox."""

    connector_id = "delivr"
    size = 200
    wrong: ClassVar = {"api_secret": "a-secret-of-another-key"}
    page_size = 21  # odd, so that pages part what happened at one moment
    paged_entity = "audience_members"
    tied_entity = "pixel_events"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.vendor.settings["history_days"] = 13  # the world's visits are of the last twelve days

    def moments(self) -> Sequence[float]:
        rate = registry.manifest("delivr").rate_limit
        connector = self.vendor.connect(rate=rate.limit() if rate else None)
        with self.vendor.timed(connector) as moments:
            checks.read(connector, "audience_members", started_at=NOW, page_size=5)
        return moments
