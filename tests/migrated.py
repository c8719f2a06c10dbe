"""Migrations of an empty SQLite file, run once in a process and then told again: Alembic takes 33 ms of CPU each time.

A control plane that has tables already, or is not SQLite's, is migrated by Alembic, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import inspect

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Recorded:
    """Stands in for ``migrate._upgrade``."""

    def __init__(self, upgrade: Callable[[Connection], None]) -> None:
        self._upgrade = upgrade
        self._statements: list[str] = []

    def __call__(self, connection: Connection) -> None:
        """Bring the database to the newest schema, in the caller's transaction."""
        if connection.dialect.name != "sqlite" or inspect(connection).get_table_names():
            self._upgrade(connection)
        elif self._statements:
            for statement in self._statements:
                connection.exec_driver_sql(statement)
        else:
            self._upgrade(connection)
            self._statements = _dumped(connection)


def _dumped(connection: Connection) -> list[str]:
    """Return the statements that make the same tables, rows and triggers, without those around a transaction."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return [each for each in driver.iterdump() if each not in {"BEGIN TRANSACTION;", "COMMIT;"}]
