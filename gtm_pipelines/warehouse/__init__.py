"""Where a tenant's tables live: one protocol, the DuckDB adapter, the copy analysts read, and all names."""

from gtm_pipelines.warehouse.opening import has_warehouse, open_warehouse
from gtm_pipelines.warehouse.protocol import (
    Dialect,
    LoadTarget,
    Served,
    Warehouse,
    WarehouseBusyError,
    WarehouseError,
    WarehouseMissingError,
    WarehouseRefusedError,
)
from gtm_pipelines.warehouse.publishing import open_published, publish

__all__ = [
    "Dialect",
    "LoadTarget",
    "Served",
    "Warehouse",
    "WarehouseBusyError",
    "WarehouseError",
    "WarehouseMissingError",
    "WarehouseRefusedError",
    "has_warehouse",
    "open_published",
    "open_warehouse",
    "publish",
]
