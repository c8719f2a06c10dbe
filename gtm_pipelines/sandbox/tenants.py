"""What the server keeps per tenant: its open world, its faults, its ledger, and each vendor's sessions.

A world that was made anew or moved by another process is noticed on the next request. Nothing here outlives the server
except what is in the world's file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from gtm_pipelines.sandbox import store
from gtm_pipelines.sandbox.customerio.limit import Limiter
from gtm_pipelines.sandbox.faults import CustomerioFaults, SalesforceFaults
from gtm_pipelines.sandbox.ledger import Ledger
from gtm_pipelines.sandbox.salesforce.locators import Locators
from gtm_pipelines.sandbox.salesforce.sessions import Sessions
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb


@dataclass
class World:
    """An open world file. Use one cursor per thing at a time; DuckDB refuses a connection that is busy."""

    path: Path
    connection: duckdb.DuckDBPyConnection

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own to the same database."""
        return self.connection.cursor()

    def now(self) -> datetime:
        """Return the world's present."""
        with self.cursor() as cursor:
            (now_s,) = cursor.execute("SELECT now_s FROM gen.world").fetchall()[0]
        return datetime.fromtimestamp(now_s, UTC)


@dataclass
class Tenant:
    """One tenant of the running sandbox."""

    id: TenantId
    world: World
    salesforce_faults: SalesforceFaults = field(default_factory=SalesforceFaults.model_construct)
    customerio_faults: CustomerioFaults = field(default_factory=CustomerioFaults.model_construct)
    ledger: Ledger = field(default_factory=Ledger)
    sessions: Sessions = field(default_factory=Sessions)
    locators: Locators = field(default_factory=Locators)
    limiter: Limiter = field(default_factory=Limiter)

    def enter(self, world: World) -> None:
        """Go on in another world; whatever pointed into the old one is void."""
        self.locators.clear()
        self.world = world


class Tenants:
    """The tenants of one sandbox directory, opened when first asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self._tenants: dict[str, Tenant] = {}
        self._lock = Lock()

    def get(self, name: str) -> Tenant:
        """Return the tenant with its current world; raise NoWorldError or InvalidNameError."""
        tenant_id = TenantId(name)
        path = store.current(store.home(self.directory, tenant_id))
        with self._lock:
            known = self._tenants.get(tenant_id)
            if known is not None and known.world.path == path:
                return known
            world = World(path, store.open_file(path))
            if known is None:
                known = self._tenants[tenant_id] = Tenant(tenant_id, world)
            else:
                old = known.world
                known.enter(world)
                old.connection.close()
            return known

    def close(self) -> None:
        """Close every world."""
        with self._lock:
            for tenant in self._tenants.values():
                tenant.locators.clear()
                tenant.world.connection.close()
            self._tenants.clear()
