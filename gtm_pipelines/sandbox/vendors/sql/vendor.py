"""A customer's own database as the sandbox knows it: nothing is served over HTTP, the world writes a database."""

from __future__ import annotations

from gtm_pipelines.sandbox.vendor import Vendor
from gtm_pipelines.sandbox.vendors.sql import database

VENDOR = Vendor(
    id="sql",
    counted={"people_rows": "sql.people", "account_rows": "sql.accounts", "activity_rows": "sql.activities"},
    acts={"POST _database": database.answer},
)
