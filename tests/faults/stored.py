"""How the oracle reads what a tenant has stored: plain SQL past everything of the pipeline's.

A query is written once, in what DuckDB and Postgres both take, and says ``stored.table(...)`` where it names a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg2

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Stored:
    """One tenant's tables: ``rows`` runs a query, ``prefix`` stands before the name of each of its schemas."""

    rows: Callable[[str], list[Row]]
    prefix: str = ""

    def table(self, schema: str, table: str) -> str:
        """Spell a table as the query must."""
        return f'"{self.prefix}{schema}"."{table}"'

    def tables(self, begins: str) -> list[tuple[str, str]]:
        """List (schema, table) of all schemas whose names begin so, dlt's own tables left out."""
        sql = (
            "SELECT table_schema, table_name FROM information_schema.tables"
            f" WHERE starts_with(table_schema, '{self.prefix}{begins}') AND NOT starts_with(table_name, '_dlt')"
        )
        return sorted((str(schema).removeprefix(self.prefix), str(table)) for schema, table in self.rows(sql))


def in_duckdb(connection: duckdb.DuckDBPyConnection) -> Stored:
    """Read the one tenant of an open DuckDB."""
    return Stored(lambda sql: connection.execute(sql).fetchall())


@contextmanager
def in_file(file: Path) -> Iterator[Stored]:
    """Open a DuckDB file that nobody holds."""
    with duckdb.connect(str(file), read_only=True) as connection:
        yield in_duckdb(connection)


@contextmanager
def in_postgres(superuser_dsn: str, tenant: str) -> Iterator[Stored]:
    """Open a tenant's schemas as somebody who may see everything."""
    connection = psycopg2.connect(superuser_dsn)
    try:
        with connection.cursor() as cursor:

            def rows(sql: str) -> list[Row]:
                cursor.execute(sql)
                return list(cursor.fetchall())

            yield Stored(rows, f"{tenant}__")
    finally:
        connection.close()
