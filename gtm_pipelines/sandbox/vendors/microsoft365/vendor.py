"""Microsoft 365 as the sandbox knows it."""

from __future__ import annotations

from gtm_pipelines.sandbox.vendor import Account, Vendor
from gtm_pipelines.sandbox.vendors.microsoft365 import api, login
from gtm_pipelines.sandbox.vendors.microsoft365.faults import Microsoft365Faults


def account(url: str, tenant: str) -> Account:
    """Return the registered app of the tenant's directory, and where Graph and the login stand here."""
    root = f"{url}/{tenant}/microsoft365"
    return Account(
        {"directory_id": login.DIRECTORY, "base_url": f"{root}/v1.0", "token_url": f"{root}/{login.DIRECTORY}"},
        {"client_id": login.CLIENT_ID, "client_secret": login.client_secret(tenant)},
    )


VENDOR = Vendor(
    id="microsoft365",
    answer=api.answer,
    account=account,
    faults=Microsoft365Faults,
    busy=b'{"error":{"code":"TooManyRequests","message":"Too many requests"}}',
    down=b'{"error":{"code":"ServiceUnavailable","message":"The service is temporarily unavailable"}}',
    login_path=login.TOKEN_PATH,
    lists=("value",),
    poison=("id", "lastModifiedDateTime", "conversationIndex"),
    counted={"meetings": "microsoft365.event", "mails": "microsoft365.message", "accounts": "microsoft365.account"},
)
