"""One table as a source: its columns and key, the newest value of its cursor, and its rows from a place on, as Arrow.

The order is (cursor, key), because one time is shared by thousands of rows after a mass update. Rows without a time
come with every read. A statement is one snapshot, streamed in chunks: it neither drifts nor fills the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from connectors.errors import Stop
from connectors.runtime.databases import jsontexts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa
    from sqlalchemy.engine import Engine

KEY_MEMBER = "_key"
"""The member a row of a table with a key of several columns gets beside its own: their values, joined by colons."""


_LAST = "'9999-12-31 23:59:59'"  # Postgres goes on to the year 294276 and to infinity, which are no time to go on from


@dataclass(frozen=True, slots=True)
class Position:
    """After the row of ``key`` at ``at``; without a key, before all rows of ``at``. Texts are the database's own."""

    at: str
    key: tuple[str, ...] = ()


@dataclass
class Table:
    """One table or view of an open database."""

    engine: Engine
    described: sa.Table
    name: str
    typed: Callable[[str], AbstractContextManager[None]]

    @property
    def kind(self) -> str:
        """The database's kind."""
        return str(self.engine.dialect.name)

    @property
    def columns(self) -> dict[str, sa.Column[Any]]:
        """The columns by name, in their order."""
        return {str(column.name): column for column in self.described.columns}

    @cached_property
    def types(self) -> dict[str, str]:
        """The columns with the types of a field catalogue."""
        return {name: _type_of(column) for name, column in self.columns.items()}

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the primary key; empty for a view or a table without one."""
        return tuple(str(column.name) for column in self.described.primary_key.columns)

    def column(self, name: str) -> sa.Column[Any]:
        """Return a column; raise Stop naming those there are."""
        found = self.columns.get(name)
        if found is None:
            raise Stop("no_column", f"{self.name} has no column {name!r}; it has {', '.join(list(self.columns)[:30])}")
        return found

    def check(self, left_out: Sequence[str]) -> int:
        """Make sure that the user may read the columns that are not left out; return how many they are."""
        chosen = [column for name, column in self.columns.items() if name not in left_out]
        with self.typed(self.name), self.engine.connect() as connection:
            connection.execute(sa.select(*chosen).limit(0))
        return len(chosen)

    def newest(self, cursor: str) -> str | None:
        """Return the greatest value of the cursor as text; None for an empty table."""
        column = self.column(cursor)
        # the greatest of what the column holds, not of its text: 10 is more than 9
        greatest = sa.select(sa.func.max(column).label("newest"))
        if self.kind == "postgresql" and self.types[cursor] in ("timestamp", "date"):
            greatest = greatest.where(column.between(sa.literal_column("'0001-01-01'"), sa.literal_column(_LAST)))
        found = greatest.subquery()
        read = sa.cast(found.c.newest, sa.CHAR if self.kind == "mysql" else sa.Text)
        with self.typed(self.name), self.engine.connect() as connection:
            value = connection.execute(sa.select(read)).scalar()
        return None if value is None else str(value)

    def rows(
        self, key: Sequence[str], cursor: str | None, after: Position | None, *, left_out: Sequence[str], size: int
    ) -> Iterator[pa.Table]:
        """Yield chunks of (payload, at, k0, k1…) after a position, in order; everything without one."""
        from dlt.sources.sql_database.helpers import TableLoader

        statement = self._statement(key, cursor, after, left_out)
        loader = TableLoader(
            self.engine,
            "pyarrow",
            self.described,
            {column.name: {"name": column.name, "data_type": "text"} for column in statement.selected_columns},
            chunk_size=size,
            query_adapter_callback=lambda *_: statement,
        )
        with self.typed(self.name):
            yield from loader.load_rows()

    def _statement(
        self, key: Sequence[str], cursor: str | None, after: Position | None, left_out: Sequence[str]
    ) -> sa.Select[Any]:
        columns = {name: column for name, column in self.columns.items() if name not in left_out}
        keys = [self.column(name) for name in key]
        texts = [jsontexts.as_text(self.kind, column) for column in keys]
        more = {KEY_MEMBER: jsontexts.json_of_text(self.kind, self._joined(keys))} if len(keys) > 1 else {}
        at: Any = sa.null() if cursor is None else jsontexts.as_text(self.kind, self.column(cursor))
        chosen: list[Any] = [
            jsontexts.record(self.kind, columns, more).label("payload"),
            sa.cast(at, sa.CHAR if self.kind == "mysql" else sa.Text).label("at"),
            *(text.label(f"k{number}") for number, text in enumerate(texts)),
        ]
        statement: sa.Select[Any] = sa.select(*chosen).select_from(self.described)
        if cursor is None:
            return statement
        order = self.column(cursor)
        if after is not None:
            statement = statement.where(self._after(order, keys, after))
        return statement.order_by(order, *keys)

    def _joined(self, keys: list[sa.Column[Any]]) -> Any:
        texts = [jsontexts.as_part(self.kind, column) for column in keys]
        pieces = [piece for text in texts for piece in (sa.literal(":", sa.Text), text)][1:]
        return jsontexts.joined(self.kind, pieces)

    def _after(self, order: sa.Column[Any], keys: Sequence[sa.Column[Any]], after: Position) -> Any:
        """Return the condition of what comes after a position, and of what has no time."""
        at = jsontexts.given_back(self.kind, order, after.at)
        if len(after.key) != len(keys):
            return sa.or_(order >= at, order.is_(None))
        values = [jsontexts.given_back(self.kind, column, text) for column, text in zip(keys, after.key, strict=True)]
        later = [
            sa.and_(*(keys[before] == values[before] for before in range(number)), keys[number] > values[number])
            for number in range(len(keys))
        ]
        return sa.or_(order > at, sa.and_(order == at, sa.or_(*later)), order.is_(None))


def _type_of(column: sa.Column[Any]) -> str:
    """Return a column's type in the words of a field catalogue."""
    known = (
        (sa.Boolean, "boolean"), (sa.Integer, "integer"), (sa.Numeric | sa.Float, "number"), (sa.JSON, "json"),
        (sa.ARRAY, "json"), (sa.DateTime, "timestamp"), (sa.Date, "date"),
    )  # fmt: skip
    return next((word for kind, word in known if isinstance(column.type, kind)), "string")
