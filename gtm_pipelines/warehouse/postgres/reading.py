"""A tenant's tables for those who only read: a session under the reader's role, in which nothing can be written."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse.postgres import roles
from gtm_pipelines.warehouse.postgres.address import address_of
from gtm_pipelines.warehouse.postgres.roles import Roles
from gtm_pipelines.warehouse.postgres.served import PostgresServed
from gtm_pipelines.warehouse.postgres.store import Store
from gtm_pipelines.warehouse.protocol import WarehouseError, WarehouseMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.settings import Settings
    from gtm_pipelines.warehouse.protocol import Served


@contextmanager
def open_reader(settings: Settings, tenant: str) -> Iterator[Served]:
    """Open a tenant's tables for reading; raise WarehouseMissingError while there are no golden ones."""
    checked = TenantId(tenant)
    address = address_of(settings)
    store = Store(address, checked)
    try:
        ours = Roles.of(checked, address.database)
        if not roles.exist(store, ours):
            raise _missing(checked)
        store.become(ours.reader)
        store.execute("SET default_transaction_read_only = on")
        store.commit()
        served = PostgresServed(checked, store)
        if not served.has_table("golden", "person"):
            raise _missing(checked)
        yield served
    finally:
        store.close()


def examine(settings: Settings) -> str:
    """Say which server keeps the warehouse; raise WarehouseError when it is too old or its role lacks a right."""
    address = address_of(settings)
    store = Store(address, "")
    try:
        version, number, may_create, may_make_roles, is_super = store.execute(_ABOUT)[0]
        if int(number) < _OLDEST:
            raise WarehouseError(f"the warehouse is on Postgres {version}; 16 or newer is needed")
        lacking = [
            right
            for right, has in (("CREATE on the database", may_create), ("CREATEROLE", may_make_roles or is_super))
            if not has
        ]
        if lacking:
            raise WarehouseError(f"the role of GTM_WAREHOUSE_URL lacks {' and '.join(lacking)}")
        return f"Postgres {version}, database {address.database}"
    finally:
        store.close()


_OLDEST = 160_000
_ABOUT = """
SELECT current_setting('server_version'), current_setting('server_version_num')::int,
       has_database_privilege(current_database(), 'CREATE'), rolcreaterole, rolsuper
FROM pg_roles WHERE rolname = session_user
"""


def _missing(tenant: TenantId) -> WarehouseMissingError:
    return WarehouseMissingError(
        f"there is nothing to see of {str(tenant)!r} yet: run `gtm sync {tenant}` and `gtm refine {tenant}` first"
    )
