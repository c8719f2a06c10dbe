"""Salesforce for the conformance suite: the sandbox's, with days of mass updates, deletes and merges behind it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from tests.contract.sandbox_scenario import SandboxScenario

_DAYS = 10  # each ends in a mass update: ties, one after the other, for several pages


class VendorScenario(SandboxScenario):
    """One org of the sandbox."""

    connector_id = "salesforce"
    size = 1_500
    wrong: ClassVar = {"refresh_token": "a-token-of-nobody"}
    page_size = 200
    tied_entity = "Contact"
    paged_entity = "Contact"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.vendor.advance(_DAYS)
