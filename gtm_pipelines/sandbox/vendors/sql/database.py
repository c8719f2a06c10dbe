"""Writing the world's rows into a real database: SQLite beside the world, or any connection a test hands over.

A write leaves what did not change alone and takes away what is gone, in one transaction, as an application would. The
SQL is the part that SQLite and Postgres share.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox import remote
from gtm_pipelines.sandbox.vendor import Account, VendorState
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from gtm_pipelines.sandbox.tenants import Tenant

_BATCH = 5_000
_FILE = "backoffice.sqlite3"
TABLES = """\
people: {table: people, cursor: updated_at, deleted: deleted, lag: 10m}
accounts: {table: accounts, cursor: updated_at, deleted: deleted, lag: 10m}
activities: {table: activities, cursor: updated_at, deletes: full_diff, lag: 10m}
"""
_COLUMNS = {
    "people": {
        "id": "{key}", "email": "text", "first_name": "text", "last_name": "text", "title": "text", "phone": "text",
        "account_id": "bigint", "score": "{exact}", "updated_at": "timestamp", "deleted": "boolean NOT NULL",
    },
    "accounts": {
        "id": "{key}", "name": "text", "domain": "text", "industry": "text", "employees": "bigint",
        "revenue": "{exact}", "updated_at": "timestamp", "deleted": "boolean NOT NULL",
    },
    "activities": {
        "id": "{key}", "type": "text", "channel": "text", "occurred_at": "timestamp", "person_id": "bigint",
        "account_id": "bigint", "subject": "text", "updated_at": "timestamp",
    },
}  # fmt: skip
_WORDS = {
    "sqlite": {"key": "INTEGER PRIMARY KEY", "exact": "numeric", "mark": "?"},
    "postgres": {"key": "bigint PRIMARY KEY", "exact": "numeric(18, 4)", "mark": "%s"},
}


def connected(directory: Path, tenant: str) -> Account:
    """Let the running sandbox keep the tenant's SQLite file in step from now on; return what a connection needs."""
    return Account(**remote.post(directory, f"{tenant}/_database"))


def write(world: duckdb.DuckDBPyConnection, target: Any, kind: str = "sqlite") -> None:
    """Bring a database in step with the world. ``target`` is an open DB-API connection, ``kind`` says to what."""
    words = _WORDS[kind]
    cursor = target.cursor()
    for table, columns in _COLUMNS.items():
        listed = ", ".join(f"{name} {declared.format(**words)}" for name, declared in columns.items())
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({listed})")
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {table}_changed ON {table} (updated_at, id)")
        cursor.execute("CREATE TEMP TABLE kept (id bigint PRIMARY KEY)")
        _upsert(world, cursor, table, words["mark"])
        cursor.execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT id FROM kept)")
        cursor.execute("DROP TABLE kept")
    target.commit()


def _upsert(world: duckdb.DuckDBPyConnection, cursor: Any, table: str, mark: str) -> None:
    columns = list(_COLUMNS[table])
    marks = ", ".join([mark] * len(columns))
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changed} "
        f"WHERE {table}.updated_at <> excluded.updated_at"
    )
    read = ", ".join(_read(name, declared) for name, declared in _COLUMNS[table].items())
    with world.cursor() as reader:
        rows = reader.execute(f"SELECT {read} FROM sql.{table} ORDER BY id")
        while batch := rows.fetchmany(_BATCH):
            cursor.executemany(statement, batch)
            cursor.executemany(f"INSERT INTO kept VALUES ({mark})", [row[:1] for row in batch])


def _read(name: str, declared: str) -> str:
    """Read a column as values that every driver takes: moments and exact numbers as text."""
    if declared == "timestamp":
        return f"strftime({name}, '%Y-%m-%d %H:%M:%S')"
    return f"{name}::VARCHAR" if declared == "{exact}" else name


class _Kept(VendorState):
    """The tenant whose file is written again after each day."""

    def __init__(self) -> None:
        self.tenant: Tenant | None = None

    def start_day(self) -> None:
        if self.tenant is not None:
            _write_file(self.tenant)


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer ``POST /<tenant>/_database``: write the file and say how it is reached."""
    del call
    tenant.state(_Kept).tenant = tenant
    path = _write_file(tenant)
    settings = {"tables": TABLES, "private_network": True}
    return as_json({"settings": settings, "credentials": {"dsn": f"sqlite:///{path}"}})


def _write_file(tenant: Tenant) -> Path:
    path = tenant.world.path.parent / _FILE
    with closing(sqlite3.connect(path)) as target, tenant.world.cursor() as world:
        write(world, target)
    return path
