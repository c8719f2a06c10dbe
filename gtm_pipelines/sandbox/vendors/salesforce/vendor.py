"""Salesforce as the sandbox knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.sandbox.vendor import Account, Vendor
from gtm_pipelines.sandbox.vendors.salesforce import api, jwt, oauth
from gtm_pipelines.sandbox.vendors.salesforce.catalogue import OBJECTS
from gtm_pipelines.sandbox.vendors.salesforce.faults import SalesforceFaults
from gtm_pipelines.sandbox.vendors.salesforce.sessions import Sessions, claims
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant


def account(url: str, tenant: str) -> Account:
    """Return the tenant's org and the connected app that may read it."""
    return Account(
        {"login_url": f"{url}/{tenant}/salesforce"},
        {
            "client_id": oauth.CLIENT_ID,
            "client_secret": oauth.client_secret(tenant),
            "refresh_token": oauth.refresh_token(tenant),
        },
    )


def _put_jwt_key(tenant: Tenant, call: Call) -> Reply:
    jwt.store_key(tenant, call.body)
    return as_json({"stored": True})


def _reconnect(tenant: Tenant, call: Call) -> Reply:
    del call
    oauth.reset_refresh_tokens(tenant)
    tenant.state(Sessions).expire()
    return as_json({"refresh_token": oauth.refresh_token(tenant.id)})


VENDOR = Vendor(
    id="salesforce",
    answer=api.answer,
    account=account,
    faults=SalesforceFaults,
    busy=b'[{"message":"Too many requests","errorCode":"TOO_MANY_REQUESTS"}]',
    down=b'[{"message":"Server is temporarily unavailable","errorCode":"SERVER_UNAVAILABLE"}]',
    login_path="services/oauth2/token",
    claims=claims,
    lists=("records",),
    poison=("Id", "SystemModstamp", "AnnualRevenue"),
    counted={
        "accounts": 'salesforce."Account"',
        "contacts": 'salesforce."Contact"',
        "leads": 'salesforce."Lead"',
    },
    acts={"PUT _jwt_key": _put_jwt_key, "POST _reconnect": _reconnect},
    ddl=lambda: "\n".join(f"{each.ddl()};" for each in OBJECTS),
)
