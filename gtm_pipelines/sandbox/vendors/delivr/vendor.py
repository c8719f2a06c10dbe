"""Delivr.ai as the sandbox knows it."""

from __future__ import annotations

from gtm_pipelines.sandbox.vendor import Account, Vendor
from gtm_pipelines.sandbox.vendors.delivr import api
from gtm_pipelines.sandbox.vendors.delivr.events import project_id
from gtm_pipelines.sandbox.vendors.delivr.faults import DelivrFaults


def account(url: str, tenant: str) -> Account:
    """Return the tenant's one project, two topics it follows, and its key pair."""
    settings = {
        "base_url": f"{url}/{tenant}/delivr",
        "project_id": project_id(tenant),
        "tier": "resolution_full_profile",
        "topics": "4eyes_100101 4eyes_100102",
    }
    return Account(settings, {"api_key": api.api_key(tenant), "api_secret": api.api_secret(tenant)})


VENDOR = Vendor(
    id="delivr",
    answer=api.answer,
    account=account,
    faults=DelivrFaults,
    busy=b'{"error":"rate limit exceeded"}',
    down=b'{"error":"internal error"}',
    lists=("rows", "results", "data"),
    poison=("event_timestamp", "event_timestamp", "dwellTimeSeconds"),
    counted={"delivr_events": "delivr.event", "delivr_profiles": "delivr.profile", "delivr_signals": "delivr.signal"},
)
