"""Close as the sandbox knows it."""

from __future__ import annotations

from gtm_pipelines.sandbox.vendor import Account, Vendor
from gtm_pipelines.sandbox.vendors.close import api
from gtm_pipelines.sandbox.vendors.close.faults import CloseFaults


def account(url: str, tenant: str) -> Account:
    """Return the tenant's organisation and an API key of it."""
    return Account({"base_url": f"{url}/{tenant}/close/api/v1"}, {"api_key": api.api_key(tenant)})


VENDOR = Vendor(
    id="close",
    answer=api.answer,
    account=account,
    faults=CloseFaults,
    busy=b'{"error":{"rate_reset":1,"message":"API call count exceeded for this 15 second window"}}',
    down=b'{"error":"Internal server error"}',
    lists=("data",),
    poison=("id", "date_updated", "value"),
    counted={
        "leads": "close.lead",
        "close_contacts": "close.contact",
        "opportunities": "close.opportunity",
        "close_activities": "close.activity",
    },
)
