"""Both warehouses, for suites that hold for either: files in a folder, and a Postgres of this process's own."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

import pytest

from tests import postgres

KINDS = ("duckdb", "postgres")

DUCKDB_ALONE = pytest.mark.parametrize("warehouse_url", [None], ids=["duckdb"])
"""For what is decided without asking the warehouse, or from all its rows at once: DuckDB computes for either, and what
is asked of Postgres there, other tests ask of both."""


def address(kind: str) -> str | None:
    """Return the GTM_WAREHOUSE_URL of an empty warehouse of this kind; the one before it is emptied for it."""
    return fresh() if kind == "postgres" else None


def fresh() -> str:
    """Return the address of a Postgres warehouse in which no tenant has anything."""
    database = _database()
    with postgres.shared().session(database) as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%\\_\\_%' AND nspname NOT LIKE 'pg\\_%'")
        schemas = [f'"{name}"' for (name,) in cursor.fetchall()]
        if schemas:
            cursor.execute(f"DROP SCHEMA {', '.join(schemas)} CASCADE")
    return postgres.shared().dsn(database, "gtm")


def another() -> str:
    """Return the address of a Postgres warehouse beside :func:`fresh`'s."""
    server = postgres.shared()
    database = server.create_database("gtm")
    server.psql("ALTER ROLE gtm CREATEROLE")
    return server.dsn(database, "gtm")


@cache
def _database() -> str:
    return urlsplit(another()).path.removeprefix("/")
