"""Erasing a tenant's schemas and roles from Postgres; what its backups and replicas keep is theirs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.removal import Removed
from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.postgres.address import address_of
from gtm_pipelines.warehouse.postgres.opening import lock
from gtm_pipelines.warehouse.postgres.roles import Roles
from gtm_pipelines.warehouse.postgres.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.settings import Settings
    from gtm_pipelines.tenancy import TenantId

_SCHEMAS = """
SELECT n.nspname, coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relkind IN ('r', 'm')), 0)::bigint
FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid
WHERE starts_with(n.nspname, {own}) OR starts_with(n.nspname, {staging})
GROUP BY n.nspname ORDER BY n.nspname
"""


@contextmanager
def hold(settings: Settings, tenant: TenantId) -> Iterator[None]:
    """Keep everyone else off the tenant's warehouse inside the block; raise WarehouseBusyError when someone has it."""
    with _session(settings, tenant) as store:
        lock(store, tenant, 0)
        yield


def erase(settings: Settings, tenant: TenantId) -> list[Removed]:
    """Drop everything of the tenant, schema by schema, and last its roles; can be repeated from wherever it ended."""
    with _session(settings, tenant) as store:
        ours = Roles.of(tenant, address_of(settings).database)
        sizes = [_drop_schema(store, ours, str(schema), int(size)) for schema, size in _schemas(store, tenant)]
        roles = [role for role in (ours.writer, ours.reader) if _drop_role(store, role)]
    found = [Removed("warehouse schemas", len(sizes), sum(sizes)), Removed("warehouse roles", len(roles))]
    return [each for each in found if each.count]


@contextmanager
def _session(settings: Settings, tenant: TenantId) -> Iterator[Store]:
    store = Store(address_of(settings), tenant)
    try:
        yield store
    finally:
        store.close()


def _schemas(store: Store, tenant: TenantId) -> list[tuple[str, int]]:
    """List the tenant's schemas, dlt's staging ones too, with their bytes; ``__`` is in no tenant's id."""
    prefix = f"{tenant}__"
    staging = names.literal(names.STAGING_LAYOUT % prefix)
    found = store.execute(_SCHEMAS.format(own=names.literal(prefix), staging=staging))
    store.commit()
    return [(str(schema), int(size)) for schema, size in found]


def _drop_schema(store: Store, ours: Roles, schema: str, size: int) -> int:
    """Drop one schema in a transaction of its own, as its owner: each of its tables takes a lock of the server's."""
    store.become(ours.writer)
    store.execute(f"DROP SCHEMA {names.quote(schema)} CASCADE")
    store.execute("RESET ROLE")
    store.commit()
    return size


def _drop_role(store: Store, role: str) -> bool:
    """Drop a role with all it was granted here; False when there is none."""
    if not store.execute(f"SELECT 1 FROM pg_roles WHERE rolname = {names.literal(role)}"):
        return False
    store.become(role)
    store.execute(f"DROP OWNED BY {names.quote(role)} CASCADE")
    store.execute("RESET ROLE")
    store.execute(f"DROP ROLE {names.quote(role)}")
    store.commit()
    return True
