"""Erasing a tenant from the control plane: the beginning, which stops all work for it, and the end, which forgets it.

Between the two, others erase its data; a kill in between leaves a removed tenant, and the same command goes on from
there. The audit log keeps its entries: they are chained, hold no secret and no person's address.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from gtm_pipelines.control_plane import audit, tenants
from gtm_pipelines.control_plane.database import database_now
from gtm_pipelines.control_plane.errors import BusyError
from gtm_pipelines.control_plane.processes import Process, is_surely_dead
from gtm_pipelines.control_plane.schema import audit_log, lease, metadata, tenant
from gtm_pipelines.removal import Removed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

    from gtm_pipelines.control_plane.database import Transaction
    from gtm_pipelines.control_plane.records import AuditEntry
    from gtm_pipelines.tenancy import TenantId

ERASED = "tenant.erased"


def begin(work: Transaction, tenant_id: TenantId) -> list[Removed]:
    """Drop the tenant's connections and credentials, so that nothing can start; refused while a worker is at it."""
    _refuse_while_at_work(work.connection, tenant_id)
    found = tenants.find(work.connection, tenant_id)
    if found is None or found.removed_at is not None:
        return []
    before = _counted(work.connection, tenant_id)
    tenants.remove(work, tenant_id)
    after = _counted(work.connection, tenant_id)
    return _removed({name: count - after[name] for name, count in before.items()})


def finish(work: Transaction, tenant_id: TenantId, already: list[Removed]) -> list[Removed]:
    """Delete every row of the tenant outside the log, and enter in the log what was removed here and ``already``."""
    found = tenants.find(work.connection, tenant_id)
    if found is not None and found.removed_at is None:
        raise BusyError(f"tenant {tenant_id} was added again while it was being erased: erase it again, or keep it")
    rows = _counted(work.connection, tenant_id)
    for table in reversed(metadata.sorted_tables):
        if (column := _tenant_column(table)) is not None:
            work.connection.execute(delete(table).where(column == tenant_id))
    removed = _removed(rows)
    if already or removed:
        after = {each.what: each.count for each in (*already, *removed)}
        audit.append(work, ERASED, f"tenant:{tenant_id}", tenant=tenant_id, after=after)
    return removed


def last(connection: Connection, tenant_id: TenantId) -> AuditEntry | None:
    """Return the entry of the tenant's last erasure."""
    query = select(func.max(audit_log.c.seq)).where(audit_log.c.tenant_id == tenant_id, audit_log.c.action == ERASED)
    seq = connection.scalar(query)
    return None if seq is None else audit.entry(connection, tenant_id, int(seq))


def scrub(engine: Engine) -> None:
    """Rewrite a SQLite file, whose freed pages keep deleted rows; Postgres' own vacuum frees them in its time."""
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        ((is_busy, _, _),) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        is_busy = 1
    finally:
        connection.close()
    if is_busy:
        raise BusyError(
            "another process keeps the control plane open, so its file still holds rows that were deleted: "
            "give the same command again when that process has ended"
        )


def _refuse_while_at_work(connection: Connection, tenant_id: TenantId) -> None:
    held = select(lease).where(lease.c.tenant_id == tenant_id, lease.c.expires_at > database_now()).with_for_update()
    for row in connection.execute(held):
        if not is_surely_dead(Process(row.boot_id, row.pid, row.process_started)):
            raise BusyError(
                f"{tenant_id}/{row.connection} is being synced ({row.owner}): wait for it or end it, then give the "
                "same command again; nothing was erased"
            )


def _counted(connection: Connection, tenant_id: TenantId) -> dict[str, int]:
    columns = {table.name: _tenant_column(table) for table in metadata.sorted_tables}
    return {
        name: connection.execute(select(func.count()).where(column == tenant_id)).scalar_one()
        for name, column in columns.items()
        if column is not None
    }


def _tenant_column(table: Table) -> Any:
    """Return the column that says whose a row is; None for the log, which stays, and for what is nobody's."""
    if table is tenant:
        return tenant.c.id
    return None if table is audit_log else table.c.get("tenant_id")


def _removed(rows: dict[str, int]) -> list[Removed]:
    return [Removed(f"control plane: {name}", count) for name, count in rows.items() if count]
