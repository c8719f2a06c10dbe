"""Storing what was read: quarantine, comparison, fencing and the one dlt run.

The order is what makes it safe. Unreadable records are recorded before a cursor can pass them. The lease is proven
after the file is held for the load and again right before it: a connection's raw tables are written under its lease
only, so whoever has it still has compared with what is stored, even if the file was let go of in between.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_pipelines.ingest.absence import Completeness, ShrinkRefusedError
from gtm_pipelines.ingest.compare import LITTLE, compare
from gtm_pipelines.ingest.report import Status
from gtm_pipelines.ingest.stored import TableChangedError
from gtm_pipelines.warehouse import Dialect, names, open_warehouse, quarantine, sql_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from connectors.dlt_source import EntityLoad
    from gtm_pipelines.control_plane import Connection, Lease
    from gtm_pipelines.ingest.delta import Delta
    from gtm_pipelines.ingest.limits import Limits
    from gtm_pipelines.ingest.reading import Reading
    from gtm_pipelines.settings import Settings
    from gtm_pipelines.warehouse import Warehouse


class TableTakenError(Exception):
    """Two entities of one connection fold to the same table."""


_CODES: dict[type[Exception], str] = {
    ShrinkRefusedError: "shrink_refused",
    TableChangedError: "table_changed",
    TableTakenError: "table_taken",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a sync stores, and under which right."""

    settings: Settings
    connection: Connection
    lease: Lease
    limits: Limits


def has_news(reading: Reading) -> bool:
    """Tell whether storing this entity would change or prove anything."""
    return bool(reading.spool.batch_rows or reading.unreadable or reading.seen_whole or reading.has_moved)


def flush(target: Target, readings: Sequence[Reading], directory: Path) -> None:
    """Store everything read so far of these entities; afterwards each begins a new batch where it stands.

    Raises WarehouseBusyError, LeaseLostError or LoadError with no record stored. An entity whose full read is refused
    fails alone.
    """
    fresh = [reading for reading in readings if has_news(reading)]
    if not fresh:
        return
    is_little = sum(reading.spool.batch_rows for reading in fresh) <= LITTLE and not any(r.seen_whole for r in fresh)
    with _open(target, brief=is_little) as warehouse:
        warehouse.ensure_tables()
        deltas = [(reading, _judge(warehouse, target, reading)) for reading in fresh]
        judged = [(reading, delta) for reading, delta in deltas if delta is not None]
        loads = [_load_of(reading, delta) for reading, delta in judged if delta.rows or reading.has_moved]
        if loads and not is_little:
            _load(warehouse, target, loads, directory)
    if loads and is_little:  # dlt needs an instance of its own
        with _open(target) as warehouse:
            _load(warehouse, target, loads, directory)
    if loads:
        shutil.rmtree(directory)  # dlt keeps what it loaded
    for reading, delta in judged:
        _settle(reading, delta)


def _open(target: Target, *, brief: bool = False) -> AbstractContextManager[Warehouse]:
    wait = target.limits.warehouse_wait
    return open_warehouse(target.settings, target.connection.tenant, wait=wait, brief=brief)


def _judge(warehouse: Warehouse, target: Target, reading: Reading) -> Delta | None:
    """Record what is unreadable and compare the rest; None when the entity is refused."""
    connection, entity = target.connection.name, reading.entity.name
    quarantine.record(warehouse, connection, entity, reading.unreadable, at=reading.started_at)
    reading.unreadable = []
    seen = reading.seen_whole
    complete = Completeness(sorted(reading.unreadable_ids), seen) if seen else None
    try:
        _register(warehouse, target, entity, reading)
        delta = compare(
            warehouse,
            connection,
            entity,
            reading.spool,
            synced_at=reading.started_at,
            limits=target.limits,
            complete=complete,
        )
    except (ShrinkRefusedError, TableChangedError, TableTakenError) as error:
        reading.fail(Status.FAILED, _CODES[type(error)], str(error))
        reading.abandon()
    else:
        reading.had_rows = reading.had_rows or not (delta.is_first or reading.spool.batch_start)
        if delta.parts:
            quarantine.resolve(warehouse, connection, entity, delta.ids)
        return delta
    return None


def _register(warehouse: Warehouse, target: Target, entity: str, reading: Reading) -> None:
    """Tie the vendor's spelling to its table before the table exists."""
    connection, table = target.connection.name, names.entity_table(entity)
    known = warehouse.rows("SELECT entity FROM raw.entity WHERE connection = ? AND table_name = ?", [connection, table])
    if not known:
        warehouse.execute(
            "INSERT INTO raw.entity (connection, connector, entity, table_name, first_seen) VALUES (?, ?, ?, ?, ?)",
            [connection, target.connection.connector, entity, table, reading.started_at],
        )
    elif known[0][0] != entity:
        raise TableTakenError(
            f"{entity!r} would be stored in the table of {known[0][0]!r}: only one of them can be synced"
        )


def _load_of(reading: Reading, delta: Delta) -> EntityLoad:
    from connectors.dlt_source import EntityLoad

    return EntityLoad(
        entity=reading.entity.name,
        table=names.entity_table(reading.entity.name),
        batches=delta.batches,
        state=reading.next_state().as_json(reading.started_at),
        is_new=delta.is_new,
    )


def _load(warehouse: Warehouse, target: Target, loads: Sequence[EntityLoad], directory: Path) -> None:
    from gtm_pipelines.ingest.load import Job, load

    target.lease.check()
    schema, create = names.raw_schema(target.connection.name), sql_files.load("ingest/raw_table.sql")
    for each in loads:
        if each.is_new and not warehouse.has_table(schema, each.table):
            table = names.raw_table(target.connection.name, each.entity)
            warehouse.execute(create.format(schema=names.quote(schema), table=table))
    connection = target.connection

    def still_ours() -> None:
        target.lease.check()
        warehouse.check_held()

    where = warehouse.load_target(connection.name)
    if where.destination is Dialect.DUCKDB:
        # a thread gathers 122,880 payloads before it compresses them; those of two go to disk and back
        warehouse.execute("SET threads = 1")
    load(Job(where, connection.tenant, connection.name, still_ours), directory, loads)


def _settle(reading: Reading, delta: Delta) -> None:
    """Take what was stored into the report, and begin the next batch."""
    report, counts = reading.report, delta.counts
    for verdict in ("created", "updated", "deleted", "absent", "unchanged", "stale", "duplicates"):
        setattr(report, verdict, getattr(report, verdict) + counts.get(verdict, 0))
    if delta.rows or reading.has_moved:
        reading.stored = reading.next_state()
    report.cursor_after = None if reading.stored.cursor is None else dict(reading.stored.cursor)
    report.full_pending = reading.stored.full_pending
    reading.spool.cut()
    reading.whole.clear()
