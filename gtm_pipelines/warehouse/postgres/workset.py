"""The rows a unit of work has at hand: brought from Postgres into a local DuckDB, and their difference taken back.

A unit is a transaction, or one statement outside of one. A table is at hand in slices, asked for by key or condition; a
table that nobody asked for is at hand whole as soon as a statement reads it, so that a slice that was not asked for
costs time and is never a wrong result. Rows are told apart by where they stand in Postgres (``ctid``), which holds for
as long as nobody else writes: the adapter sees to that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gtm_pipelines.warehouse import names
from gtm_pipelines.warehouse.postgres import layout
from gtm_pipelines.warehouse.protocol import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    import pyarrow as pa

    from gtm_pipelines.warehouse.postgres.statement import Statement, Table
    from gtm_pipelines.warehouse.postgres.store import Store

_MOST_KEYS = 50_000  # of one question
_PLACE = "_ctid"


@dataclass(slots=True)
class _Slice:
    """What is at hand of one table."""

    columns: dict[str, str]
    is_whole: bool = False
    is_kept: bool = False  # what came is kept as it was, to tell what changed
    is_replaced: bool = False  # nothing that is stored counts any more
    is_written: bool = False
    asked: set[str] = field(default_factory=set)


class Workset:
    """One unit's rows. ``tables`` are the columns of every stored table, by DuckDB's types."""

    def __init__(
        self, tenant: str, store: Store, local: duckdb.DuckDBPyConnection, tables: dict[Table, dict[str, str]]
    ) -> None:
        self._tenant = tenant
        self._store = store
        self._local = local
        self._tables = tables
        self._slices: dict[Table, _Slice] = {}

    def prepare(self, statement: Statement) -> None:
        """Bring what ``statement`` reads and nobody asked for, and note what it writes."""
        for table in statement.replaces & self._tables.keys():
            self._forget(table)
            self._slices[table] = _Slice(self._tables[table], is_whole=True, is_kept=True, is_replaced=True)
        for table in statement.writes & self._tables.keys():
            here = self._slice(table, keep=True)
            here.is_written = True
        for table in statement.reads & self._tables.keys():
            here = self._slice(table, keep=not layout.is_raw(table[0]))
            if not (here.is_whole or here.asked):
                self._bring(table, "")
                here.is_whole = True

    def fetch(self, table: Table, on: Sequence[str], keys: str, where: str) -> None:
        """Bring the rows whose columns ``on`` equal a row of ``keys``, or that meet ``where``, or all."""
        if table not in self._tables:
            return
        here = self._slice(table, keep=not layout.is_raw(table[0]))
        if here.is_whole:
            return
        if keys:
            self._bring_keyed(table, here, on, keys)
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

    def clear(self) -> None:
        """Forget all rows at hand."""
        for table in list(self._slices):
            self._forget(table)

    def undone(self) -> None:
        """Take note that the local transaction was rolled back, and all that was at hand with it."""
        self._slices.clear()

    def _slice(self, table: Table, *, keep: bool) -> _Slice:
        here = self._slices.get(table)
        if here is None:
            here = self._slices[table] = _Slice(self._tables[table], is_kept=keep)
            kept = here.columns if keep else {}
            listed = ", ".join(f"{names.quote(c)} {kind}" for c, kind in {_PLACE: "VARCHAR", **kept}.items())
            self._run(f"CREATE OR REPLACE TEMP TABLE {_kept(table)} ({listed})")
        elif keep and not here.is_kept:
            raise WarehouseError(f"{'.'.join(table)} is read as it stands in this transaction and cannot be written")
        return here

    def _bring_keyed(self, table: Table, here: _Slice, on: Sequence[str], keys: str) -> None:
        del here
        for rows in self._asked(table, self._tables[table], on, keys, place=True):
            self._take_in(table, rows)

    def _asked(self, table: Table, columns: dict[str, str], on: Sequence[str], keys: str, *, place: bool) -> Any:
        """Yield the asked-for rows of a table as Arrow, at most those of some keys at once."""
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
        with self._store.stream(f"SELECT {listed} FROM {there} t {condition}") as reader:
            self._take_in(table, reader)

    def _take_in(self, table: Table, rows: pa.Table | pa.RecordBatch | pa.RecordBatchReader) -> None:
        """Add rows to what is at hand, each once."""
        here = self._slices[table]
        columns = ", ".join(f"i.{names.quote(column)}" for column in here.columns)
        local, kept = names.quote_table(*table), _kept(table)
        with_place = f"i.{_PLACE}, {columns}" if here.is_kept else f"i.{_PLACE}"
        self._local.register("incoming_rows", rows)
        try:
            self._run(
                f"CREATE OR REPLACE TEMP TABLE rows_coming_in AS FROM incoming_rows i"
                f" WHERE NOT EXISTS (SELECT 1 FROM {kept} k WHERE k.{_PLACE} = i.{_PLACE})"
            )
        finally:
            self._local.unregister("incoming_rows")
        self._run(f"INSERT INTO {local} SELECT {columns} FROM rows_coming_in i")
        self._run(f"INSERT INTO {kept} SELECT {with_place} FROM rows_coming_in i")
        self._run("DROP TABLE rows_coming_in")

    def _insert(self, target: str, rows: pa.Table | pa.RecordBatch) -> None:
        self._local.register("incoming_rows", rows)
        try:
            self._run(f"INSERT INTO {target} FROM incoming_rows")
        finally:
            self._local.unregister("incoming_rows")

    def _take_back(self, table: Table, here: _Slice) -> None:
        schema = names.tenant_schema(self._tenant, table[0])
        there, local = names.quote_table(schema, table[1]), names.quote_table(*table)
        if here.is_replaced:
            self._store.execute(f"DELETE FROM {there}")
            self._append(schema, table, here, f"FROM {local} l")
            return
        same = " AND ".join(f"b.{names.quote(c)} IS NOT DISTINCT FROM l.{names.quote(c)}" for c in here.columns)
        gone = self._local.sql(
            f"SELECT b.{_PLACE} FROM {_kept(table)} b WHERE NOT EXISTS (SELECT 1 FROM {local} l WHERE {same})"
        ).to_arrow_table()
        for start in range(0, gone.num_rows, _MOST_KEYS):
            places = gone.slice(start, _MOST_KEYS).column(0).combine_chunks()
            done = self._store.execute(
                f"WITH d AS (DELETE FROM {there} t USING unnest($1::text[]::tid[]) AS g(place) WHERE t.ctid = g.place"
                " RETURNING 1) SELECT count(*) FROM d",
                [places],
            )
            if int(done[0][0]) != len(places):
                raise WarehouseError(f"{'.'.join(table)} was changed by somebody else meanwhile; nothing was changed")
        new = f"FROM {local} l WHERE NOT EXISTS (SELECT 1 FROM {_kept(table)} b WHERE {same})"
        self._append(schema, table, here, new)

    def _append(self, schema: str, table: Table, here: _Slice, rows: str) -> None:
        if not self._local.execute(f"SELECT 1 {rows} LIMIT 1").fetchall():
            return
        listed = ", ".join(
            f"l.{names.quote(c)}::VARCHAR AS {names.quote(c)}" if kind == "JSON" else f"l.{names.quote(c)}"
            for c, kind in here.columns.items()
        )
        reader = self._local.sql(f"SELECT {listed} {rows}").to_arrow_reader(100_000)
        if not layout.is_raw(table[0]):
            self._store.append(schema, table[1], reader)
            return
        self._store.execute("DROP TABLE IF EXISTS appended")
        self._store.lay("appended", reader)  # the payload is jsonb, which has a binary form of its own
        cast = ", ".join(
            f"{names.quote(c)}::jsonb" if kind == "JSON" else names.quote(c) for c, kind in here.columns.items()
        )
        columns = ", ".join(names.quote(c) for c in here.columns)
        self._store.execute(
            f"INSERT INTO {names.quote_table(schema, table[1])} ({columns}) SELECT {cast} FROM appended"
        )
        self._store.execute("DROP TABLE appended")

    def _forget(self, table: Table) -> None:
        if self._slices.pop(table, None) is not None:
            self._run(f"TRUNCATE {names.quote_table(*table)}")
            self._run(f"DROP TABLE IF EXISTS {_kept(table)}")

    def _run(self, sql: str) -> None:
        self._local.execute(sql).fetchall()


def _kept(table: Table) -> str:
    """Name the table that holds rows as they came."""
    return names.quote("as it was " + ".".join(table))


def _at(column: str) -> str:
    """Return a looked-up column, or the expression that ``on`` gave instead of one."""
    return f"t.{names.quote(column)}" if column.isidentifier() else column
