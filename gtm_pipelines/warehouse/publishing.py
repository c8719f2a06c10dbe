"""The read-only copy for analysts: replaced atomically, opened locked down.

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
from gtm_pipelines.warehouse.protocol import Warehouse, WarehouseMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from gtm_pipelines.settings import Settings


def publish(settings: Settings, tenant: str, *, wait: float = 60) -> Path:
    """Copy the tenant's warehouse as it stands to ``published/<tenant>.duckdb`` and return that path."""
    source, target = names.warehouse_file(settings, tenant), names.published_file(settings, tenant)
    if not source.exists():
        raise WarehouseMissingError(f"there is nothing to publish for {tenant!r} yet: run `gtm sync {tenant}` first")
    target.parent.mkdir(parents=True, exist_ok=True)
    with held(source, wait) as deadline, source.open("rb") as reader:
        # The reader is closed after DuckDB: POSIX drops a process's locks on a file when it closes any handle of it.
        connection = connect(source, deadline)
        try:
            connection.execute("CHECKPOINT").fetchall()
            _replace(target, reader)
        finally:
            connection.close()
    return target


def _replace(target: Path, reader: BinaryIO) -> None:
    """Write a durable copy beside ``target`` and rename it over."""
    fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with fresh.open("wb") as writer:
            shutil.copyfileobj(reader, writer, 4 * 1024 * 1024)
            writer.flush()
            os.fsync(writer.fileno())
        fresh.chmod(0o444)  # a reader that forgets read-only must not write into what others read
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def open_published(settings: Settings, tenant: str) -> Iterator[Warehouse]:
    """Open the published copy for any SQL an analyst may write.

    The file is attached read-only; SQL can reach no other file, no network and no setting.
    """
    import duckdb  # noqa: PLC0415  definitions import this module; the driver loads when a warehouse is opened

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
