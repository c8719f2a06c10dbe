"""Customer.io as the sandbox knows it."""

from __future__ import annotations

from gtm_pipelines.sandbox.vendor import Account, Vendor
from gtm_pipelines.sandbox.vendors.customerio import api
from gtm_pipelines.sandbox.vendors.customerio.faults import CustomerioFaults


def account(url: str, tenant: str) -> Account:
    """Return the tenant's workspace and its App API key."""
    return Account({"base_url": f"{url}/{tenant}/customerio/v1"}, {"app_api_key": api.app_api_key(tenant)})


VENDOR = Vendor(
    id="customerio",
    answer=api.answer,
    account=account,
    faults=CustomerioFaults,
    busy=b'{"errors":[{"detail":"too many requests","status":"429"}]}',
    down=b'{"meta":{"error":"internal error"}}',
    lists=("customers", "messages", "activities"),
    poison=("id", "timestamp", "created"),
    counted={
        "profiles": "customerio.person",
        "messages": "customerio.message",
        "activities": "customerio.activity",
    },
)
