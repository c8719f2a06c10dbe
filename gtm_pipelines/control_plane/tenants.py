"""Tenants: adding, listing, removing. A removed tenant keeps its row, its history and its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from gtm_pipelines.control_plane import audit, connections
from gtm_pipelines.control_plane.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from gtm_pipelines.control_plane.records import Tenant
from gtm_pipelines.control_plane.schema import tenant
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from gtm_pipelines.control_plane.database import Transaction

_LONGEST_NAME = 200


def add(work: Transaction, tenant_id: TenantId, display_name: str) -> Tenant:
    """Add a tenant, or bring a removed one back under its id (its warehouse is still its own)."""
    if len(display_name) > _LONGEST_NAME or not display_name.isprintable():
        raise InvalidInputError("a display name is printable text of at most 200 characters")
    row = _find(work.connection, tenant_id)
    if row is not None and row.removed_at is None:
        raise AlreadyExistsError(f"tenant {tenant_id} exists already: choose another id, or go on with this one")
    values: dict[str, Any] = {"display_name": display_name, "created_at": work.clock(), "removed_at": None}
    if row is None:
        work.connection.execute(insert(tenant).values(id=tenant_id, **values))
    else:
        work.connection.execute(update(tenant).where(tenant.c.id == tenant_id).values(**values))
    action = "tenant.added" if row is None else "tenant.restored"
    audit.append(work, action, f"tenant:{tenant_id}", tenant=tenant_id, after={"display_name": display_name})
    return get(work.connection, tenant_id)


def remove(work: Transaction, tenant_id: TenantId) -> None:
    """Disable a tenant and drop its connections, credentials and overrides; data and history stay."""
    found = get(work.connection, tenant_id)
    for one in connections.of_tenant(work.connection, tenant_id):
        connections.remove(work, tenant_id, one.name)
    work.connection.execute(update(tenant).where(tenant.c.id == tenant_id).values(removed_at=work.clock()))
    before = {"display_name": found.display_name}
    audit.append(work, "tenant.removed", f"tenant:{tenant_id}", tenant=tenant_id, before=before)


def present(connection: Connection) -> list[Tenant]:
    """List the tenants that are not removed, by id."""
    rows = connection.execute(select(tenant).where(tenant.c.removed_at.is_(None)).order_by(tenant.c.id))
    return [_tenant(row) for row in rows]


def get(connection: Connection, tenant_id: TenantId) -> Tenant:
    """Return a tenant that is not removed; raise NotFoundError otherwise."""
    row = _find(connection, tenant_id)
    if row is None or row.removed_at is not None:
        raise NotFoundError(
            f"there is no tenant {tenant_id}; `gtm tenants list` shows them, `gtm tenants add {tenant_id}` adds it"
        )
    return _tenant(row)


def find(connection: Connection, tenant_id: TenantId) -> Tenant | None:
    """Return a tenant, removed or not; None when there is no trace of it but the log's."""
    row = _find(connection, tenant_id)
    return None if row is None else _tenant(row)


def _find(connection: Connection, tenant_id: TenantId) -> Row[Any] | None:
    return connection.execute(select(tenant).where(tenant.c.id == tenant_id)).one_or_none()


def _tenant(row: Row[Any]) -> Tenant:
    return Tenant(TenantId(row.id), row.display_name, row.created_at, row.removed_at)
