"""What every stage may ask of a tenant's warehouse, and the errors it may meet.

Stages know this protocol and SQL; they know neither the file, nor the driver, nor another tenant. A warehouse belongs
to the thread that opened it and to one tenant for as long as it is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager

    import polars as pl
    import pyarrow as pa

    from gtm_pipelines.tenancy import TenantId

Params = Sequence[Any] | Mapping[str, Any] | None
"""Positional (``?``, ``$1``) or named (``$name``) values of a statement."""


class WarehouseError(Exception):
    """The warehouse could not do what was asked; the message says what to mend."""


class WarehouseBusyError(WarehouseError):
    """Another process or task has the warehouse; ``pid`` is the process where it is known. Trying again is right."""

    def __init__(self, message: str, *, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class WarehouseMissingError(WarehouseError):
    """There is nothing of the tenant: nothing was stored or published yet, or it was erased."""


class WarehouseRefusedError(WarehouseError):
    """The database refused a statement: it is misspelt, asks for what is not there, or a value does not fit."""


class Dialect(StrEnum):
    """Whose SQL a served statement is run by, for the few that cannot be written once."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"


class Column(NamedTuple):
    """A column as the catalogue shows it; ``kind`` is DuckDB's name of the type, whoever stores it."""

    schema: str
    table: str
    name: str
    kind: str
    comment: str | None


class Served(Protocol):
    """One tenant's tables where they are stored, for what people read: marts, typed views, checks, questions.

    Its SQL is written once, in what DuckDB and Postgres both take with equal results, and names schemas as the layers
    are called (``golden.person``), wherever the database keeps them.
    """

    @property
    def tenant(self) -> TenantId:
        """The one tenant whose tables these are."""

    @property
    def dialect(self) -> Dialect:
        """Whose SQL it is."""

    def execute(self, sql: str, params: Params = None) -> int:
        """Run a statement (or, without params, several as one) and return how many rows the last changed, if known."""

    def rows(self, sql: str, params: Params = None) -> list[tuple[Any, ...]]:
        """Return the whole result as tuples; for small results."""

    def arrow(self, sql: str, params: Params = None) -> pa.Table:
        """Return the whole result as an Arrow table."""

    def batches(self, sql: str, params: Params = None, *, size: int = 100_000) -> Iterator[pa.RecordBatch]:
        """Stream a result; nothing else may be asked until it is read to its end or closed."""

    def polars(self, sql: str, params: Params = None) -> pl.DataFrame:
        """Return the whole result as a Polars frame."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit the block's effect as one, or nothing of it when it raises. Blocks do not nest."""

    def has_table(self, schema: str, table: str) -> bool:
        """Tell whether a table or view exists."""

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """Return column names and types in order, as DuckDB calls them; empty when there is no such table."""

    def catalogue(self, schemas: Collection[str]) -> list[Column]:
        """List every column of every table and view of some schemas, table by table, in order."""

    def ensure_schema(self, schema: str) -> None:
        """Create a schema that is missing, with the rights its readers need."""

    def replace_view(self, schema: str, view: str, select: str) -> None:
        """Create a view, or put another in its place, whatever columns it had; both or neither."""


class LoadTarget(NamedTuple):
    """Where dlt loads a connection's raw tables to, and in what form."""

    destination: Dialect
    address: str  # a file, or how the server is reached; it may hold a password
    dataset: str
    file_format: Literal["parquet", "csv"]

    def __repr__(self) -> str:
        """Show it without its address."""
        return f"LoadTarget({self.destination}, {self.dataset})"


class Warehouse(Protocol):
    """One tenant's tables, as the stages work on them.

    Statements are DuckDB's, whatever stores the tables. Where Postgres stores them, the rows that a unit of work (a
    transaction, or one statement outside of one) reads are first brought into a local DuckDB: all rows of a table when
    a statement reads it, unless :meth:`fetch` said before which of them are enough.
    """

    @property
    def tenant(self) -> TenantId:
        """The one tenant whose tables these are."""

    @property
    def served(self) -> Served:
        """The same tables where they are stored, for what people read."""

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

    def fetch(self, table: str, *, on: Sequence[str] = (), keys: str = "", where: str = "") -> None:
        """Bring the rows of a table that the statements up to the end of the transaction read.

        They are those whose columns ``on`` equal a row of the query ``keys``, or those that meet ``where`` (SQL that
        DuckDB and Postgres both take), or all. Further calls add to them. On DuckDB it does nothing.
        """

    def look_up(self, into: str, table: str, columns: Sequence[str], *, on: Sequence[str] = (), keys: str = "") -> None:
        """Make the temporary relation ``into`` of some columns of a table's rows: at least of those with these keys."""

    def load_ids(self, connection: str, entity: str) -> list[str]:
        """Return the loads that the rows of a raw table came with, in order; it has to be there."""

    def check_held(self) -> None:
        """Raise WarehouseError unless this process still holds the tenant's warehouse; called right before a load."""

    def load_target(self, connection: str) -> LoadTarget:
        """Return where the raw tables of a connection are loaded to; its schema is there."""

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

    def define(self, sql: str) -> bool:
        """Create the tables that ``sql`` defines where they are missing, and bring those of an earlier release in step.

        Returns whether any was altered: a column that it lacked was added, empty, and whoever defines the table has to
        make its rows anew. Raises WarehouseError where a stored column is of another type.
        """

    def ensure_tables(self) -> None:
        """Create the bookkeeping tables shared by the stages where they are missing."""
