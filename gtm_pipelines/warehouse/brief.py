"""Opening a tenant's warehouse for a few small questions, which is all that a sync needs when it finds nothing new.

Making an instance of DuckDB takes 25 ms of CPU, half of what such a sync costs. So each thread keeps one instance, to
which the tenant's file, or an empty database in memory, is attached. It has little memory and one thread: real work
needs an instance of its own.
"""

from __future__ import annotations

import itertools
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.duck import DuckWarehouse, held, open_duck, patiently

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

    from gtm_pipelines.settings import Settings
    from gtm_pipelines.warehouse.protocol import Warehouse

_MEMORY = "64MB"
_NUMBERS = itertools.count(1)
_kept = threading.local()


@contextmanager
def open_briefly(settings: Settings, tenant: str, *, wait: float) -> Iterator[Warehouse]:
    """Open a tenant's file as :func:`~gtm_pipelines.warehouse.duck.open_duck` does, for small questions only.

    A file that is not there yet, or was left by a process that died, is opened in full: making and mending it is work.
    """
    checked = TenantId(tenant)
    path = names.warehouse_file(settings, checked)
    if not path.exists() or path.with_name(f"{path.name}.wal").exists():
        with open_duck(settings, checked, wait=wait, memory=settings.duckdb_memory) as warehouse:
            yield warehouse
        return
    with held(path, wait) as deadline, attached(str(path), lambda take: patiently(path, deadline, take)) as connection:
        yield _BriefWarehouse(checked, connection)


class _BriefWarehouse(DuckWarehouse):
    """Goes by what was noted of the bookkeeping tables: to see to each of them takes as long as all the questions."""

    def ensure_tables(self) -> None:
        """Bring the shared bookkeeping tables in step where nothing says that they are."""
        if not self.has_noted_tables():
            super().ensure_tables()


@contextmanager
def attached(
    database: str = ":memory:", take: Callable[[Callable[[], object]], object] = lambda take: take()
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Attach a database to this thread's instance and yield a connection to it.

    ``take`` calls the attaching function it is given, again for as long as another process holds the file.
    """
    alias = names.quote(f"warehouse_{next(_NUMBERS)}")
    with _instance().cursor() as connection:
        take(lambda: connection.execute(f"ATTACH {names.literal(database)} AS {alias}"))
        try:
            connection.execute(f"USE {alias}")
            yield connection
        finally:
            connection.execute("USE memory")
            connection.execute(f"DETACH {alias}")


def _instance() -> duckdb.DuckDBPyConnection:
    """Return this thread's own instance. A shared one would let go of a file only while no thread asks anything."""
    import duckdb

    if getattr(_kept, "process", None) != os.getpid():  # a fork makes itself another
        _kept.process, _kept.connection = os.getpid(), duckdb.connect(":memory:")
        _kept.connection.execute(
            f"SET threads = 1; SET memory_limit = {names.literal(_MEMORY)}; SET temp_directory = '';"
            "SET autoinstall_known_extensions = false; SET TimeZone = 'UTC'"
        ).fetchall()
    connection: duckdb.DuckDBPyConnection = _kept.connection
    return connection
