"""What a connection must be given to reach one tenant's account at each vendor of the sandbox; all of it is fixed.

The spreadsheets need no vendor, only the folder that :func:`~gtm_pipelines.sandbox.exports.files` returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gtm_pipelines.sandbox.customerio.api import app_api_key
from gtm_pipelines.sandbox.salesforce.oauth import CLIENT_ID, client_secret, refresh_token

if TYPE_CHECKING:
    from pathlib import Path


class Account(NamedTuple):
    """A connection's settings, and its credential fields in clear."""

    settings: dict[str, str]
    credentials: dict[str, str]


def accounts(url: str, tenant: str) -> dict[str, Account]:
    """Return the tenant's account by connector id, at the sandbox that listens on ``url``."""
    return {
        "salesforce": Account(
            {"login_url": f"{url}/{tenant}/salesforce"},
            {
                "client_id": CLIENT_ID,
                "client_secret": client_secret(tenant),
                "refresh_token": refresh_token(tenant),
            },
        ),
        "customerio": Account(
            {"base_url": f"{url}/{tenant}/customerio/v1"},
            {"app_api_key": app_api_key(tenant)},
        ),
    }


def spreadsheets(folder: Path) -> Account:
    """Return what a file connection is given to read the exports in ``folder``."""
    return Account({"folder": str(folder), "updated_column": "updated_at"}, {})
