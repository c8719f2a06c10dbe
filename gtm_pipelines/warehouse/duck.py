"""The DuckDB adapter: one private file per tenant, one process at a time, bounded memory.

DuckDB refuses a second process at once instead of letting it wait, so waiting is done here. Inside one process, a lock
per file does the same for threads. The connection is opened without any option and configured by ``SET``: dlt opens
the same path while a sync holds it, shares this instance, and so works under the same memory limit.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import names, shape, sql_files
from gtm_pipelines.warehouse.base import BaseWarehouse
from gtm_pipelines.warehouse.protocol import (
    Column,
    Dialect,
    LoadTarget,
    Params,
    Served,
    Warehouse,
    WarehouseBusyError,
    WarehouseError,
    WarehouseMissingError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    import duckdb
    import polars as pl
    import pyarrow as pa

    from gtm_pipelines.settings import Settings

_HOLDER = re.compile(r"Could not set lock on file.*?(?:\(PID (\d+)\))?\. See", re.DOTALL)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0  # seconds
_THREADS = 4  # more buys little on these sizes and each thread's buffers count against the memory limit
_SMALL = 32 * 1024 * 1024  # bytes: up to here hardly a table has two row groups, and a row group is a thread's share
T = TypeVar("T")
_in_process: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)


class DuckWarehouse(BaseWarehouse, Served):
    """One tenant's warehouse on an open DuckDB connection, which computes and serves."""

    def __init__(self, tenant: TenantId, connection: duckdb.DuckDBPyConnection) -> None:
        self._tenant = tenant
        self._connection = connection
        self._defined: set[str] = set()  # definitions that this connection has already brought in step
        self._in_transaction = False

    @property
    def tenant(self) -> TenantId:
        """The one tenant whose tables these are."""
        return self._tenant

    @property
    def served(self) -> Served:
        """The tables are stored where they are computed."""
        return self

    @property
    def dialect(self) -> Dialect:
        """Whose SQL it is."""
        return Dialect.DUCKDB

    def execute(self, sql: str, params: Params = None) -> int:
        """Run a statement and return how many rows it changed."""
        result = self._connection.execute(sql, params)
        is_count = [column[0] for column in result.description or []] == ["Count"]
        row = result.fetchall()  # always read to the end: a half-read result owns the connection
        return int(row[0][0]) if is_count and row else 0

    def define(self, sql: str) -> bool:
        """Create the tables that ``sql`` defines, and bring those in step that were there."""
        if sql in self._defined:
            return False
        is_altered = False
        self.execute(sql)
        for table, ours in shape.defined(sql).items():
            name = names.quote_table(*table)
            there = shape.described(self.rows(f"DESCRIBE {name}"))
            for change in shape.changes(table, there, ours, lambda _, kind: kind):
                self.execute(f"ALTER TABLE {name} {change}")
                is_altered = True
        self._defined.add(sql)
        return is_altered

    def ensure_tables(self) -> None:
        """Bring the shared bookkeeping tables in step, and note that they are."""
        super().ensure_tables()
        self.execute("CREATE TABLE IF NOT EXISTS quality.defined (hash VARCHAR NOT NULL)")
        if not self.has_noted_tables():
            self.execute("DELETE FROM quality.defined")
            self.execute("INSERT INTO quality.defined (hash) VALUES (?)", [sql_files.bookkeeping_hash()])

    def has_noted_tables(self) -> bool:
        """Tell whether this release's bookkeeping tables were seen to when the file was last open for work."""
        return self.has_table("quality", "defined") and (
            self.rows("SELECT hash FROM quality.defined") == [(sql_files.bookkeeping_hash(),)]
        )

    def rows(self, sql: str, params: Params = None) -> list[tuple[Any, ...]]:
        """Return the whole result as tuples."""
        return self._connection.execute(sql, params).fetchall()

    def arrow(self, sql: str, params: Params = None) -> pa.Table:
        """Return the whole result as an Arrow table."""
        table: pa.Table = self._connection.sql(sql, params=params).to_arrow_table()
        return table

    def batches(self, sql: str, params: Params = None, *, size: int = 100_000) -> Iterator[pa.RecordBatch]:
        """Stream a result."""
        yield from self._connection.sql(sql, params=params).to_arrow_reader(size)

    def polars(self, sql: str, params: Params = None) -> pl.DataFrame:
        """Return the whole result as a Polars frame."""
        frame: pl.DataFrame = self._connection.sql(sql, params=params).pl()
        return frame

    @contextmanager
    def registered(self, name: str, table: Any) -> Iterator[None]:
        """Make ``table`` readable as ``name`` inside the block."""
        self._connection.register(name, table)
        try:
            yield
        finally:
            self._connection.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the block as one or roll all of it back."""
        self._connection.begin()
        self._in_transaction = True
        try:
            yield
        except BaseException:
            self._connection.rollback()
            self._defined.clear()
            raise
        finally:
            self._in_transaction = False
        self._connection.commit()

    def fetch(self, table: str, *, on: Sequence[str] = (), keys: str = "", where: str = "") -> None:
        """Do nothing: the rows are stored where they are computed."""

    def look_up(self, into: str, table: str, columns: Sequence[str], *, on: Sequence[str] = (), keys: str = "") -> None:
        """Make a view of some columns of a table."""
        del on, keys
        listed = ", ".join(names.quote(column) for column in columns)
        self.execute(f"CREATE OR REPLACE TEMP VIEW {names.quote(into)} AS SELECT {listed} FROM {table}")

    def load_ids(self, connection: str, entity: str) -> list[str]:
        """Return the loads that rows of a raw table came with."""
        found = self.rows(f"SELECT DISTINCT _dlt_load_id FROM {names.raw_table(connection, entity)} ORDER BY ALL")
        return [str(load) for (load,) in found]

    def check_held(self) -> None:
        """Do nothing: while this has the file open, no other process can."""

    def load_target(self, connection: str) -> LoadTarget:
        """Return the file itself: dlt shares this process's instance of it."""
        ((path,),) = self.rows("SELECT path FROM duckdb_databases() WHERE database_name = current_database()")
        return LoadTarget(Dialect.DUCKDB, str(path), names.raw_schema(connection), "parquet")

    def has_table(self, schema: str, table: str) -> bool:
        """Tell whether a table or view exists.

        A connection's first look at DuckDB's catalogue takes ten times what opening the table does, so that is tried
        first; not in a transaction, which a table that is missing would end.
        """
        return (not self._in_transaction and self._answers(schema, table)) or bool(
            self.rows(_HAS_TABLE, {"schema": schema, "table": table})
        )

    def _answers(self, schema: str, table: str) -> bool:
        import duckdb

        try:
            self.rows(f"SELECT 1 FROM {names.quote_table(schema, table)} LIMIT 0")
        except duckdb.Error:
            return False
        return True

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """Return column names and types in order."""
        if not self.has_table(schema, table):
            return {}
        found = self.rows(f"DESCRIBE {names.quote(schema)}.{names.quote(table)}")  # duckdb_columns() costs 10 ms
        return {str(name): str(kind) for name, kind, *_ in found}

    def catalogue(self, schemas: Collection[str]) -> list[Column]:
        """List every column of every table and view of some schemas, table by table, in order."""
        return [Column(*row) for row in self.rows(_CATALOGUE, [list(schemas)])]

    def ensure_schema(self, schema: str) -> None:
        """Create a schema that is missing."""
        self.execute(f"CREATE SCHEMA IF NOT EXISTS {names.quote(schema)}")

    def replace_view(self, schema: str, view: str, select: str) -> None:
        """Create a view, or put another in its place."""
        self.execute(f"CREATE OR REPLACE VIEW {names.quote(schema)}.{names.quote(view)} AS {select}")

    def raw_entities(self) -> list[tuple[str, str]]:
        """List (connection, entity) of every raw table that exists."""
        if not self.has_table("raw", "entity"):
            return []
        return [(str(connection), str(entity)) for connection, entity in self.rows(_RAW_ENTITIES)]


_HAS_TABLE = (
    "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database()"
    " AND schema_name = $schema AND table_name = $table UNION ALL "
    "SELECT 1 FROM duckdb_views() WHERE NOT internal AND database_name = current_database()"
    " AND schema_name = $schema AND view_name = $table"
)
_CATALOGUE = (
    "SELECT schema_name, table_name, column_name, data_type, comment FROM duckdb_columns()"
    " WHERE database_name = current_database() AND schema_name IN (SELECT unnest(?))"
    " ORDER BY schema_name, table_name, column_index"
)
_RAW_ENTITIES = (
    "SELECT connection, entity FROM raw.entity e JOIN duckdb_tables() t ON t.database_name = current_database()"
    " AND t.schema_name = 'raw_' || e.connection AND t.table_name = e.table_name"
    " ORDER BY connection, entity"
)


@contextmanager
def open_duck(settings: Settings, tenant: str, *, wait: float, memory: str) -> Iterator[Warehouse]:
    """Open a tenant's private file, waiting up to ``wait`` seconds for whoever holds it.

    Raises WarehouseBusyError naming the holder's process when the wait was not enough.
    """
    checked = TenantId(tenant)
    path = names.warehouse_file(settings, checked)
    with held(path, wait) as deadline:
        connection = connect(path, deadline)
        try:
            configure(connection, memory, names.spill_directory(settings, checked))
            if path.stat().st_size > _SMALL:
                widen(connection)
            yield DuckWarehouse(checked, connection)
        finally:
            connection.close()


@contextmanager
def held(path: Path, wait: float) -> Iterator[float]:
    """Keep other threads of this process off ``path``; yields the monotonic time until which to wait for processes."""
    deadline = time.monotonic() + wait
    lock = _in_process[path]
    if not lock.acquire(timeout=max(wait, 0)):
        raise WarehouseBusyError(
            f"the warehouse of {path.stem.split('__')[0]!r} is in use by another task of this process; try again later",
            pid=os.getpid(),
        )
    try:
        yield deadline
    finally:
        lock.release()


def connect(path: Path, deadline: float) -> duckdb.DuckDBPyConnection:
    """Connect read-write to ``path``, as :func:`patiently` says."""
    import duckdb

    path.parent.mkdir(parents=True, exist_ok=True)
    return patiently(path, deadline, lambda: duckdb.connect(str(path)))


def patiently(path: Path, deadline: float, take: Callable[[], T]) -> T:
    """Take ``path``, retrying with jitter while another process holds it.

    Raises WarehouseMissingError when it was erased meanwhile: who waited for it must not make it again.
    """
    import duckdb

    pause, was_there = _FIRST_PAUSE, path.exists()
    while True:
        if was_there and not path.exists():
            raise WarehouseMissingError(f"the warehouse file {path} was erased while this waited for it")
        try:
            return take()
        except duckdb.IOException as error:
            holder = _HOLDER.search(str(error))  # DuckDB gives no code for it; the text is its only sign
            if holder is None:
                raise WarehouseError(f"the warehouse file {path} cannot be opened: {error}") from error
            pid = int(holder[1]) if holder[1] else None
            if time.monotonic() >= deadline:
                who = f"process {pid}" if pid else "another process"
                raise WarehouseBusyError(
                    f"the warehouse file {path} is held by {who}; wait for it or end it, then try again", pid=pid
                ) from None
        time.sleep(min(pause * random.uniform(0.5, 1.5), max(deadline - time.monotonic(), 0)))  # noqa: S311  jitter
        pause = min(pause * 2, _LONGEST_PAUSE)


def configure(connection: duckdb.DuckDBPyConnection, memory: str, spill: Path) -> None:
    """Bound memory and threads; a spill left by a killed process is ours to remove, for we hold the tenant.

    It starts with one thread: where rows are few a second one has nothing to do, and merely waiting it takes a third of
    the CPU of a small refresh. See :func:`widen`.
    """
    shutil.rmtree(spill, ignore_errors=True)
    connection.execute(
        f"SET memory_limit = {names.literal(memory)};"
        "SET threads = 1;"
        f"SET temp_directory = {names.literal(str(spill))};"
        "SET preserve_insertion_order = false;"  # keeps large loads and copies within the memory limit
        "SET autoinstall_known_extensions = false;"  # a misspelt function must not reach for the network
        "SET TimeZone = 'UTC'"
    ).fetchall()


def widen(connection: duckdb.DuckDBPyConnection) -> None:
    """Let several threads work; for a large file, or when many rows came."""
    connection.execute(f"SET threads = {min(os.cpu_count() or 1, _THREADS)}").fetchall()
