"""The rows a unit of work has at hand: brought from Postgres into a local DuckDB, and their difference taken back.

A unit is a transaction, or one statement outside of one. Rows of a table are brought by key or condition, as they were
asked for; a table that a statement reads and nobody asked for is brought whole. So a forgotten request costs time, and
never makes a wrong result. Rows are told apart by their place in Postgres (``ctid``), which stays the same as long as
nobody else writes: the adapter sees to that.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.duck import widen
from gtm_pipelines.warehouse.postgres import layout
from gtm_pipelines.warehouse.postgres.results import with_infinity
from gtm_pipelines.warehouse.protocol import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from gtm_pipelines.warehouse.postgres.store import Store
    from gtm_pipelines.warehouse.statement import Statement, Table

_MOST_KEYS = 20_000  # of one question, whose answer is held whole
_MANY = 10_000  # rows appended at once, after which the server's statistics are out of date
_ROW_GROUP = 122_880  # rows that DuckDB gives to one thread: a second one has nothing to do with fewer
_PLACE = "_ctid"
_MORE = "_more"
_DIFFERENT = "rows_that_differ"


@dataclass(slots=True)
class _Slice:
    """The rows of one table that were brought so far."""

    columns: dict[str, str]
    is_whole: bool = False  # all rows of the table
    is_kept: bool = False  # a second copy is kept as the rows came, to tell what changed
    is_replaced: bool = False  # a statement empties the table: the stored rows are to be deleted
    is_written: bool = False  # a statement writes to it
    has_rows: bool = False  # at least one row was brought
    asked: set[str] = field(default_factory=set)  # the conditions and key columns it was asked for by


class Workset:
    """One unit's rows. ``tables`` has the columns of every table that a statement has named, with DuckDB's types."""

    def __init__(
        self, tenant: str, store: Store, local: duckdb.DuckDBPyConnection, tables: dict[Table, dict[str, str]]
    ) -> None:
        self._tenant = tenant
        self._store = store
        self._local = local
        self._tables = tables
        self._slices: dict[Table, _Slice] = {}
        self._grown: set[Table] = set()
        self._taken = 0  # rows brought so far, of all units

    def prepare(self, statement: Statement) -> None:
        """Bring what ``statement`` reads and nobody asked for, and note what it writes."""
        for table in statement.replaces & self._tables.keys():
            self._forget(table)
            self._slices[table] = _Slice(self._tables[table], is_whole=True, is_kept=True, is_replaced=True)
        unknown = set() if statement.defines else statement.writes - self._tables.keys()
        if unknown:
            raise WarehouseError(
                f"there is no table {', '.join('.'.join(table) for table in sorted(unknown))} to write"
            )
        for table in statement.writes & self._tables.keys():
            here = self._slice(table, keep=True)
            here.is_written = True
        for table in statement.reads & self._tables.keys():
            here = self._slice(table, keep=not names.is_raw(table[0]))
            if not (here.is_whole or here.asked):
                self._bring(table, "")
                here.is_whole = True

    def fetch(self, table: Table, on: Sequence[str], keys: str, where: str) -> None:
        """Bring the rows whose columns ``on`` equal a row of ``keys``, or that meet ``where``, or all."""
        if table not in self._tables:
            return
        here = self._slice(table, keep=not names.is_raw(table[0]))
        if here.is_whole:
            return
        if keys:
            for rows in self._asked(table, here.columns, on, keys, place=True):
                self._take_in(table, rows)
        elif where:
            if where not in here.asked:
                self._bring(table, f"WHERE {where}")
        else:
            self._bring(table, "")
            here.is_whole = True
        here.asked.add(where or ",".join(on))

    def look_up(self, into: str, table: Table, columns: Sequence[str], on: Sequence[str], keys: str) -> None:
        """Lay some columns of the rows with these keys (all rows without ``keys``) into a table of their own."""
        kinds = {column: self._tables[table][column] for column in columns}
        listed = ", ".join(f"{names.quote(column)} {kind}" for column, kind in kinds.items())
        self._run(f"CREATE OR REPLACE TEMP TABLE {names.quote(into)} ({listed})")
        for rows in self._asked(table, kinds, on, keys, place=False):
            self._insert(names.quote(into), rows)

    def made(self, table: Table) -> None:
        """Take note of a table that the last statement made: all its rows are new."""
        self._slices[table] = _Slice(
            self._tables[table], is_whole=True, is_kept=True, is_replaced=True, is_written=True
        )

    def flush(self) -> None:
        """Take every difference back; what is stored changes when the session commits."""
        for table, here in self._slices.items():
            if here.is_written:
                self._take_back(table, here)

    def holds(self, table: Table) -> bool:
        """Tell whether something of a table is at hand."""
        return table in self._slices

    def analyse(self) -> bool:
        """Have the server analyse the tables that grew much, which its next plans depend on; return whether any did."""
        grown = bool(self._grown)
        for table in self._grown:
            self._store.execute(f"ANALYZE {names.quote_table(names.tenant_schema(self._tenant, table[0]), table[1])}")
        self._grown.clear()
        return grown

    def clear(self) -> None:
        """Forget all rows at hand."""
        for table in list(self._slices):
            self._forget(table)

    def undone(self) -> None:
        """Take note that the local transaction was rolled back, and all that was at hand with it."""
        self._slices.clear()
        self._grown.clear()

    def _slice(self, table: Table, *, keep: bool) -> _Slice:
        here = self._slices.get(table)
        if here is None:
            here = self._slices[table] = _Slice(self._tables[table], is_kept=keep)
        elif keep and not here.is_kept:
            raise WarehouseError(f"{'.'.join(table)} is read as it stands in this transaction and cannot be written")
        return here

    def _asked(self, table: Table, columns: dict[str, str], on: Sequence[str], keys: str, *, place: bool) -> Any:
        """Yield rows of a table as Arrow: all of them, or those with the given keys, a limited number of keys at once.

        With ``place`` each row comes with its ``ctid``.
        """
        there = names.quote_table(names.tenant_schema(self._tenant, table[0]), table[1])
        listed = ("t.ctid::text AS _ctid, " if place else "") + layout.selected(columns)
        if not keys:
            with self._store.stream(f"SELECT {listed} FROM {there} t") as reader:
                yield from reader
            return
        wanted = self._local.sql(f"SELECT DISTINCT * FROM ({keys})").to_arrow_table()
        marks = ", ".join(f"${number + 1}::text[]" for number in range(len(on)))
        ends = ", ".join(f"k{number}" for number in range(len(on)))
        matched = " AND ".join(f"{_at(column)} = w.k{number}" for number, column in enumerate(on))
        sql = f"SELECT {listed} FROM {there} t JOIN unnest({marks}) AS w({ends}) ON {matched}"
        for start in range(0, wanted.num_rows, _MOST_KEYS):
            part = wanted.slice(start, _MOST_KEYS)
            yield self._store.read(sql, [column.combine_chunks() for column in part.columns])

    def _bring(self, table: Table, condition: str) -> None:
        there = names.quote_table(names.tenant_schema(self._tenant, table[0]), table[1])
        listed = "t.ctid::text AS _ctid, " + layout.selected(self._tables[table])
        is_first = not self._slices[table].has_rows  # then no row can be here already
        with self._store.stream(f"SELECT {listed} FROM {there} t {condition}") as reader:
            for rows in reader:
                self._take_in(table, rows, is_first=is_first)

    def _take_in(self, table: Table, rows: pa.Table | pa.RecordBatch, *, is_first: bool = False) -> None:
        """Add the rows that are not here yet, which their places tell; ``is_first`` says that none can be."""
        if not rows.num_rows:
            return
        if self._taken <= _ROW_GROUP < self._taken + rows.num_rows:
            widen(self._local)
        self._taken += rows.num_rows
        rows, here = with_infinity(rows), self._slices[table]
        local, kept = names.quote_table(*table), _kept(table)
        if not here.has_rows:
            columns = {_PLACE: "VARCHAR", **(here.columns if here.is_kept else {})}
            listed = ", ".join(f"{names.quote(column)} {kind}" for column, kind in columns.items())
            self._run(f"CREATE OR REPLACE TEMP TABLE {kept} ({listed})")
        columns_in = ", ".join(f"i.{names.quote(column)}" for column in here.columns)
        with_place = f"i.{_PLACE}, {columns_in}" if here.is_kept else f"i.{_PLACE}"
        is_new = f"WHERE NOT EXISTS (SELECT 1 FROM {kept} k WHERE k.{_PLACE} = i.{_PLACE})"
        if is_first or not here.has_rows:
            is_new = ""
        self._local.register("incoming_rows", rows)
        try:
            self._run(f"INSERT INTO {local} SELECT {columns_in} FROM incoming_rows i {is_new}")
            self._run(f"INSERT INTO {kept} SELECT {with_place} FROM incoming_rows i {is_new}")
        finally:
            self._local.unregister("incoming_rows")
        here.has_rows = True

    def _insert(self, target: str, rows: pa.Table | pa.RecordBatch) -> None:
        self._local.register("incoming_rows", with_infinity(rows))
        try:
            self._run(f"INSERT INTO {target} FROM incoming_rows")
        finally:
            self._local.unregister("incoming_rows")

    def _take_back(self, table: Table, here: _Slice) -> None:
        schema = names.tenant_schema(self._tenant, table[0])
        there, local = names.quote_table(schema, table[1]), names.quote_table(*table)
        if here.is_replaced:
            self._store.execute(f"DELETE FROM {there}")
        if here.is_replaced or not here.has_rows:
            self._append(schema, table, here, f"FROM {local} l")
            return
        self._compare(here, _kept(table), local)
        self._delete(table, there, self._gone(here, _kept(table)))
        self._append(
            schema, table, here, f"FROM (SELECT *, unnest(range({_MORE})) FROM {_DIFFERENT} WHERE {_MORE} > 0) l"
        )
        self._run(f"DROP TABLE {_DIFFERENT}")

    def _compare(self, here: _Slice, was: str, now: str) -> None:
        """Make the table of the rows of which there are more or fewer now than before, and by how many.

        Counted, because a table may hold rows that are equal in every column.
        """
        columns = ", ".join(names.quote(column) for column in here.columns)
        self._run(
            f"CREATE OR REPLACE TEMP TABLE {_DIFFERENT} AS SELECT {columns}, CAST(sum(step) AS BIGINT) AS {_MORE} FROM"
            f" (SELECT {columns}, 1 AS step FROM {now} UNION ALL SELECT {columns}, -1 FROM {was})"
            f" GROUP BY {columns} HAVING sum(step) <> 0"
        )

    def _gone(self, here: _Slice, was: str) -> pa.Table:
        """Return the places of the rows to delete: of rows that are equal in every column, any of them."""
        same = " AND ".join(f"b.{name} IS NOT DISTINCT FROM d.{name}" for name in map(names.quote, here.columns))
        gone: pa.Table = self._local.sql(
            f"SELECT {_PLACE} FROM (SELECT b.{_PLACE}, d.{_MORE}, row_number() OVER (PARTITION BY d.rowid) AS twin"
            f" FROM {_DIFFERENT} d JOIN {was} b ON {same} WHERE d.{_MORE} < 0) WHERE twin <= -{_MORE}"
        ).to_arrow_table()
        return gone

    def _delete(self, table: Table, there: str, gone: pa.Table) -> None:
        for start in range(0, gone.num_rows, _MOST_KEYS):
            places = gone.slice(start, _MOST_KEYS).column(0).combine_chunks()
            done = self._store.execute(
                f"WITH d AS (DELETE FROM {there} t USING unnest($1::text[]::tid[]) AS g(place) WHERE t.ctid = g.place"
                " RETURNING 1) SELECT count(*) FROM d",
                [places],
            )
            if int(done[0][0]) != len(places):
                raise WarehouseError(f"{'.'.join(table)} was changed by somebody else meanwhile; nothing was changed")

    def _append(self, schema: str, table: Table, here: _Slice, rows: str) -> None:
        as_text = self._sent_as_text(table, here, rows)
        listed = ", ".join(
            f"l.{names.quote(c)}::VARCHAR AS {names.quote(c)}"
            if kind == "JSON" or c in as_text
            else f"l.{names.quote(c)}"
            for c, kind in here.columns.items()
        )
        with self._local.sql(f"SELECT {listed} {rows}").to_arrow_reader(100_000) as found:
            # Closed whatever happens: an open result would stand in the way of the rollback.
            first = next(found, None)
            if first is None or not first.num_rows:
                return
            if first.num_rows >= _MANY:
                self._grown.add(table)
            reader = pa.RecordBatchReader.from_batches(first.schema, itertools.chain([first], found))
            if as_text:
                self._append_texts(schema, table, here, reader, as_text)
            else:
                self._store.append(schema, table[1], reader)

    def _sent_as_text(self, table: Table, here: _Slice, rows: str) -> set[str]:
        """Return the columns that the driver cannot send: jsonb has a binary form of its own, and infinity has none."""
        moments = [column for column, kind in here.columns.items() if kind == "TIMESTAMP WITH TIME ZONE"]
        are_infinite = " OR ".join(f"isinf(l.{names.quote(column)})" for column in moments)
        if moments and self._local.execute(f"SELECT 1 {rows} WHERE {are_infinite} LIMIT 1").fetchall():
            return {column for column, kind in here.columns.items() if kind == "JSON" or column in moments}
        return {column for column, kind in here.columns.items() if kind == "JSON" and names.is_raw(table[0])}

    def _append_texts(
        self, schema: str, table: Table, here: _Slice, rows: pa.RecordBatchReader, as_text: set[str]
    ) -> None:
        """Append by way of a table in which some columns are texts."""
        self._store.execute("DROP TABLE IF EXISTS appended")
        self._store.lay("appended", rows)
        cast = ", ".join(
            f"{names.quote(c)}::{layout.stored_type(table, c, kind)}" if c in as_text else names.quote(c)
            for c, kind in here.columns.items()
        )
        columns = ", ".join(names.quote(c) for c in here.columns)
        there = names.quote_table(schema, table[1])
        self._store.execute(f"INSERT INTO {there} ({columns}) SELECT {cast} FROM appended")
        self._store.execute("DROP TABLE appended")

    def _forget(self, table: Table) -> None:
        here = self._slices.pop(table, None)
        if here is not None and (here.has_rows or here.is_written):
            self._run(f"TRUNCATE {names.quote_table(*table)}")
        if here is not None and here.has_rows:
            self._run(f"DROP TABLE IF EXISTS {_kept(table)}")

    def _run(self, sql: str) -> None:
        self._local.execute(sql).fetchall()


def _kept(table: Table) -> str:
    """Name the temporary table that keeps a table's rows as they came."""
    return names.quote("as it was " + ".".join(table))


def _at(column: str) -> str:
    """Return the SQL of a member of ``on``: a column, or an expression in place of one."""
    return f"t.{names.quote(column)}" if column.isidentifier() else column
