"""Opening a tenant's warehouse on Postgres: its roles, its lock, and the DuckDB that computes on its rows."""

from __future__ import annotations

import random
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.brief import attached
from gtm_pipelines.warehouse.duck import configure
from gtm_pipelines.warehouse.postgres import roles
from gtm_pipelines.warehouse.postgres.adapter import PostgresWarehouse
from gtm_pipelines.warehouse.postgres.address import address_of
from gtm_pipelines.warehouse.postgres.roles import Roles
from gtm_pipelines.warehouse.postgres.store import Store
from gtm_pipelines.warehouse.protocol import Warehouse, WarehouseBusyError, WarehouseMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0  # seconds


@contextmanager
def open_postgres(settings: Settings, tenant: str, *, wait: float, memory: str | None) -> Iterator[Warehouse]:
    """Open a tenant's warehouse for writing, waiting up to ``wait`` seconds for whoever works on it.

    ``memory`` is what the local DuckDB may use; None is for a few small questions, which share an instance.

    Raises WarehouseBusyError when the wait was not enough, and WarehouseMissingError when the tenant was erased
    meanwhile: who waited for it must not make it again.
    """
    import duckdb

    checked = TenantId(tenant)
    address = address_of(settings)
    store = Store(address, checked)
    spill = names.spill_directory(settings, checked)
    try:
        ours = Roles.of(checked, address.database)
        was_there = roles.exist(store, ours)
        lock(store, checked, wait)
        if not roles.exist(store, ours):
            if was_there:
                raise WarehouseMissingError(f"the warehouse of {str(checked)!r} was erased while this waited for it")
            roles.create(store, checked, ours)
        store.become(ours.writer)
        store.commit()
        if memory is None:
            with attached() as shared:
                yield PostgresWarehouse(checked, address, store, shared)
            return
        spill.parent.mkdir(parents=True, exist_ok=True)  # DuckDB makes the last folder of a path, and no other
        local = duckdb.connect(":memory:")
        try:
            configure(local, memory, spill)
            yield PostgresWarehouse(checked, address, store, local)
        finally:
            local.close()
            shutil.rmtree(spill, ignore_errors=True)
    finally:
        store.close()


def is_there(settings: Settings, tenant: str) -> bool:
    """Tell whether anything was ever stored for a tenant."""
    store = Store(address_of(settings), tenant)
    try:
        schema = names.literal(names.tenant_schema(TenantId(tenant), "raw"))
        return bool(store.execute(f"SELECT 1 FROM pg_namespace WHERE nspname = {schema}"))
    finally:
        store.close()


def lock(store: Store, tenant: TenantId, wait: float) -> None:
    """Take the tenant's lock for the session; raise WarehouseBusyError when the wait was not enough."""
    number = names.number(f"warehouse of {tenant}")
    deadline, pause = time.monotonic() + wait, _FIRST_PAUSE
    while True:
        (taken,) = store.execute(f"SELECT pg_try_advisory_lock({number})")[0]
        store.commit()
        if taken:
            return
        if time.monotonic() >= deadline:
            raise WarehouseBusyError(
                f"the warehouse of {str(tenant)!r} is being written by another process (a sync or a refinement, "
                "maybe on another machine); try again later"
            )
        time.sleep(min(pause * random.uniform(0.5, 1.5), max(deadline - time.monotonic(), 0)))  # noqa: S311  jitter
        pause = min(pause * 2, _LONGEST_PAUSE)
