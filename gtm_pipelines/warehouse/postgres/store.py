"""One session at the Postgres server: statements, rows in and out as Arrow, and what went wrong in words.

The session works under one role at a time; whose role that is, and what the statements mean, is decided elsewhere.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.postgres.address import SESSION
from gtm_pipelines.warehouse.postgres.errors import answers, cannot_open, in_words
from gtm_pipelines.warehouse.protocol import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from gtm_pipelines.warehouse.postgres.address import Address

LOCK_WAIT_S = 30
"""How long a statement waits for a lock: beside us only people and maintenance hold any."""

_TYPES_KNOWN = {"adbc.postgresql.type_resolver_mode": "builtin"}
"""Else the driver reads every column of every table of the database, all tenants' together, for each session."""


class Store:
    """A session that commits when told to. Everything it raises is a WarehouseError."""

    def __init__(self, address: Address, tenant: str) -> None:
        import adbc_driver_postgresql.dbapi as postgres

        self._tenant = tenant
        self.lock_wait_s = LOCK_WAIT_S
        try:
            self._connection = postgres.connect(address.uri, db_kwargs=_TYPES_KNOWN)
        except postgres.Error as error:
            raise cannot_open(error, tenant) from None
        settings = {"TimeZone": "UTC", "lock_timeout": f"{self.lock_wait_s}s", **SESSION}
        set_all = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
        self.execute(f"SELECT {set_all}")
        self.commit()

    @property
    def connection(self) -> Any:
        """The driver's own connection."""
        return self._connection

    def execute(self, sql: str, arrays: Sequence[pa.Array[Any]] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows, if it has any; each of ``arrays`` is one parameter, as an array."""
        with self._words(), self._connection.cursor() as cursor:
            cursor.execute(sql, _bound(arrays) if arrays else None)
            return cursor.fetchall() if cursor.description else []

    def read(self, sql: str, arrays: Sequence[pa.Array[Any]] = ()) -> pa.Table:
        """Run one query and return its result."""
        with self._words(), self._connection.cursor() as cursor:
            cursor.execute(sql, _bound(arrays) if arrays else None)
            table: pa.Table = cursor.fetch_arrow_table()
            return table

    @contextmanager
    def stream(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        """Run one query and give its result batch by batch."""
        with self._words(), self._connection.cursor() as cursor:
            cursor.execute(sql)
            yield cursor.fetch_record_batch()

    def append(self, schema: str, table: str, rows: pa.RecordBatchReader) -> None:
        """Append rows by COPY; their columns are told by name."""
        with self._words(), self._connection.cursor() as cursor:
            cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema)

    def lay(self, table: str, rows: pa.RecordBatchReader) -> None:
        """Put rows into a new temporary table."""
        with self._words(), self._connection.cursor() as cursor:
            cursor.adbc_ingest(table, rows, mode="create", temporary=True)

    def become(self, role: str) -> None:
        """Take a role from here on."""
        self.execute(f"SET ROLE {names.quote(role)}")

    def commit(self) -> None:
        """Make what was done last."""
        with self._words():
            self._connection.commit()

    def rollback(self) -> None:
        """Undo what was done since the last commit; of a session that is lost, the server has done it."""
        with suppress(WarehouseError), self._words():
            self._connection.rollback()

    def _words(self) -> AbstractContextManager[None]:
        return in_words(self._tenant, lambda: answers(self._connection))

    def close(self) -> None:
        """End the session."""
        with suppress(WarehouseError), self._words():
            self._connection.close()


def _bound(arrays: Sequence[pa.Array[Any]]) -> pa.RecordBatch:
    """Make one row of parameters of which each is an array of text."""
    import pyarrow as pa

    columns = [
        pa.ListArray.from_arrays(pa.array([0, len(each)], pa.int32()), each.cast(pa.string())) for each in arrays
    ]
    return pa.record_batch(columns, names=[f"p{number}" for number in range(len(columns))])
