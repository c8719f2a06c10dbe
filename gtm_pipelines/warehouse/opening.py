"""Opening a tenant's warehouse, for those who write and for those who read, wherever settings say that it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.protocol import WarehouseMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gtm_pipelines.settings import Settings
    from gtm_pipelines.warehouse.protocol import Served, Warehouse


@contextmanager
def open_warehouse(
    settings: Settings, tenant: str, *, wait: float = 60, memory: str | None = None, brief: bool = False
) -> Iterator[Warehouse]:
    """Open a tenant's warehouse for writing, waiting up to ``wait`` seconds for whoever writes it.

    ``memory`` is what DuckDB may use, as ``1GB``; a sync's share (``settings.duckdb_memory``) unless given. ``brief``
    is for a few small questions, and costs less where there is nothing to wait for.

    Raises WarehouseBusyError when the wait was not enough.
    """
    bound = memory or settings.duckdb_memory
    if settings.warehouse_url is not None:
        from gtm_pipelines.warehouse.postgres.opening import open_postgres

        with open_postgres(settings, tenant, wait=wait, memory=None if brief else bound) as warehouse:
            yield warehouse
        return
    if brief:
        from gtm_pipelines.warehouse.brief import open_briefly

        with open_briefly(settings, tenant, wait=wait) as warehouse:
            yield warehouse
        return
    from gtm_pipelines.warehouse.duck import open_duck

    with open_duck(settings, tenant, wait=wait, memory=bound) as warehouse:
        yield warehouse


def has_warehouse(settings: Settings, tenant: str) -> bool:
    """Tell whether anything was ever stored for a tenant."""
    if settings.warehouse_url is not None:
        from gtm_pipelines.warehouse.postgres.opening import is_there

        return is_there(settings, tenant)
    return names.warehouse_file(settings, tenant).exists()


def has_published(settings: Settings, tenant: str) -> bool:
    """Tell whether analysts have anything to see of a tenant."""
    if settings.warehouse_url is not None:
        try:
            with open_published(settings, tenant):
                return True
        except WarehouseMissingError:
            return False
    return names.published_file(settings, tenant).exists()


def warehouse_kind(settings: Settings) -> str:
    """Say where tenants' tables are kept; raise WarehouseError when that cannot be used, saying why."""
    if settings.warehouse_url is not None:
        from gtm_pipelines.warehouse.postgres.reading import examine

        return examine(settings)
    return f"DuckDB files in {settings.warehouse_dir}"


@contextmanager
def open_published(settings: Settings, tenant: str) -> Iterator[Served]:
    """Open what analysts see of a tenant, for any SQL they may write: read-only, and nobody waits for anybody.

    Raises WarehouseMissingError while there is nothing to see.
    """
    if settings.warehouse_url is not None:
        from gtm_pipelines.warehouse.postgres.reading import open_reader

        with open_reader(settings, tenant) as served:
            yield served
        return
    from gtm_pipelines.warehouse.publishing import open_copy

    with open_copy(settings, tenant) as served:
        yield served


def publish(settings: Settings, tenant: str, *, wait: float = 60) -> Path | None:
    """Show analysts what changed: copy a file and return its path, or None where they read what is stored."""
    if settings.warehouse_url is not None:
        return None
    from gtm_pipelines.warehouse.publishing import publish_copy

    return publish_copy(settings, tenant, wait=wait)
