"""Fathom for the conformance suite: the sandbox's, without its rate limit."""

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
    """One user's account of the sandbox."""

    connector_id = "fathom"
    size = 2_000
    wrong: ClassVar = {"api_key": "a-key-of-nobody"}
    paged_entity = "meetings"
    tied_entity = "meetings"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        unlimited = {"requests_per_minute": _UNLIMITED, "heavy_per_minute": _UNLIMITED}
        self.stack.enter_context(self.vendor.suffering(**unlimited))

    def moments(self) -> Sequence[float]:
        rate = registry.manifest("fathom").rate_limit
        connector = self.vendor.connect(rate=rate.limit() if rate else None)
        with self.vendor.timed(connector) as moments:
            checks.read(connector, "transcripts", started_at=NOW)
        return moments
