"""Salesforce for the conformance suite: the sandbox's, with days of mass updates, deletes and merges behind it."""

from __future__ import annotations

from typing import ClassVar

from tests.contract.sandbox_scenario import SandboxScenario


class VendorScenario(SandboxScenario):
    """One org of the sandbox."""

    connector_id = "salesforce"
    size = 1_500
    days = 10  # each ends in a mass update: ties, one after the other, for several pages
    wrong: ClassVar = {"refresh_token": "a-token-of-nobody"}
    page_size = 200
    tied_entity = "Contact"
    paged_entity = "Contact"
