"""The truth about a world, for measuring what identity resolution made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_pipelines.sandbox import remote, store
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pyarrow as pa

TABLES = ("people", "accounts", "records")


@dataclass(frozen=True, slots=True)
class Truth:
    """The ground truth as Arrow tables.

    ``people``: person_id, first_name, last_name, title, account_id, email, personal_email, phone, mobile.
    ``accounts``: account_id, name, domain, industry, employees, revenue.
    ``records``: connector, entity, external_id, is_deleted, person_id, account_id; one per record a vendor can serve.
    """

    people: pa.Table
    accounts: pa.Table
    records: pa.Table


def truth(directory: Path, tenant: str) -> Truth:
    """Read the truth of ``tenant``'s world; a running server that holds it is asked for it."""
    home = store.home(directory, TenantId(tenant))
    try:
        with store.opened(store.current(home)) as world:
            return Truth(*(table(world, name) for name in TABLES))
    except store.WorldBusyError:
        return Truth(*(remote.arrow(directory, f"{tenant}/_truth/{name}") for name in TABLES))


def table(world: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    """Read one of :data:`TABLES`."""
    rows: pa.Table = world.sql(f"SELECT * FROM truth.{name}").to_arrow_table()
    return rows
