"""Dagster's storage in SQLite, with its files kept open between two events.

Dagster makes a new SQLAlchemy engine for every statement and so opens the file, compiles the statement, folds the
write-ahead log back and closes the file again, several times for each event; a full sync of four tenants begins with
228 of them. What is stored, where, and when it is safely on the disk is Dagster's own. Named by ``dagster.yaml``.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dagster._serdes import ConfigurableClassData
    from sqlalchemy import Connection, Engine

_KEPT = 4  # files open at once: the index and the runs at work; a web server looks into many more


def open_engine(address: str) -> Engine:
    """Return an engine that keeps one connection, and opens more where threads need them at once."""
    waits = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
    return create_engine(address, poolclass=QueuePool, pool_size=1, max_overflow=-1, connect_args=waits)


class EventStorage(SqliteEventLogStorage):
    """Events: a file for each run and an index over all of them."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()  # the last used at the end
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    def has_table(self, table_name: str) -> bool:
        """Tell whether the index has a table; one that was there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        """Stop watching and close every file."""
        super().dispose()
        with self._db_lock:
            self._close_down_to(0)

    def delete_events(self, run_id: str) -> None:
        """Delete a run's events, and its file with them: Dagster leaves it, emptied and as large as it was."""
        super().delete_events(run_id)
        with self._db_lock:
            if engine := self._engines.pop(run_id, None):
                engine.dispose()
            self._initialized_dbs.discard(run_id)
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.path_for_shard(run_id)}{ending}").unlink(missing_ok=True)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.pop(shard, None) or open_engine(self.conn_string_for_shard(shard))
            self._engines[shard] = engine
            self._close_down_to(_KEPT)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _close_down_to(self, kept: int) -> None:
        """Close the files not used for longest; whoever is the last to leave one folds its write-ahead log back."""
        while len(self._engines) > kept:
            self._engines.popitem(last=False)[1].dispose()


class RunStorage(SqliteRunStorage):
    """Runs, their tags and the daemons' heartbeats: one file."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engine = open_engine(conn_string)
        super().__init__(conn_string, inst_data)

    def dispose(self) -> None:
        """Close the file."""
        super().dispose()
        self._engine.dispose()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a transaction."""
        with self._engine.connect() as connection, connection.begin():
            yield connection


class SqliteStorage(DagsterSqliteStorage):
    """Runs, events, schedules and ticks below one folder, in the files Dagster itself would use."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        home = Path(base_dir) / "history"
        self._run_storage = RunStorage.from_local(str(home))
        self._event_log_storage = EventStorage(str(home / "runs"))

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> SqliteStorage:
        """Open the storage below the folder that ``dagster.yaml`` names."""
        return cls.from_local(config_value["base_dir"], inst_data=inst_data)
