"""Opening a tenant's warehouse, wherever settings say that it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.settings import Settings
    from gtm_pipelines.warehouse.protocol import Warehouse


@contextmanager
def open_warehouse(
    settings: Settings, tenant: str, *, wait: float = 60, memory: str | None = None
) -> Iterator[Warehouse]:
    """Open a tenant's warehouse for writing, waiting up to ``wait`` seconds for whoever writes it.

    ``memory`` is what DuckDB may use, as ``1GB``; a sync's share (``settings.duckdb_memory``) unless given.

    Raises WarehouseBusyError when the wait was not enough.
    """
    bound = memory or settings.duckdb_memory
    if settings.warehouse_url is not None:
        from gtm_pipelines.warehouse.postgres.adapter import open_postgres

        with open_postgres(settings, tenant, wait=wait, memory=bound) as warehouse:
            yield warehouse
        return
    from gtm_pipelines.warehouse.duck import open_duck

    with open_duck(settings, tenant, wait=wait, memory=bound) as warehouse:
        yield warehouse


def has_warehouse(settings: Settings, tenant: str) -> bool:
    """Tell whether anything was ever stored for a tenant."""
    if settings.warehouse_url is not None:
        from gtm_pipelines.warehouse.postgres.adapter import is_there

        return is_there(settings, tenant)
    return names.warehouse_file(settings, tenant).exists()
