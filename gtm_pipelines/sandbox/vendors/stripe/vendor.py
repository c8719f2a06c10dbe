"""Stripe as the sandbox knows it."""

from __future__ import annotations

from gtm_pipelines.sandbox.vendor import Account, Vendor
from gtm_pipelines.sandbox.vendors.stripe import api
from gtm_pipelines.sandbox.vendors.stripe.faults import StripeFaults


def account(url: str, tenant: str) -> Account:
    """Return the tenant's account and its secret key."""
    return Account({"base_url": f"{url}/{tenant}/stripe/v1"}, {"api_key": api.secret_key(tenant)})


VENDOR = Vendor(
    id="stripe",
    answer=api.answer,
    account=account,
    faults=StripeFaults,
    busy=b'{"error":{"code":"rate_limit","message":"Too many requests","type":"invalid_request_error"}}',
    down=b'{"error":{"message":"An unknown error occurred","type":"api_error"}}',
    claims=api.claims,
    lists=("data",),
    poison=("id", "created", "amount"),
    counted={
        "customers": "stripe.customer",
        "subscriptions": "stripe.subscription",
        "invoices": "stripe.invoice",
        "charges": "stripe.charge",
    },
)
