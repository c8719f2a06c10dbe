"""Server-side cursors of queries longer than a page: what ``nextRecordsUrl`` points at.

Each locator holds an open DuckDB result, so a page costs the same at the end of a million rows as at the start, and all
pages show the moment of the query. A page asked for again is served from memory or, further back, by asking anew.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

from gtm_pipelines.sandbox.vendor import VendorState

if TYPE_CHECKING:
    import duckdb

    from gtm_pipelines.sandbox.vendors.salesforce.soql.translator import Statement

_MOST = 50


@dataclass
class Locator:
    """One open query."""

    id: str
    statement: Statement
    total: int
    batch: int
    version: str
    cursor: duckdb.DuckDBPyConnection
    position: int = 0
    last_start: int = -1
    last_rows: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def page(self, start: int) -> list[str]:
        """Return the rows from ``start`` on, at most a batch of them."""
        with self.lock:
            if start != self.last_start:
                if start != self.position:
                    self._rewind(start)
                self.last_rows = [text for (text,) in self.cursor.fetchmany(self.batch)]
                self.last_start, self.position = start, start + len(self.last_rows)
            return self.last_rows

    def previous(self) -> list[str]:
        """Return the rows served last."""
        return self.last_rows

    def _rewind(self, start: int) -> None:
        self.cursor.execute(self.statement.rows, self.statement.parameters)
        passed = 0
        while passed < start:
            passed += len(self.cursor.fetchmany(min(self.batch, start - passed))) or start
        self.position = start

    def close(self) -> None:
        """Let go of the open result."""
        self.cursor.close()


class Locators(VendorState):
    """A tenant's open queries; the oldest gives way to the newest, as Salesforce's do."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Locator] = OrderedDict()
        self._serial = count(1)
        self._lock = Lock()

    def open(
        self, statement: Statement, total: int, batch: int, version: str, cursor: duckdb.DuckDBPyConnection
    ) -> Locator:
        """Keep a query whose result is open in ``cursor``."""
        with self._lock:
            locator = Locator(f"01gHs{next(self._serial):010d}", statement, total, batch, version, cursor)
            self._open[locator.id] = locator
            if len(self._open) > _MOST:
                _, oldest = self._open.popitem(last=False)
                oldest.close()
            return locator

    def find(self, locator_id: str) -> Locator | None:
        """Return an open query, or None if it never was, is over or has expired."""
        with self._lock:
            return self._open.get(locator_id)

    def leave(self) -> None:
        """Expire them all."""
        with self._lock:
            for locator in self._open.values():
                locator.close()
            self._open.clear()
