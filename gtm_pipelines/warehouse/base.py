"""What both warehouses do in the same way: names, and the tables that every stage shares."""

from __future__ import annotations

from gtm_pipelines.warehouse import names, sql_files
from gtm_pipelines.warehouse.protocol import Warehouse


class BaseWarehouse(Warehouse):
    """The part of a warehouse that does not depend on where its tables are stored."""

    def raw_table(self, connection: str, entity: str) -> str:
        """Return the quoted raw table of an entity."""
        return names.raw_table(connection, entity)

    def quote(self, identifier: str) -> str:
        """Return a quoted identifier."""
        return names.quote(identifier)

    def ensure_tables(self) -> None:
        """Create the shared bookkeeping tables where they are missing."""
        for path in sql_files.bookkeeping():
            self.define(sql_files.load(path))
