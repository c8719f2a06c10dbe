"""Close for the conformance suite: the sandbox's, with days of bulk edits behind it and without its rate limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import httpx

from connectors import registry
from connectors.conformance import checks
from connectors.conformance.checks import Truth
from tests.contract.sandbox_scenario import SandboxScenario
from tests.contract.sandboxed import NOW

_UNLIMITED = 100_000
_HISTORY = timedelta(days=100)  # of activities: a few windows, each of which may be stopped after


class VendorScenario(SandboxScenario):
    """One organisation of the sandbox."""

    connector_id = "close"
    size = 600
    days = 3  # each ends in a bulk edit: many contacts of one microsecond
    wrong: ClassVar = {"api_key": "api_of_nobody"}
    page_size = 15
    tied_entity = "contacts"
    paged_entity = "contacts"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.vendor.settings["history_days"] = _HISTORY.days
        self.stack.enter_context(self.vendor.suffering(requests_per_second=_UNLIMITED))
        self._older = frozenset(self._activities_before(self.vendor.now() - _HISTORY))

    def truth(self, entity: str) -> Truth:
        """Return the truth; of activities, those that the history reaches back to."""
        known = super().truth(entity)
        return Truth(known.live - self._older, known.deleted) if entity == "activities" else known

    def _activities_before(self, moment: datetime) -> Iterator[str]:
        url = f"{self.vendor.base_url}/acme/close/api/v1/activity/"
        auth = (self.vendor.credentials["api_key"], "")
        more, skip = True, 0
        while more:
            params = {"date_created__lt": moment.isoformat(), "_skip": str(skip), "_limit": "200"}
            answer = httpx.get(url, params=params, auth=auth, trust_env=False).raise_for_status().json()
            yield from (each["id"] for each in answer["data"])
            more, skip = answer["has_more"], skip + len(answer["data"])

    def moments(self) -> Sequence[float]:
        rate = registry.manifest("close").rate_limit
        connector = self.vendor.connect(rate=rate.limit() if rate else None)
        with self.vendor.timed(connector) as moments:
            checks.read(connector, "contacts", started_at=NOW, page_size=self.page_size)
        return moments
