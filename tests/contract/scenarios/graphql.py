"""GraphQL for the conformance suite: the sandbox's API, with days of imports, deletes and late rows behind it."""

from __future__ import annotations

from typing import ClassVar

from tests.contract.sandbox_scenario import SandboxScenario


class VendorScenario(SandboxScenario):
    """One account at the API: relay nodes (people), offsets (accounts), relay edges (activities)."""

    connector_id = "graphql"
    size = 700
    days = 6  # each ends in an import: ties of more than a page
    wrong: ClassVar = {"token": "a-token-of-nobody"}
    page_size = 25
    tied_entity = "people"
    paged_entity = "people"
