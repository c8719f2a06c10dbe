"""The Postgres adapter: the stages' statements run in a local DuckDB, on rows that Postgres keeps.

Both warehouses therefore give the same results: there is one form of every statement. A unit of work (a transaction, or
one statement outside of one) brings the rows it needs, and its difference is written back in one Postgres transaction.
One session of a tenant works at a time, on whatever machine: an advisory lock of the server's says so.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from gtm_pipelines.warehouse import names, sql_files
from gtm_pipelines.warehouse.base import BaseWarehouse
from gtm_pipelines.warehouse.duck import DuckWarehouse
from gtm_pipelines.warehouse.hidden import is_bookkeeping
from gtm_pipelines.warehouse.postgres import layout, roles
from gtm_pipelines.warehouse.postgres.catalogue import Catalogue
from gtm_pipelines.warehouse.postgres.roles import Roles
from gtm_pipelines.warehouse.postgres.served import PostgresServed
from gtm_pipelines.warehouse.postgres.workset import Workset
from gtm_pipelines.warehouse.protocol import (
    Dialect,
    LoadTarget,
    Served,
    WarehouseBusyError,
)
from gtm_pipelines.warehouse.shape import Shape, changes, described
from gtm_pipelines.warehouse.statement import examine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import duckdb
    import polars as pl
    import pyarrow as pa

    from gtm_pipelines.tenancy import TenantId
    from gtm_pipelines.warehouse.postgres.address import Address
    from gtm_pipelines.warehouse.postgres.store import Store
    from gtm_pipelines.warehouse.protocol import Params
    from gtm_pipelines.warehouse.statement import Statement, Table


class PostgresWarehouse(BaseWarehouse):
    """One tenant's warehouse on an open session that holds the tenant's lock."""

    def __init__(self, tenant: TenantId, address: Address, store: Store, local: duckdb.DuckDBPyConnection) -> None:
        self._tenant = tenant
        self._address = address
        self._roles = Roles.of(tenant, address.database)
        self._store = store
        self._duck = DuckWarehouse(tenant, local)
        self._catalogue = Catalogue(tenant, store)
        store.commit()
        self._tables: dict[
            Table, dict[str, str]
        ] = {}  # tables that a statement has named: their columns, DuckDB's types
        self._copied: set[Table] = set()  # of them, those made here after the server's columns, not by our definition
        self._defined: set[str] = set()  # definitions already carried out in this session
        self._altered = 0  # how often a stored table was altered
        self._workset = Workset(tenant, store, local, self._tables)
        self._in_transaction = False
        self._served = PostgresServed(
            tenant, store, in_transaction=lambda: self._in_transaction, create_schema=self._create_schema
        )

    @cached_property
    def _own(self) -> dict[Table, Shape]:
        """The bookkeeping's tables, made in the local DuckDB with their keys, which INSERT OR REPLACE needs."""
        found: dict[Table, Shape] = {}
        for path in sql_files.bookkeeping():
            self._duck.execute(sql_files.load(path))
            found |= {table: self._local(table) for table in examine(sql_files.load(path)).creates}
        return found

    @property
    def tenant(self) -> TenantId:
        """The one tenant whose tables these are."""
        return self._tenant

    @property
    def served(self) -> Served:
        """What is stored, as readers see it."""
        return self._served

    def execute(self, sql: str, params: Params = None) -> int:
        """Run a statement on the rows at hand and return how many it changed."""
        statement = examine(sql)
        if statement.defines and sql in self._defined:
            return 0
        with self._unit():
            self._make_way(statement.creates)
            self._prepare(statement)
            changed = self._duck.execute(sql, params)
            if statement.defines:
                self._define(statement)
                if not statement.replaces:
                    self._defined.add(sql)
        return changed

    def define(self, sql: str) -> bool:
        """Create the tables that ``sql`` defines, and bring those in step that were there."""
        before = self._altered
        self.execute(sql)
        return self._altered > before

    def rows(self, sql: str, params: Params = None) -> list[tuple[Any, ...]]:
        """Return the whole result as tuples."""
        with self._prepared(sql):
            return self._duck.rows(sql, params)

    def arrow(self, sql: str, params: Params = None) -> pa.Table:
        """Return the whole result as an Arrow table."""
        with self._prepared(sql):
            return self._duck.arrow(sql, params)

    def batches(self, sql: str, params: Params = None, *, size: int = 100_000) -> Iterator[pa.RecordBatch]:
        """Stream a result."""
        with self._prepared(sql):
            yield from self._duck.batches(sql, params, size=size)

    def polars(self, sql: str, params: Params = None) -> pl.DataFrame:
        """Return the whole result as a Polars frame."""
        with self._prepared(sql):
            return self._duck.polars(sql, params)

    def registered(self, name: str, table: Any) -> Any:
        """Make ``table`` readable as ``name`` inside the block."""
        return self._duck.registered(name, table)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the block as one or roll all of it back, here and at the server."""
        known, copied = dict(self._tables), set(self._copied)
        self._in_transaction = True
        try:
            with self._duck.transaction():
                yield
                self._workset.flush()
                self._store.commit()
        except BaseException:
            self._store.rollback()
            self._workset.undone()
            self._defined.clear()
            self.__dict__.pop("_own", None)  # they were made in what was rolled back
            self._tables.clear()
            self._tables.update(known)
            self._copied = copied
            raise
        finally:
            self._in_transaction = False
        self._workset.clear()
        self._analyse()

    def fetch(self, table: str, *, on: Sequence[str] = (), keys: str = "", where: str = "") -> None:
        """Bring the rows of a table that the next statements need."""
        (named,) = examine(f"SELECT 1 FROM {table}").reads
        self._know([named])
        self._workset.fetch(named, on, keys, where)

    def look_up(self, into: str, table: str, columns: Sequence[str], *, on: Sequence[str] = (), keys: str = "") -> None:
        """Lay some columns of a table's rows into a temporary relation."""
        (named,) = examine(f"SELECT 1 FROM {table}").reads
        self._know([named])
        with self._alone():
            self._workset.look_up(into, named, columns, on, keys)

    def load_ids(self, connection: str, entity: str) -> list[str]:
        """Return the loads that rows of a raw table came with."""
        schema = names.tenant_schema(self._tenant, names.raw_schema(connection))
        there = names.quote_table(schema, names.entity_table(entity))
        with self._alone():
            found = self._store.execute(
                f"WITH RECURSIVE load(id) AS (SELECT min(_dlt_load_id) FROM {there} UNION ALL"
                f" SELECT (SELECT min(_dlt_load_id) FROM {there} WHERE _dlt_load_id > load.id) FROM load"
                " WHERE load.id IS NOT NULL) SELECT id FROM load WHERE id IS NOT NULL"
            )
        return [str(load) for (load,) in found]

    def has_table(self, schema: str, table: str) -> bool:
        """Tell whether a table exists."""
        return (schema, table) in self._tables or (schema, table) in self._catalogue

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """Return column names and types in order."""
        return dict(self._tables.get((schema, table)) or self._catalogue.columns((schema, table)))

    def raw_entities(self) -> list[tuple[str, str]]:
        """List (connection, entity) of every raw table that exists."""
        if not self.has_table("raw", "entity"):
            return []
        found = self.rows("SELECT connection, entity, table_name FROM raw.entity ORDER BY connection, entity")
        return [
            (str(connection), str(entity))
            for connection, entity, table in found
            if self.has_table(names.raw_schema(connection), table)
        ]

    def load_target(self, connection: str) -> LoadTarget:
        """Return where dlt loads a connection's raw tables; both its schemas are there."""
        raw = names.raw_schema(connection)
        schema = names.tenant_schema(self._tenant, raw)
        with self._alone():
            for each in (schema, names.STAGING_LAYOUT % schema):
                roles.create_schema(self._store, each, self._roles, called=raw)
        address = self._address.for_dlt(self._roles.writer, self._store.lock_wait_s)
        return LoadTarget(Dialect.POSTGRES, address, schema, "csv")

    def _create_schema(self, layer: str) -> None:
        with self._alone():
            roles.create_schema(self._store, names.tenant_schema(self._tenant, layer), self._roles, called=layer)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Commit or undo what is asked of the store outside of a transaction; within one it is part of that."""
        if self._in_transaction:
            yield
            return
        try:
            yield
            self._store.commit()
        except BaseException:
            self._store.rollback()
            raise

    def _analyse(self) -> None:
        """Have grown tables analysed, unless they are locked: by maintenance, which analyses them as well."""
        try:
            if self._workset.analyse():
                self._store.commit()
        except WarehouseBusyError:
            self._store.rollback()

    def check_held(self) -> None:
        """Raise WarehouseError when the session is gone, and the tenant's lock with it."""
        self._store.execute("SELECT 1")
        if not self._in_transaction:
            self._store.commit()

    @contextmanager
    def _prepared(self, sql: str) -> Iterator[None]:
        with self._unit():
            self._prepare(examine(sql))
            yield

    @contextmanager
    def _unit(self) -> Iterator[None]:
        """Make one statement a unit of its own, unless a transaction is open."""
        if self._in_transaction:
            yield
            return
        with self.transaction():
            yield

    def _prepare(self, statement: Statement) -> None:
        self._know(statement.reads | statement.writes | statement.replaces)
        self._workset.prepare(statement)

    def _know(self, tables: Iterable[Table]) -> None:
        """Make the stored tables that are named for the first time in the local DuckDB too, empty."""
        for table in set(tables) - self._tables.keys():
            if table not in self._catalogue:
                continue
            if table in self._own:
                self._bring_in_step(table, self._own[table])
                self._tables[table] = dict(self._own[table].columns)
                continue
            columns, required = self._catalogue.known(table), self._catalogue.required(table)
            listed = [
                f"{names.quote(column)} {kind}{' NOT NULL' if column in required else ''}"
                for column, kind in columns.items()
            ]
            self._duck.execute(f"CREATE SCHEMA IF NOT EXISTS {names.quote(table[0])}")
            self._duck.execute(f"CREATE TABLE {names.quote_table(*table)} ({', '.join(listed)})")
            self._tables[table] = columns
            self._copied.add(table)

    def _make_way(self, created: Collection[Table]) -> None:
        """Drop the local copies of tables that our own definition is about to create: they may have other columns."""
        for table in self._copied.intersection(created):
            if not self._workset.holds(table):
                self._duck.execute(f"DROP TABLE {names.quote_table(*table)}")
                self._copied.remove(table)
                del self._tables[table]

    def _define(self, statement: Statement) -> None:
        """Make at the server the tables that a statement has just made in the local DuckDB, or bring them in step."""
        for table in sorted(statement.creates | statement.writes):
            ours = self._local(table)
            columns = dict(ours.columns)
            is_there = table in self._tables or table in self._catalogue
            if self._tables.get(table) == columns:
                continue
            if is_there and table not in statement.replaces:
                self._bring_in_step(table, ours)
                self._tables[table] = columns
            else:
                self._make(table, columns, set(ours.required), is_there=is_there)

    def _bring_in_step(self, table: Table, ours: Shape) -> None:
        """Add to a stored table the columns it lacks, and let them be null in the local one, as in its old rows."""
        there = Shape(self._catalogue.columns(table), self._catalogue.required(table), {})
        name = names.quote_table(names.tenant_schema(self._tenant, table[0]), table[1])
        for change in changes(table, there, ours, partial(layout.stored_type, table)):
            self._store.execute(f"ALTER TABLE {name} {change}")
            self._altered += 1
        for column in set(ours.required) - set(there.required):
            self._duck.execute(
                f"ALTER TABLE {names.quote_table(*table)} ALTER COLUMN {names.quote(column)} DROP NOT NULL"
            )

    def _local(self, table: Table) -> Shape:
        """Return the shape that a table has in the local DuckDB."""
        return described(self._duck.rows(f"DESCRIBE {names.quote_table(*table)}"))

    def _make(self, table: Table, columns: dict[str, str], required: set[str], *, is_there: bool) -> None:
        """Make a table at the server, in place of the one that is there, if there is one."""
        schema = names.tenant_schema(self._tenant, table[0])
        there = names.quote_table(schema, table[1])
        roles.create_schema(self._store, schema, self._roles, called=table[0])
        if is_there:
            self._store.execute(f"DROP TABLE {there}")
        for sql in layout.create(self._tenant, table, columns, required):
            self._store.execute(sql)
        hidden = is_bookkeeping(*table)
        change, whose = ("REVOKE", "FROM") if hidden else ("GRANT", "TO")
        self._store.execute(f"{change} SELECT ON {there} {whose} {names.quote(self._roles.reader)}")
        self._tables[table] = columns
        self._workset.made(table)
