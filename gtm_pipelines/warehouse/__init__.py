"""Where a tenant's tables live: one protocol, the DuckDB adapter, the copy analysts read, and all names."""

from gtm_pipelines.warehouse.duck import open_warehouse
from gtm_pipelines.warehouse.protocol import (
    Warehouse,
    WarehouseBusyError,
    WarehouseError,
    WarehouseMissingError,
)
from gtm_pipelines.warehouse.publishing import open_published, publish

__all__ = [
    "Warehouse",
    "WarehouseBusyError",
    "WarehouseError",
    "WarehouseMissingError",
    "open_published",
    "open_warehouse",
    "publish",
]
