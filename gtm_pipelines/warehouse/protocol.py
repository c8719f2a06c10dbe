"""What every stage may ask of a tenant's warehouse, and the errors it may meet.

Stages know this protocol and SQL; they know neither the file, nor the driver, nor another tenant. A warehouse belongs
to the thread that opened it and to one tenant for as long as it is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import polars as pl
    import pyarrow as pa

    from gtm_pipelines.tenancy import TenantId

Params = Sequence[Any] | Mapping[str, Any] | None
"""Positional (``?``, ``$1``) or named (``$name``) values of a statement."""


class WarehouseError(Exception):
    """The warehouse could not do what was asked; the message says what to mend."""


class WarehouseBusyError(WarehouseError):
    """Another process holds the file; ``pid`` is that process where it is known. Trying again later is right."""

    def __init__(self, message: str, *, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class WarehouseMissingError(WarehouseError):
    """Nothing was published for the tenant yet."""


class Warehouse(Protocol):
    """One tenant's tables."""

    @property
    def tenant(self) -> TenantId:
        """The one tenant whose tables these are."""

    def execute(self, sql: str, params: Params = None) -> int:
        """Run a statement (or, without params, several) and return how many rows the last one changed."""

    def rows(self, sql: str, params: Params = None) -> list[tuple[Any, ...]]:
        """Return the whole result as tuples; for small results."""

    def arrow(self, sql: str, params: Params = None) -> pa.Table:
        """Return the whole result as an Arrow table."""

    def batches(self, sql: str, params: Params = None, *, size: int = 100_000) -> Iterator[pa.RecordBatch]:
        """Stream a result; nothing else may be asked of this warehouse until it is read to its end or closed."""

    def polars(self, sql: str, params: Params = None) -> pl.DataFrame:
        """Return the whole result as a Polars frame."""

    def registered(self, name: str, table: Any) -> AbstractContextManager[None]:
        """Make an Arrow table or reader, or a Polars frame, readable as the relation ``name`` inside the block."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit the block's effect as one, or nothing of it when it raises. Blocks do not nest."""

    def has_table(self, schema: str, table: str) -> bool:
        """Tell whether a table or view exists."""

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """Return column names and types in order; empty when there is no such table."""

    def raw_entities(self) -> list[tuple[str, str]]:
        """List (connection, entity) of every raw table that exists, in order, entity as the vendor spells it."""

    def raw_table(self, connection: str, entity: str) -> str:
        """Return the quoted raw table of an entity."""

    def quote(self, identifier: str) -> str:
        """Return a quoted identifier."""

    def ensure_tables(self) -> None:
        """Create the bookkeeping tables shared by the stages where they are missing."""
