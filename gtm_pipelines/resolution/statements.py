"""Running the files of ``sql/golden``: the same statements serve people and accounts, with a few words put in.

The words are constants of this package (KIND is ``person`` or ``account``), never data and never a tenant's names.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from gtm_pipelines.warehouse import sql_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_pipelines.warehouse import Warehouse


def insert(warehouse: Warehouse, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert a few rows, at least one, with one statement."""
    marks = ", ".join("(" + ", ".join("?" for _ in row) + ")" for row in rows)
    warehouse.execute(f"INSERT INTO {table} VALUES {marks}", [value for row in rows for value in row])


class Statements:
    """A warehouse, the words of one kind, and how long each file took."""

    def __init__(self, warehouse: Warehouse, words: dict[str, str], seconds: dict[str, float]) -> None:
        self.warehouse = warehouse
        self.words = words
        self.seconds = seconds

    def run(self, name: str, **more: str) -> None:
        """Run ``sql/golden/<name>.sql``."""
        self.execute(sql_files.load(f"golden/{name}.sql"), name, **more)

    def execute(self, sql: str, name: str, **more: str) -> None:
        """Run statements under a name for the clock."""
        text = self._said(sql, **more)
        started = time.perf_counter()
        self.warehouse.execute(text)
        key = f"{self.words['KIND']}.{name}"
        self.seconds[key] = self.seconds.get(key, 0.0) + time.perf_counter() - started

    def fetch(self, table: str, *, on: Sequence[str] = (), keys: str = "", where: str = "") -> None:
        """Ask for the rows of a table that statements to come read, under the clock of asking."""
        started = time.perf_counter()
        columns = [self._said(column) for column in on]
        self.warehouse.fetch(self._said(table), on=columns, keys=self._said(keys), where=where)
        key = f"{self.words['KIND']}.fetch"
        self.seconds[key] = self.seconds.get(key, 0.0) + time.perf_counter() - started

    def _said(self, sql: str, **more: str) -> str:
        words = self.words | more
        return re.sub("|".join(words), lambda found: words[found[0]], sql)

    def count(self, relation: str) -> int:
        """Count the rows of a relation of this package's own."""
        return int(self.warehouse.rows(f"SELECT count(*) FROM {relation}")[0][0])
