"""A tenant's tables on Postgres as people read them: marts, typed views, checks, and an analyst's own questions.

Statements come with the layers' names and DuckDB's parameters, results go with the types DuckDB would give. The session
is under a role that reaches one tenant only; who gives it that role is not decided here.
"""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.postgres import sql_text
from gtm_pipelines.warehouse.postgres.errors import answers, in_words
from gtm_pipelines.warehouse.postgres.results import as_duck, bound
from gtm_pipelines.warehouse.protocol import Column, Dialect, Params, Served, WarehouseRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    import polars as pl
    import pyarrow as pa

    from gtm_pipelines.tenancy import TenantId

_COPIED = {"select", "with", "values", "table"}
"""What the driver can have copied out in binary; anything else that gives rows (EXPLAIN, SHOW) is read the slow way."""

_KINDS = {
    "text": "VARCHAR",
    "character varying": "VARCHAR",
    "double precision": "DOUBLE",
    "timestamp without time zone": "TIMESTAMP",
    "json": "JSON",
    "jsonb": "JSON",
    "text[]": "VARCHAR[]",
    "character varying[]": "VARCHAR[]",
}


class Session(Protocol):
    """What is asked of a session that commits when told to."""

    @property
    def connection(self) -> Any:
        """The driver's own connection."""

    def commit(self) -> None:
        """Make what was done last."""

    def rollback(self) -> None:
        """Undo what was done since the last commit, if there is anything to undo."""


class PostgresServed(Served):
    """One tenant's tables on an open session.

    ``in_transaction`` tells whether the session's owner has a transaction open; what is asked meanwhile is part of it.
    ``create_schema`` makes a missing schema, given by its layer's name, with the rights of its readers.
    """

    def __init__(
        self,
        tenant: TenantId,
        session: Session,
        *,
        in_transaction: Callable[[], bool] = lambda: False,
        create_schema: Callable[[str], None] | None = None,
    ) -> None:
        self._tenant = tenant
        self._session = session
        self._own_transaction = False
        self._owner_in_transaction = in_transaction
        self._create_schema = create_schema

    @property
    def tenant(self) -> TenantId:
        """The one tenant whose tables these are."""
        return self._tenant

    @property
    def dialect(self) -> Dialect:
        """Whose SQL it is."""
        return Dialect.POSTGRES

    def execute(self, sql: str, params: Params = None) -> int:
        """Run a statement, or several as one, and return how many rows the last changed; 0 where that is not known."""
        texts = sql_text.statements(sql)
        if len(texts) == 1 or self._in_transaction():
            return [self._run(text, params) for text in texts][-1]
        with self.transaction():
            return [self._run(text) for text in texts][-1]

    def rows(self, sql: str, params: Params = None) -> list[tuple[Any, ...]]:
        """Return the whole result as tuples."""
        table = self.arrow(sql, params)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True)) if table.num_columns else []

    def arrow(self, sql: str, params: Params = None) -> pa.Table:
        """Return the whole result as an Arrow table."""
        _only_asks(sql)
        with self._asked(sql, params) as cursor:
            return as_duck(cursor.fetch_arrow_table())

    def batches(self, sql: str, params: Params = None, *, size: int = 100_000) -> Iterator[pa.RecordBatch]:
        """Stream a result. Numbers without limit (``numeric``) are whole in each batch that has only whole ones."""
        import pyarrow as pa

        _only_asks(sql)
        with self._asked(sql, params) as cursor:
            try:
                for batch in cursor.fetch_record_batch():
                    yield from as_duck(pa.Table.from_batches([batch])).to_batches(max_chunksize=size)
            except GeneratorExit:
                if not self._in_transaction():  # which it would end
                    cursor.adbc_cancel()  # else the driver reads all the rest, to drop it
                raise

    def polars(self, sql: str, params: Params = None) -> pl.DataFrame:
        """Return the whole result as a Polars frame."""
        import polars as pl

        frame = pl.from_arrow(self.arrow(sql, params))
        return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the block as one or roll all of it back; within another's transaction it is part of that."""
        if self._in_transaction():
            yield
            return
        self._own_transaction = True
        try:
            yield
        except BaseException:
            self._own_transaction = False
            self._session.rollback()
            raise
        self._own_transaction = False
        self._session.commit()

    def has_table(self, schema: str, table: str) -> bool:
        """Tell whether a table or view exists."""
        return bool(self.rows(_HAS_TABLE, [self._schema(schema), table]))

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """Return column names and types in order, as DuckDB calls them."""
        return {column.name: column.kind for column in self._columns([schema]) if column.table == table}

    def catalogue(self, schemas: Collection[str]) -> list[Column]:
        """List every column of every table and view of some schemas that may be read, table by table, in order."""
        return self._columns(schemas)

    def ensure_schema(self, schema: str) -> None:
        """Create a schema that is missing; asked first, because Postgres wants the right to do so even where it is."""
        if self.rows(_HAS_SCHEMA, [self._schema(schema)]):
            return
        if self._create_schema is not None:
            self._create_schema(schema)
        else:
            self.execute(f"CREATE SCHEMA {names.quote(schema)}")

    def replace_view(self, schema: str, view: str, select: str) -> None:
        """Create a view or replace it in place; where its columns changed, which Postgres refuses, drop it first.

        Dropping is refused while somebody else's view reads it.
        """
        name = names.quote_table(schema, view)
        drop, create = (
            sql_text.physical(text, self._tenant)
            for text in (f"DROP VIEW IF EXISTS {name}", f"CREATE VIEW {name} AS {select}")
        )
        replace = create.replace("CREATE", "CREATE OR REPLACE", 1)
        tag = f"$t{blake2b(create.encode(), digest_size=8).hexdigest()}$"  # which no text in it can be
        self.execute(
            f"DO {tag} BEGIN {replace}; EXCEPTION WHEN invalid_table_definition THEN {drop}; {create}; END {tag}"
        )

    def _columns(self, schemas: Collection[str]) -> list[Column]:
        called = {self._schema(schema): schema for schema in schemas}
        found = self.rows(_COLUMNS, [sorted(called)])
        return [
            Column(called[schema], table, name, _KINDS.get(kind, kind.upper()), comment)
            for schema, table, name, kind, comment in found
        ]

    def _schema(self, schema: str) -> str:
        return names.tenant_schema(self._tenant, schema)

    def _run(self, sql: str, params: Params = None) -> int:
        with self._asked(sql, params) as cursor:
            return max(0, int(cursor.rowcount))

    @contextmanager
    def _asked(self, sql: str, params: Params) -> Iterator[Any]:
        """Send one statement and yield the cursor its result is read from."""
        single, *others = sql_text.statements(sql) or ("",)
        if others or not single:
            raise WarehouseRefusedError("one statement is run at a time: give one, and nothing behind its semicolon")
        text, values = sql_text.numbered(sql_text.physical(single, self._tenant), params)
        text += "\n"  # or a comment at its end would swallow what the driver puts behind it
        options = {"adbc.postgresql.use_copy": "true" if sql_text.first_word(text) in _COPIED else "false"}
        with in_words(self._tenant, self._is_alive), self._alone():
            cursor = self._session.connection.cursor(adbc_stmt_kwargs=options)
            with cursor:
                cursor.execute(text, bound(values) if values else None)
                yield cursor

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Commit or undo a statement that is not part of a transaction."""
        try:
            yield
        except BaseException:
            if not self._in_transaction():
                self._session.rollback()
            raise
        if not self._in_transaction():
            self._session.commit()

    def _in_transaction(self) -> bool:
        return self._own_transaction or self._owner_in_transaction()

    def _is_alive(self) -> bool:
        is_alive = answers(self._session.connection)
        if not self._in_transaction():
            self._session.rollback()
        return is_alive


def _only_asks(sql: str) -> None:
    if sql_text.first_word(sql) and not sql_text.is_question(sql):
        raise WarehouseRefusedError(
            "only questions are answered here (SELECT, WITH, VALUES, TABLE, EXPLAIN, SHOW); set_config, pg_settings, U&"
            " and functions that run a text as SQL may not even be mentioned"
        )


_HAS_SCHEMA = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1"
_HAS_TABLE = """
SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm')
"""
_COLUMNS = """
SELECT n.nspname, c.relname, a.attname,
       pg_catalog.format_type(a.atttypid, NULL), pg_catalog.col_description(c.oid, a.attnum)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
ORDER BY n.nspname, c.relname, a.attnum
"""
