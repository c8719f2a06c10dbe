"""Fathom as the sandbox knows it."""

from __future__ import annotations

from gtm_pipelines.sandbox.vendor import Account, Vendor
from gtm_pipelines.sandbox.vendors.fathom import api
from gtm_pipelines.sandbox.vendors.fathom.faults import FathomFaults


def account(url: str, tenant: str) -> Account:
    """Return the tenant's account and its key; its meetings go back ninety days when the world is new."""
    settings = {"base_url": f"{url}/{tenant}/fathom/external/v1", "history_days": "100"}
    return Account(settings, {"api_key": api.api_key(tenant)})


VENDOR = Vendor(
    id="fathom",
    answer=api.answer,
    account=account,
    faults=FathomFaults,
    busy=b'{"error":"Rate limit exceeded"}',
    down=b'{"error":"Internal server error"}',
    lists=("items", "transcript"),
    poison=("recording_id", "created_at", "limit"),
    counted={"fathom_meetings": "fathom.meeting"},
)
