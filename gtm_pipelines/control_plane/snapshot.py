"""One tenant's rows as of one moment, to be given to it: everything that is its own, and no credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from gtm_pipelines.control_plane import audit, connections, ledger, overrides, tenants
from gtm_pipelines.control_plane.schema import audit_log, sync_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection as Session

    from gtm_pipelines.control_plane.records import AuditEntry, Connection, Override, SyncRecord, Tenant
    from gtm_pipelines.tenancy import TenantId

_AT_ONCE = 500  # rows held in memory


class Snapshot:
    """What there is of one tenant, read in one transaction; what may be long is streamed."""

    def __init__(self, session: Session, tenant: TenantId) -> None:
        self._session = session
        self._tenant = tenant

    def tenant(self) -> Tenant | None:
        """Return the tenant, removed or not."""
        return tenants.find(self._session, self._tenant)

    def connections(self) -> list[Connection]:
        """List its connections; of their credentials the names of the fields only."""
        return connections.of_tenant(self._session, self._tenant)

    def overrides(self) -> Iterator[tuple[str, Override]]:
        """Go through its own mappings, each with the name of its connection."""
        for one in self.connections():
            for override in overrides.of_connection(self._session, self._tenant, one.name):
                yield one.name, override

    def syncs(self) -> Iterator[SyncRecord]:
        """Go through every sync in the ledger, oldest first, those of removed connections too."""
        query = select(sync_run).where(sync_run.c.tenant_id == self._tenant)
        order = (sync_run.c.started_at, sync_run.c.connection, sync_run.c.run_id)
        rows = self._session.execute(query.order_by(*order).execution_options(yield_per=_AT_ONCE))
        return (ledger.as_record(row) for row in rows)

    def audit(self) -> Iterator[AuditEntry]:
        """Go through its entries in the audit log, oldest first."""
        query = select(audit_log).where(audit_log.c.tenant_id == self._tenant).order_by(audit_log.c.seq)
        rows = self._session.execute(query.execution_options(yield_per=_AT_ONCE))
        return (audit.as_entry(row) for row in rows)
