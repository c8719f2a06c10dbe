"""One worker at a time per connection: leases with an epoch, kept alive by heartbeat, fenced at the moment of the load.

Taking a lease raises its epoch in the same statement that checks it is free. A worker that was taken over finds out at
its next ``check``, which is why one stands right before every load. Expiry is judged by the database's clock; a holder
whose process has surely died on this machine is passed over at once. Leases are not configuration and leave no audit.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, Self

from sqlalchemy import and_, insert, or_, select, update

from gtm_pipelines.control_plane.database import database_now
from gtm_pipelines.control_plane.errors import (
    BusyError,
    LeaseLostError,
    LockTimeoutError,
    UnreachableError,
    no_such_connection,
)
from gtm_pipelines.control_plane.processes import Process, is_surely_dead, this_process
from gtm_pipelines.control_plane.schema import lease

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from sqlalchemy import ColumnElement

    from gtm_pipelines.control_plane.database import Database, Transaction
    from gtm_pipelines.tenancy import ConnectionName, TenantId

    _Key = tuple[TenantId, ConnectionName, str]

SYNC = "sync"
REFRESH = "refresh"
_BEATS_PER_TTL = 4  # heartbeats while a lease lasts, so that some may be missed


class Lease:
    """The right to sync one connection, or to refresh its token, for ``ttl`` seconds from its last heartbeat.

    As a context manager it keeps itself alive and is released at the end.
    """

    def __init__(self, database: Database, key: _Key, owner: str, grant: tuple[int, str], ttl: float) -> None:
        self._database = database
        self._tenant, self._name, self._purpose = key
        self.owner = owner
        self.epoch, self._holder = grant
        self.ttl = ttl
        self._stop = threading.Event()
        self._beating: threading.Thread | None = None

    def heartbeat(self) -> None:
        """Extend the lease by its whole ttl from now; raise LeaseLostError when another holds it or it is gone.

        A lease that ran out but that nobody took is still ours: no other epoch exists that could have written.
        """
        with self._database.coordinate(self._tenant) as connection:
            kept = connection.execute(
                update(lease).where(self._mine()).values(expires_at=database_now() + self.ttl)
            ).rowcount
        if not kept:
            raise LeaseLostError(
                f"{self.owner} lost the lease of {self._tenant}/{self._name} (epoch {self.epoch}): another worker "
                "took it over or the connection was removed; this run stops without writing"
            )

    def check(self) -> None:
        """Prove, right before a load, that the lease is still ours, and start the load with a whole ttl ahead."""
        self.heartbeat()

    def release(self) -> None:
        """Give the lease back; releasing one that was lost does nothing."""
        self._stop_beating()
        with self._database.coordinate(self._tenant) as connection:
            connection.execute(update(lease).where(self._mine()).values(expires_at=0.0))

    def __enter__(self) -> Self:
        self._stop.clear()
        self._beating = threading.Thread(target=self._beat, name=f"lease-{self._name}", daemon=True)
        self._beating.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _mine(self) -> ColumnElement[bool]:
        return and_(
            _at((self._tenant, self._name, self._purpose)), lease.c.epoch == self.epoch, lease.c.holder == self._holder
        )

    def _beat(self) -> None:
        while not self._stop.wait(self.ttl / _BEATS_PER_TTL):
            try:
                self.heartbeat()
            except LeaseLostError:
                return  # the worker learns it at its next check
            except (BusyError, UnreachableError):
                continue  # the next beat comes well before the lease runs out

    def _stop_beating(self) -> None:
        self._stop.set()
        if self._beating is not None:
            self._beating.join()
            self._beating = None

    def __repr__(self) -> str:
        return f"Lease({self._tenant}/{self._name} {self._purpose} epoch={self.epoch} owner={self.owner!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a lease belongs to the process that took it")


def create(work: Transaction, tenant: TenantId, name: ConnectionName) -> None:
    """Make the free lease rows of a new connection, so that taking one is a single conditional update."""
    free: dict[str, Any] = {"epoch": 0, "holder": "", "owner": "", "boot_id": "", "pid": 0, "process_started": 0}
    for purpose in (SYNC, REFRESH):
        work.connection.execute(
            insert(lease).values(tenant_id=tenant, connection=name, purpose=purpose, expires_at=0.0, **free)
        )


def acquire(
    database: Database, tenant: TenantId, name: ConnectionName, purpose: str, *, owner: str, ttl: float
) -> Lease | None:
    """Take the lease if it is free, ran out, or its holder is surely dead; None when another holds it."""
    if ttl <= 0:
        raise ValueError("a lease needs a ttl above zero seconds")
    key = tenant, name, purpose
    me, holder = this_process(), uuid.uuid4().hex
    with database.coordinate(tenant) as connection:
        row = connection.execute(select(lease).where(_at(key))).one_or_none()
        if row is None:
            raise no_such_connection(tenant, name)
        takeable = lease.c.expires_at <= database_now()
        if is_surely_dead(Process(row.boot_id, row.pid, row.process_started)):
            takeable = or_(takeable, lease.c.holder == row.holder)
        epoch = connection.execute(
            update(lease)
            .where(_at(key), takeable)
            .values(
                epoch=lease.c.epoch + 1,
                holder=holder,
                owner=owner[:200],
                boot_id=me.boot_id,
                pid=me.pid,
                process_started=me.started,
                expires_at=database_now() + ttl,
            )
            .returning(lease.c.epoch)
        ).scalar_one_or_none()
    return None if epoch is None else Lease(database, key, owner, (epoch, holder), ttl)


@contextmanager
def wait_for_lease(
    database: Database, tenant: TenantId, name: ConnectionName, purpose: str, *, owner: str, ttl: float, wait: float
) -> Iterator[Lease]:
    """Hold the lease, waiting up to ``wait`` seconds for it; raise LockTimeoutError after that."""
    deadline = time.monotonic() + wait
    while (taken := acquire(database, tenant, name, purpose, owner=owner, ttl=ttl)) is None:
        if time.monotonic() >= deadline:
            raise LockTimeoutError(
                f"another worker held the {purpose} lock of {tenant}/{name} for {wait:.0f} seconds; try again"
            )
        time.sleep(random.uniform(0.01, 0.05))  # noqa: S311  spreads the waiting, guards nothing
    with taken:
        yield taken


def _at(key: _Key) -> ColumnElement[bool]:
    return and_(lease.c.tenant_id == key[0], lease.c.connection == key[1], lease.c.purpose == key[2])
