"""What a connection must be given to reach one tenant's account at each vendor of the sandbox; all of it is fixed.

The spreadsheets need no vendor, only the folder that :func:`~gtm_pipelines.sandbox.exports.files` returns, and the back
office is a database file beside the world.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.sandbox.vendor import Account
from gtm_pipelines.sandbox.vendors import vendors

if TYPE_CHECKING:
    from pathlib import Path


def accounts(url: str, tenant: str) -> dict[str, Account]:
    """Return the tenant's account by connector id, at the sandbox that listens on ``url``."""
    return {name: vendor.account(url, tenant) for name, vendor in vendors().items() if vendor.account is not None}


def database(directory: Path, tenant: str) -> Account:
    """Return what a connection is given to read the tenant's back office, kept in step by the running sandbox."""
    from gtm_pipelines.sandbox.vendors.sql.database import connected

    return connected(directory, tenant)


def spreadsheets(folder: Path) -> Account:
    """Return what a file connection is given to read the exports in ``folder``."""
    return Account({"folder": str(folder), "updated_column": "updated_at"}, {})
