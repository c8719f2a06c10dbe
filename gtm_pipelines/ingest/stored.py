"""What is stored of an entity, as a batch is compared with it: the raw table, if it is one that we made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import names

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Warehouse

HEAD = ("external_id", "source_updated_at", "is_deleted", "payload_hash")
"""What rows are compared by."""

NOTHING = (
    "(SELECT NULL::VARCHAR AS external_id, NULL::TIMESTAMPTZ AS source_updated_at, false AS is_deleted,"
    " NULL::JSON AS payload, NULL::VARCHAR AS payload_hash WHERE false)"
)
"""A relation of no rows, in place of a table that is not there."""

_COLUMNS = {
    "external_id": "VARCHAR",
    "source_updated_at": "TIMESTAMP WITH TIME ZONE",
    "is_deleted": "BOOLEAN",
    "payload": "JSON",
    "payload_hash": "VARCHAR",
    "synced_at": "TIMESTAMP WITH TIME ZONE",
}


class TableChangedError(Exception):
    """A raw table is not as we made it; the message names the column."""


def stored_table(warehouse: Warehouse, connection: str, entity: str) -> str | None:
    """Return the raw table, None while it holds nothing; raise TableChangedError."""
    table = names.raw_table(connection, entity)
    columns = warehouse.columns(names.raw_schema(connection), names.entity_table(entity))
    if not columns:
        return None
    for column, kind in _COLUMNS.items():
        if columns.get(column) != kind:
            raise TableChangedError(
                f"{table} was changed by hand: {column} must be {kind} and is {columns.get(column, 'missing')}; "
                f"put it back, or drop the table and sync in full"
            )
    return table if warehouse.served.rows(f"SELECT 1 FROM {table} LIMIT 1") else None
