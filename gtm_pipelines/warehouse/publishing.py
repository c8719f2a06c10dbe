"""The read-only copy for analysts: what is meant for them and no bookkeeping; replaced atomically, opened locked down.

A reader that holds the old copy keeps it until it closes; a writer never waits for a reader.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.duck import DuckWarehouse, connect, held
from gtm_pipelines.warehouse.hidden import is_bookkeeping
from gtm_pipelines.warehouse.protocol import Served, WarehouseMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    import duckdb

    from gtm_pipelines.settings import Settings


_TABLES = "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?"


def publish_copy(settings: Settings, tenant: str, *, wait: float) -> Path:
    """Copy the tenant's warehouse, less its bookkeeping, to ``published/<tenant>.duckdb`` and return that path."""
    source, target = names.warehouse_file(settings, tenant), names.published_file(settings, tenant)
    if not source.exists():
        raise WarehouseMissingError(f"there is nothing to publish for {tenant!r} yet: run `gtm sync {tenant}` first")
    target.parent.mkdir(parents=True, exist_ok=True)
    with held(source, wait) as deadline, source.open("rb") as reader:
        # The reader is closed after DuckDB: POSIX drops a process's locks on a file when it closes any handle of it.
        connection = connect(source, deadline)
        try:
            connection.execute("CHECKPOINT").fetchall()
            _replace(target, reader, connection)
        finally:
            connection.close()
    return target


def _replace(target: Path, reader: BinaryIO, connection: duckdb.DuckDBPyConnection) -> None:
    """Write a durable copy without bookkeeping beside ``target`` and rename it over."""
    fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with fresh.open("wb") as writer:
            shutil.copyfileobj(reader, writer, 4 * 1024 * 1024)
        _drop_bookkeeping(fresh, connection)
        _sync(fresh)
        fresh.chmod(0o444)  # a reader that forgets read-only must not write into what others read
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
        fresh.with_name(f"{fresh.name}.wal").unlink(missing_ok=True)
    _sync(target.parent)


def _drop_bookkeeping(copy: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Drop from the copy what no analyst asks for and no view of theirs reads; its pages stay in the file."""
    catalog = names.quote(names.ALIAS)
    connection.execute(f"ATTACH {names.literal(str(copy))} AS {catalog}").fetchall()
    tables = connection.execute(_TABLES, [names.ALIAS]).fetchall()
    schemas = {schema for schema, _ in tables if names.is_staging(schema)}
    drops = [f"DROP SCHEMA {catalog}.{names.quote(schema)} CASCADE" for schema in sorted(schemas)] + [
        f"DROP TABLE {catalog}.{names.quote(schema)}.{names.quote(table)}"
        for schema, table in tables
        if schema not in schemas and is_bookkeeping(schema, table)
    ]
    connection.execute(";".join(["BEGIN", *drops, "COMMIT", f"CHECKPOINT {catalog}", f"DETACH {catalog}"])).fetchall()


def _sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def open_copy(settings: Settings, tenant: str) -> Iterator[Served]:
    """Open the published copy for any SQL an analyst may write.

    The file is attached read-only; SQL can reach no other file, no network and no setting.
    """
    import duckdb

    path = names.published_file(settings, tenant)
    if not path.exists():
        others = sorted(file.stem for file in settings.published_dir.glob("*.duckdb"))
        raise WarehouseMissingError(
            f"nothing is published for {tenant!r} yet: run `gtm sync {tenant}` and `gtm refine {tenant}` first"
            + (f"; published are {', '.join(others)}" if others else "")
        )
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(
            f"ATTACH {names.literal(str(path))} AS {names.quote(names.ALIAS)} (READ_ONLY);"
            f"USE {names.quote(names.ALIAS)};"
            f"SET memory_limit = {names.literal(settings.duckdb_memory)};"
            "SET TimeZone = 'UTC';"
            "SET enable_external_access = false;"
            "SET lock_configuration = true"
        ).fetchall()
        yield DuckWarehouse(TenantId(tenant), connection)
    finally:
        connection.close()
