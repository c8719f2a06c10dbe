"""What the server keeps per tenant: its open world, its faults, its ledger, and what each vendor remembers.

A world that was made anew or moved by another process is noticed on the next request. Nothing here outlives the server
except what is in the world's file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from gtm_pipelines.sandbox import store
from gtm_pipelines.sandbox.faults import Faults
from gtm_pipelines.sandbox.ledger import Ledger
from gtm_pipelines.sandbox.vendor import VendorState
from gtm_pipelines.sandbox.vendors import vendors
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

StateT = TypeVar("StateT")
FaultsT = TypeVar("FaultsT", bound=Faults)


def _no_faults() -> dict[str, Faults]:
    return {name: vendor.faults.model_construct() for name, vendor in vendors().items()}


@dataclass
class World:
    """An open world file. Use one cursor per thing at a time; DuckDB refuses a connection that is busy."""

    path: Path
    connection: duckdb.DuckDBPyConnection
    vendors: frozenset[str]

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
    faults: dict[str, Faults] = field(default_factory=_no_faults)  # by vendor
    ledger: Ledger = field(default_factory=Ledger)
    _states: dict[type, Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def state(self, kind: type[StateT]) -> StateT:
        """Return what a vendor remembers of this tenant: one object of each class, made when first asked for."""
        with self._lock:
            if kind not in self._states:
                self._states[kind] = kind()
            found: StateT = self._states[kind]
            return found

    def faults_of(self, kind: type[FaultsT]) -> FaultsT:
        """Return the faults of the vendor whose faults are of this class."""
        return next(each for each in self.faults.values() if isinstance(each, kind))

    def start_day(self) -> None:
        """Tell every vendor that time has moved."""
        for state in self._told():
            state.start_day()

    def leave(self) -> None:
        """Let go of whatever points into the present world."""
        for state in self._told():
            state.leave()

    def enter(self, world: World) -> None:
        """Go on in another world; whatever pointed into the old one is void."""
        self.leave()
        self.world = world

    def _told(self) -> list[VendorState]:
        with self._lock:
            return [state for state in self._states.values() if isinstance(state, VendorState)]


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
            world = _opened(path)
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
                tenant.leave()
                tenant.world.connection.close()
            self._tenants.clear()


def _opened(path: Path) -> World:
    connection = store.open_file(path)
    known = connection.execute("SELECT id FROM gen.vendor").fetchall()
    return World(path, connection, frozenset(name for (name,) in known))
