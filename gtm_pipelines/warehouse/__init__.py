"""Where a tenant's tables live: one protocol, the DuckDB adapter, the copy analysts read, and all names."""

from gtm_pipelines.warehouse.opening import (
    has_published,
    has_warehouse,
    open_published,
    open_warehouse,
    publish,
    warehouse_kind,
)
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

__all__ = [
    "Dialect",
    "LoadTarget",
    "Served",
    "Warehouse",
    "WarehouseBusyError",
    "WarehouseError",
    "WarehouseMissingError",
    "WarehouseRefusedError",
    "has_published",
    "has_warehouse",
    "open_published",
    "open_warehouse",
    "publish",
    "warehouse_kind",
]
