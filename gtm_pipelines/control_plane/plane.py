"""The control plane's one door: every read and write of tenants, connections, secrets, leases and ledger.

Each method validates its names, opens one transaction in the scope it needs and calls one function; what is done stands
in the sibling modules. A method that looks beyond one tenant says so by an ``Every`` scope.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, Self

from gtm_pipelines.control_plane import audit, connections, erasure, leases, ledger, overrides, tenants
from gtm_pipelines.control_plane.connections import plain_line
from gtm_pipelines.control_plane.database import Database
from gtm_pipelines.control_plane.engine import open_engine
from gtm_pipelines.control_plane.migrate import ensure_current
from gtm_pipelines.control_plane.records import ConnectionStatus, Override
from gtm_pipelines.control_plane.scope import Every
from gtm_pipelines.control_plane.snapshot import Snapshot
from gtm_pipelines.control_plane.vault import registry, rotation
from gtm_pipelines.control_plane.vault.keys import ring_source
from gtm_pipelines.control_plane.vault.store import VaultStore, as_secrets, require_connection, write_fields
from gtm_pipelines.control_plane.verification import find_faults
from gtm_pipelines.tenancy import ConnectionName, TenantId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from connectors.connector import Clock
    from connectors.runtime.redaction import Secret
    from gtm_pipelines.control_plane.leases import Lease
    from gtm_pipelines.control_plane.ledger import Due
    from gtm_pipelines.control_plane.records import AuditEntry, AuditFault, Connection, KeyUse, SyncRecord, Tenant
    from gtm_pipelines.control_plane.vault.keys import RingSource
    from gtm_pipelines.control_plane.vault.rotation import Rewrap
    from gtm_pipelines.removal import Removed
    from gtm_pipelines.settings import Settings

DEFAULT_SCHEDULE = "*/15 * * * *"


def open_control_plane(settings: Settings, *, actor: str = "cli", clock: Clock | None = None) -> ControlPlane:
    """Open the control plane, creating or migrating its database if needed; no key is needed before a secret is.

    ``actor`` is who the audit log names.
    """
    engine = open_engine(settings.control_database_url)
    try:
        ensure_current(engine)
    except BaseException:
        engine.dispose()
        raise
    database = Database(engine, actor=plain_line(actor)[:200], clock=clock or _utc_now)
    return ControlPlane(database, ring_source(settings.encryption_key, settings.previous_keys))


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ControlPlane:
    """See :func:`open_control_plane`. Safe for threads; a context manager that closes its connections."""

    def __init__(self, database: Database, ring: RingSource) -> None:
        self._database = database
        self._ring = ring

    # tenants

    def add_tenant(self, tenant: str, display_name: str = "") -> Tenant:
        """Add a tenant, or bring a removed one back."""
        with self._database.mutate(TenantId(tenant)) as work:
            return tenants.add(work, TenantId(tenant), display_name)

    def list_tenants(self) -> list[Tenant]:
        """List the tenants that are not removed, by id."""
        with self._database.read(Every.DIRECTORY) as session:
            return tenants.present(session)

    def get_tenant(self, tenant: str) -> Tenant:
        """Return one tenant; raise NotFoundError when there is none or it is removed."""
        with self._database.read(TenantId(tenant)) as session:
            return tenants.get(session, TenantId(tenant))

    def remove_tenant(self, tenant: str) -> None:
        """Disable a tenant and drop its connections, credentials and overrides; data and history stay."""
        with self._database.mutate(TenantId(tenant)) as work:
            tenants.remove(work, TenantId(tenant))

    def find_tenant(self, tenant: str) -> Tenant | None:
        """Return one tenant, removed or not; None when there is none."""
        with self._database.read(TenantId(tenant)) as session:
            return tenants.find(session, TenantId(tenant))

    @contextmanager
    def snapshot(self, tenant: str) -> Iterator[Snapshot]:
        """Read all there is of a tenant as of one moment, inside the block."""
        with self._database.read(TenantId(tenant)) as session:
            yield Snapshot(session, TenantId(tenant))

    # erasure

    def begin_erasure(self, tenant: str) -> list[Removed]:
        """Stop all work for a tenant for good; raise BusyError, with nothing changed, while a worker is at it."""
        with self._database.mutate(TenantId(tenant)) as work:
            return erasure.begin(work, TenantId(tenant))

    def finish_erasure(self, tenant: str, already: list[Removed]) -> list[Removed]:
        """Forget a tenant whose data is gone; only its audit entries stay, and one more that says what went."""
        with self._database.mutate(TenantId(tenant)) as work:
            removed = erasure.finish(work, TenantId(tenant), already)
        erasure.scrub(self._database.engine)
        return removed

    def last_erasure(self, tenant: str) -> AuditEntry | None:
        """Return the audit entry of the last time a tenant was erased."""
        with self._database.read(TenantId(tenant)) as session:
            return erasure.last(session, TenantId(tenant))

    # connections

    def add_connection(
        self,
        tenant: str,
        name: str,
        connector: str,
        settings: Mapping[str, Any] | None = None,
        credentials: Mapping[str, str | Secret] | None = None,
        schedule: str = DEFAULT_SCHEDULE,
    ) -> Connection:
        """Add a connection and seal its credentials in one transaction."""
        credentials = as_secrets(credentials or {})
        key = TenantId(tenant), ConnectionName(name)
        with self._database.mutate(key[0]) as work:
            tenants.get(work.connection, key[0])
            connections.add(work, key, connector, settings or {}, schedule, credentials)
            write_fields(work, self._ring, *key, credentials)
            return connections.get(work.connection, *key)

    def list_connections(self, tenant: str) -> list[Connection]:
        """List one tenant's connections by name."""
        scope = TenantId(tenant)
        with self._database.read(scope) as session:
            tenants.get(session, scope)
            return connections.of_tenant(session, scope)

    def get_connection(self, tenant: str, name: str) -> Connection:
        """Return one connection; raise NotFoundError when this tenant has none of that name."""
        with self._database.read(TenantId(tenant)) as session:
            return connections.get(session, TenantId(tenant), ConnectionName(name))

    def change_connection(
        self, tenant: str, name: str, *, settings: Mapping[str, Any] | None = None, schedule: str | None = None
    ) -> Connection:
        """Replace a connection's settings, its schedule, or both."""
        key = TenantId(tenant), ConnectionName(name)
        with self._database.mutate(key[0]) as work:
            connections.change(work, *key, settings, schedule)
            return connections.get(work.connection, *key)

    def pause_connection(self, tenant: str, name: str, reason: str = "paused by hand") -> None:
        """Take a connection off the schedule."""
        self.set_status(tenant, name, ConnectionStatus.PAUSED, reason)

    def resume_connection(self, tenant: str, name: str) -> None:
        """Put a connection back on the schedule."""
        self.set_status(tenant, name, ConnectionStatus.ACTIVE, "")

    def set_status(self, tenant: str, name: str, status: str, reason: str = "") -> None:
        """Set a connection's status; ``reason`` is kept as one redacted line."""
        with self._database.mutate(TenantId(tenant)) as work:
            connections.set_status(work, TenantId(tenant), ConnectionName(name), ConnectionStatus(status), reason)

    def remove_connection(self, tenant: str, name: str) -> None:
        """Drop a connection with its credentials and overrides; a running sync loses its lease."""
        with self._database.mutate(TenantId(tenant)) as work:
            connections.remove(work, TenantId(tenant), ConnectionName(name))

    # credentials

    def credential_store(self, tenant: str, name: str) -> VaultStore:
        """Return the vault of one connection; raise NotFoundError at once when there is no such connection."""
        key = TenantId(tenant), ConnectionName(name)
        with self._database.read(key[0]) as session:
            require_connection(session, *key)
        return VaultStore(self._database, self._ring, *key)

    def check_key(self) -> None:
        """Prove that the loaded key opens this vault; raise the vault's error, change nothing."""
        with self._database.read(Every.VAULT) as session:
            registry.prove(session, self._ring())

    def list_keys(self) -> list[KeyUse]:
        """List the keys this control plane has sealed with, and how many credentials still need each."""
        primary = self._ring().primary.kid
        with self._database.read(Every.VAULT) as session:
            return registry.uses(session, primary)

    def rewrap_credentials(self, on_progress: Callable[[int, int], None] | None = None) -> Rewrap:
        """Seal every credential under the present key; resumable, online."""
        return rotation.rewrap(self._database, self._ring, on_progress)

    def retire_key(self, kid: str) -> None:
        """Mark a key as dropped; refused while a credential is sealed under it."""
        with self._database.mutate(Every.VAULT) as work:
            registry.retire(work, self._ring(), kid)

    # mapping overrides

    def list_overrides(self, tenant: str, connection: str) -> list[Override]:
        """List a connection's overrides by entity, target and field."""
        with self._database.read(TenantId(tenant)) as session:
            return overrides.of_connection(session, TenantId(tenant), ConnectionName(connection))

    def set_override(self, tenant: str, connection: str, entity: str, target: str, field: str, spec: Any) -> None:
        """Set how one field is mapped for one connection."""
        with self._database.mutate(TenantId(tenant)) as work:
            chosen = Override(entity, target, field, spec)
            overrides.put(work, TenantId(tenant), ConnectionName(connection), chosen)

    def unset_override(self, tenant: str, connection: str, entity: str, target: str, field: str) -> None:
        """Let the connector's own mapping of one field hold again."""
        with self._database.mutate(TenantId(tenant)) as work:
            chosen = Override(entity, target, field, None)
            overrides.drop(work, TenantId(tenant), ConnectionName(connection), chosen)

    # leases

    def acquire_lease(self, tenant: str, connection: str, owner: str, ttl: float = 60) -> Lease | None:
        """Take the right to sync one connection for ``ttl`` seconds; None when another worker holds it."""
        key = TenantId(tenant), ConnectionName(connection)
        return leases.acquire(self._database, *key, leases.SYNC, owner=plain_line(owner), ttl=ttl)

    # ledger

    def record_sync(self, report: Mapping[str, Any]) -> None:
        """Store one SyncReport (as a dictionary) and move the connection's schedule on."""
        with self._database.mutate(ledger.tenant_of(report)) as work:
            ledger.record(work, report)

    def last_syncs(self, tenant: str, connection: str | None = None, limit: int = 10) -> list[SyncRecord]:
        """List a tenant's newest syncs first."""
        scope = TenantId(tenant)
        name = None if connection is None else ConnectionName(connection)
        with self._database.read(scope) as session:
            return ledger.latest(session, scope, name, limit)

    def forget_syncs(self, tenant: str, before: datetime) -> int:
        """Delete what the ledger has of a tenant's syncs before ``before``; each connection's newest stays."""
        with self._database.mutate(TenantId(tenant)) as work:
            return ledger.forget(work, TenantId(tenant), before)

    def due_connections(self, now: datetime) -> list[Due]:
        """List the active connections to sync at ``now``, longest overdue first."""
        with self._database.read(Every.SCHEDULER) as session:
            return ledger.due(session, now)

    def unsynced_connections(self) -> list[Due]:
        """List the active connections that want their first full sync."""
        with self._database.read(Every.SCHEDULER) as session:
            return ledger.unsynced(session)

    # audit

    def list_audit(self, tenant: str | None = None, limit: int = 1000) -> list[AuditEntry]:
        """List the newest audit entries first, of one tenant or of all."""
        scope = None if tenant is None else TenantId(tenant)
        with self._database.read(scope or Every.AUDIT) as session:
            return audit.entries(session, scope, limit)

    def audit_head(self) -> tuple[int, str]:
        """Return number and hash of the newest entry, to be kept elsewhere as an anchor for :meth:`verify_audit`."""
        with self._database.read(Every.AUDIT) as session:
            return audit.head(session)

    def verify_audit(self, anchor: tuple[int, str] | None = None) -> list[AuditFault]:
        """Return every place where the audit log does not hold; an empty list is a whole log."""
        with self._database.read(Every.AUDIT) as session:
            return find_faults(session, anchor)

    def close(self) -> None:
        """Close the database connections; using the control plane again opens new ones."""
        self._database.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def place(self) -> str:
        """The address of its database, without the password."""
        return self._database.engine.url.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"ControlPlane({self.place})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a control plane is not pickled: open it in the process that needs it")
