"""The SQL connector. Code, because there is no HTTP to describe: it reads tables.

tables.py reads the setting that names them; connectors.runtime.databases opens the database and streams rows in the
order of (cursor, key). Here they meet: where an incremental read starts, and how far the next one may rely on this one.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from connectors import registry
from connectors.connector import Connector, Credentials, FieldMapping, HealthStatus, Mode, Page
from connectors.declarative.catalogue import default_schema
from connectors.errors import ConnectorError, Stop
from connectors.landing import RecordShape, land_slices
from connectors.runtime.auth.oauth2 import required
from connectors.runtime.databases import KEY_MEMBER, Database, Position, Table, open_database
from connectors.runtime.private_databases import PrivateDatabases
from connectors.runtime.timestamps import parse, to_arrow
from connectors.vendors.sql.tables import TableSpec, read_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from connectors.connector import Cursor, Entity, SyncOptions
    from connectors.manifest import Manifest
    from connectors.vendors.sql.tables import Tables

_ROWS = 5_000
_DATE_ONLY = len("2026-01-31")


class SqlConnector(Connector):
    """Reads the tables that a connection names."""

    manifest: ClassVar[Manifest] = registry.manifest("sql")

    def authenticate(self) -> Credentials:
        """Make sure there is a DSN; the database is asked when it is read."""
        required(self.context.credentials.read(), "dsn")
        return Credentials(base_url="", auth=None)

    def entities(self) -> list[Entity]:
        """List one entity for each table; raise Stop when the setting cannot be read."""
        return [spec.entity(name) for name, spec in self._tables().items()]

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Stream one table in one statement: all of it, or what comes after the cursor's place."""
        del credentials
        spec = self._tables().get(options.entity)
        if spec is None:
            raise Stop("unknown_entity", f"this connection has no table {options.entity!r}")
        with self._open() as database:
            table = database.table(spec.table)
            known = None if options.mode is Mode.FULL or spec.cursor is None else cursor
            place = _place_of(table, spec, known, options)
            chunks = table.rows(
                _key(table, spec),
                spec.cursor,
                _position(known),
                left_out=spec.leave_out,
                size=options.page_size or _ROWS,
            )
            shape = _shape(table, spec)
            for chunk, has_more in _with_more(chunks):
                landed = land_slices(_records(chunk), shape)
                yield Page(landed.table, place.after(chunk), has_more, landed.unreadable)

    def get_schema(self, credentials: Credentials | None = None) -> list[FieldMapping]:
        """Return the fields of the default mapping; with credentials, the columns the tables really have."""
        tables = self._tables()
        shipped = default_schema(self.manifest, registry.mapping_path(self.id))
        if credentials is None:
            return [field for field in shipped if field.entity in tables] or shipped
        mapped = {(field.entity, field.source): field for field in shipped}
        with self._open() as database:
            return [
                _typed(mapped.get((name, column)), name, column, kind)
                for name, spec in tables.items()
                for column, kind in database.table(spec.table).types.items()
                if column not in spec.leave_out
            ]

    def health_check(self, credentials: Credentials) -> HealthStatus:
        """Log in and look at every table: what a setting names and the database lacks is said."""
        del credentials
        try:
            with self._open() as database:
                told = [database.check()]
                for name, spec in self._tables().items():
                    table = database.table(spec.table)
                    _check(table, spec)
                    told.append(f"{name}: {table.check(spec.leave_out)} columns")
        except ConnectorError as error:
            return HealthStatus(ok=False, detail=error.message, checked_at=self.context.clock())
        return HealthStatus(ok=True, detail="; ".join(told), checked_at=self.context.clock())

    def _tables(self) -> Tables:
        return read_tables(self.context.settings.get("tables"))

    @contextmanager
    def _open(self) -> Iterator[Database]:
        dsn = required(self.context.credentials.read(), "dsn")
        is_private = str(self.context.settings.get("private_network") or "").lower() in ("true", "1", "yes")
        allowed = self.context.transport.policy.databases if is_private else PrivateDatabases()
        with open_database(dsn, private=allowed) as database:
            yield database


@dataclass(slots=True)
class _Times:
    """Where the next read starts when the cursor is a time: after the last row older than the time held back.

    Rows may be committed late with an older time by as much as the lag. It is counted from the newest row and not from
    a clock: a replica may be behind, and a time without a zone may be any. A day that is only a date goes on filling:
    the next read starts before its first row.
    """

    horizon: datetime | None
    cursor: Cursor | None

    def after(self, chunk: pa.Table) -> Cursor | None:
        """Take in a chunk; return the place to go on from, None while there is none."""
        stamps, _ = to_arrow(chunk["at"].to_pylist(), "iso8601")
        if self.horizon is not None:
            settled = pc.less_equal(stamps, pa.scalar(self.horizon, stamps.type)).to_pylist()
            last = next((at for at in range(len(settled) - 1, -1, -1) if settled[at]), None)
            if last is not None:
                watermark = stamps[last].as_py().isoformat(timespec="microseconds")
                at = chunk["at"][last].as_py()
                ids = _ids(chunk, last)  # a null among them tells no row from another
                key = "" if len(at) <= _DATE_ONLY or None in ids else ids
                self.cursor = {"watermark": watermark, "at": at, "id": key}
        return self.cursor


@dataclass(slots=True)
class _Numbers:
    """Where the next read starts when the cursor is a number: some numbers back, for those committed late."""

    overlap: int
    cursor: Cursor | None

    def after(self, chunk: pa.Table) -> Cursor | None:
        """Take in a chunk; return the place to go on from, None while there is none."""
        reached = next((value for value in reversed(chunk["at"].to_pylist()) if value is not None), None)
        before = int(self.cursor["at"]) if self.cursor else None
        if reached is not None:
            at = int(reached) - self.overlap
            self.cursor = {"at": str(at if before is None else max(at, before)), "id": ""}
        return self.cursor


@dataclass(slots=True)
class _Nowhere:
    """A table without a cursor is read whole every time."""

    def after(self, _: pa.Table) -> Cursor | None:
        """Return None."""
        return None


def _place_of(
    table: Table, spec: TableSpec, known: Cursor | None, options: SyncOptions
) -> _Times | _Numbers | _Nowhere:
    if spec.cursor is None:
        return _Nowhere()
    table.column(spec.cursor)
    kept = dict(known) if known and "at" in known else None
    kind = table.types[spec.cursor]
    if kind == "integer":
        return _Numbers(spec.overlap, kept)
    if kind not in ("timestamp", "date", "string"):
        raise Stop("bad_setting", f"{spec.table}.{spec.cursor} is no time and no whole number: it cannot be a cursor")
    newest = table.newest(spec.cursor)
    bound = options.started_at - spec.settle
    try:
        reached = parse(newest, "iso8601")
    except ValueError:
        raise Stop("bad_setting", f"{spec.table}.{spec.cursor} holds what is no time: it cannot be a cursor") from None
    return _Times(None if reached is None else min(reached, bound) - spec.lag, kept)


def _position(known: Cursor | None) -> Position | None:
    if not known or "at" not in known:
        return None
    ids = known.get("id") or ()
    return Position(str(known["at"]), tuple(str(each) for each in ids) if isinstance(ids, list) else ())


def _ids(chunk: pa.Table, row: int) -> list[str | None]:
    return [chunk[name][row].as_py() for name in chunk.column_names if name not in ("payload", "at")]


def _key(table: Table, spec: TableSpec) -> tuple[str, ...]:
    key = spec.keys or table.primary_key
    if not key:
        raise Stop("no_key", f"{spec.table} has no primary key: name the columns that tell its rows apart under 'key'")
    return key


def _check(table: Table, spec: TableSpec) -> None:
    for name in (*_key(table, spec), *filter(None, (spec.cursor, spec.deleted)), *spec.leave_out):
        table.column(name)


def _shape(table: Table, spec: TableSpec) -> RecordShape:
    _check(table, spec)
    key = _key(table, spec)
    is_time = spec.cursor is not None and table.types[spec.cursor] != "integer"
    return RecordShape(
        items="$",
        id=_path(key[0] if len(key) == 1 else KEY_MEMBER),
        timestamp=_path(spec.cursor) if is_time and spec.cursor else None,
        deleted=_path(spec.deleted) if spec.deleted else None,
    )


def _path(column: str) -> str:
    """Return the path of a column, whose name may hold dots and spaces."""
    return f"['{column}']"


def _records(chunk: pa.Table) -> list[bytes]:
    return [str(text).encode() for text in chunk["payload"].to_pylist()]


def _typed(known: FieldMapping | None, entity: str, column: str, kind: str) -> FieldMapping:
    if known is None:
        return FieldMapping(entity, column, kind)
    return FieldMapping(entity, column, kind, known.label, known.target, known.field, known.transform)


def _with_more(chunks: Iterator[pa.Table]) -> Iterator[tuple[pa.Table, bool]]:
    """Pair each chunk with whether more follow; an empty table is one empty chunk."""
    previous: pa.Table | None = None
    for chunk in chunks:
        if previous is not None:
            yield previous, True
        previous = chunk
    if previous is not None:
        yield previous, False
    else:
        yield pa.table({"payload": pa.array([], pa.string()), "at": pa.array([], pa.string())}), False


CONNECTOR = SqlConnector
