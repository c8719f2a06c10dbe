"""A tenant's tables on Postgres as of one moment, under the role that only reads them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse.postgres.address import address_of
from gtm_pipelines.warehouse.postgres.roles import Roles
from gtm_pipelines.warehouse.postgres.served import PostgresServed
from gtm_pipelines.warehouse.postgres.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.settings import Settings
    from gtm_pipelines.tenancy import TenantId
    from gtm_pipelines.warehouse.protocol import Served


@contextmanager
def open_reader(settings: Settings, tenant: TenantId) -> Iterator[Served]:
    """Open one transaction that sees the tenant's tables as they are now, and nobody else's."""
    address = address_of(settings)
    store = Store(address, tenant)
    try:
        store.become(Roles.of(tenant, address.database).reader)
        store.commit()
        store.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield PostgresServed(tenant, store, in_transaction=lambda: True)
    finally:
        store.close()
