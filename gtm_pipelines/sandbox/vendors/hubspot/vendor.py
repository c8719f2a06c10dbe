"""HubSpot as the sandbox knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.sandbox.vendor import Account, Vendor
from gtm_pipelines.sandbox.vendors.hubspot import api, tokens
from gtm_pipelines.sandbox.vendors.hubspot.catalogue import OBJECTS
from gtm_pipelines.sandbox.vendors.hubspot.faults import HubspotFaults
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_BUSY = (
    b'{"status":"error","message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT",'
    b'"correlationId":"00000000-0000-4000-8000-000000000000","policyName":"TEN_SECONDLY_ROLLING"}'
)


def account(url: str, tenant: str) -> Account:
    """Return the tenant's portal and the app that may read it, with a refresh token."""
    root = f"{url}/{tenant}/hubspot"
    return Account(
        {"base_url": root, "token_url": f"{root}/oauth/v3/token"},
        {
            "client_id": tokens.CLIENT_ID,
            "client_secret": tokens.client_secret(tenant),
            "refresh_token": tokens.refresh_token(tenant),
        },
    )


def _forget(tenant: Tenant, call: Call) -> Reply:
    """Delete contacts for good, as a privacy request does: no list, log or search tells of it."""
    count = int(call.query.get("count", "1"))
    with tenant.world.cursor() as cursor:
        rows = cursor.execute("SELECT id FROM hubspot.contacts WHERE NOT archived ORDER BY id LIMIT ?", [count])
        ids = [key for (key,) in rows.fetchall()]
        cursor.execute("DELETE FROM hubspot.contacts WHERE id IN (SELECT unnest(?))", [ids])
    return as_json({"deleted": [str(key) for key in ids]})


VENDOR = Vendor(
    id="hubspot",
    answer=api.answer,
    account=account,
    faults=HubspotFaults,
    busy=_BUSY,
    down=b'{"status":"error","message":"internal error","correlationId":"00000000-0000-4000-8000-000000000000"}',
    login_path="oauth/v3/token",
    lists=("results",),
    poison=("id", "updatedAt", "amount"),
    counted={"hubspot_contacts": "hubspot.contacts", "hubspot_companies": "hubspot.companies"},
    acts={"POST _privacy_delete": _forget},
    ddl=lambda: "\n".join(f"{each.ddl()};" for each in OBJECTS),
)
