"""What a batch means for what is stored: one set-based comparison with the raw table, and the rows it leaves to load.

Only ids, times, flags and hashes take part in the comparison; payloads stay on disk and are streamed once, to the load.
Rows are taken from the spool where they stand; only tombstones and absent rows, which need the payload that is stored,
are written to files of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.landing import RAW_SCHEMA
from gtm_pipelines.ingest.spool import row_groups
from gtm_pipelines.warehouse import names, sql_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from gtm_pipelines.ingest.limits import Limits
    from gtm_pipelines.ingest.spool import Spool
    from gtm_pipelines.warehouse import Warehouse

LITTLE = 2_000
"""Records that are compared as small questions: often nothing of so few is new, and nothing has to be loaded."""

_LOADED = pa.schema([*RAW_SCHEMA, pa.field("synced_at", pa.timestamp("us", tz="UTC"))])
_NOTHING_STORED = (
    "(SELECT NULL::VARCHAR AS external_id, NULL::TIMESTAMPTZ AS source_updated_at, false AS is_deleted,"
    " NULL::JSON AS payload, NULL::VARCHAR AS payload_hash WHERE false)"
)
# Within one tombstone: is the payload read in this batch at least as new as the one that is stored?
_BATCH_IS_NEWER = (
    "(d._position IS NOT NULL AND (r.external_id IS NULL OR r.payload IS NULL"
    " OR coalesce(d.source_updated_at >= r.source_updated_at, true)))"
)


_HEAD = ("external_id", "source_updated_at", "is_deleted", "payload_hash")
"""What rows are compared by."""

_COLUMNS = {
    "external_id": "VARCHAR",
    "source_updated_at": "TIMESTAMP WITH TIME ZONE",
    "is_deleted": "BOOLEAN",
    "payload": "JSON",
    "payload_hash": "VARCHAR",
    "synced_at": "TIMESTAMP WITH TIME ZONE",
}


class TableChangedError(Exception):
    """A raw table is not as we made it; the message names the column."""


class ShrinkRefusedError(Exception):
    """A full read saw so few of the stored rows that deleting the rest is more likely a fault than the truth."""


@dataclass(slots=True)
class Delta:
    """The rows of one entity to load, and how the batch was judged. ``is_first`` = nothing is stored yet."""

    counts: dict[str, int]
    is_first: bool
    synced_at: datetime
    parts: list[Path] = field(default_factory=list)
    keep: pa.ChunkedArray[Any] | None = None
    extra: list[Path] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        """Whether no key of the rows to load is stored."""
        return self.is_first or not (self.counts.get("updated") or self.counts.get("deleted"))

    @property
    def ids(self) -> str:
        """The query for the ids of the batch, each once."""
        return f"SELECT DISTINCT external_id FROM read_parquet({_list(self.parts)})"

    @property
    def rows(self) -> int:
        """How many rows there are to load."""
        return sum(self.counts.get(verdict, 0) for verdict in ("created", "updated", "deleted"))

    def batches(self) -> Iterator[pa.Table]:
        """Stream the rows to load, stamped with the time of this sync."""
        start = 0
        for part in self.parts:
            for group in row_groups(part):
                kept = group if self.keep is None else group.filter(self.keep.slice(start, group.num_rows))
                start += group.num_rows
                if kept.num_rows:
                    yield self._stamped(kept.drop_columns(["_position", "_bare"]))
        for path in self.extra:
            for group in row_groups(path):
                yield self._stamped(group)

    def _stamped(self, table: pa.Table) -> pa.Table:
        stamp = pa.scalar(self.synced_at, pa.timestamp("us", tz="UTC"))
        stamped = table.append_column("synced_at", pa.repeat(stamp, table.num_rows))
        return stamped.cast(_LOADED)  # DuckDB writes columns that happen to hold no null as not nullable


@dataclass(frozen=True, slots=True)
class Completeness:
    """What was read whole, by prefixes of ids, and the unreadable ids, which are known to be there."""

    unreadable_ids: Sequence[str]
    prefixes: Sequence[str] = ("",)

    @property
    def covers(self) -> str:
        """The condition on a stored row ``r`` under which it ought to have been seen."""
        if "" in self.prefixes:
            return "true"
        return "(" + " OR ".join(f"starts_with(r.external_id, {names.literal(each)})" for each in self.prefixes) + ")"


def compare(
    warehouse: Warehouse,
    connection: str,
    entity: str,
    spool: Spool,
    *,
    synced_at: datetime,
    limits: Limits,
    complete: Completeness | None = None,
) -> Delta:
    """Judge the spool's running batch against the raw table; with ``complete``, find the rows that are gone too.

    Raises ShrinkRefusedError, having changed nothing.
    """
    parts = spool.batch()
    table = _stored(warehouse, connection, entity)
    delta = Delta(counts={}, is_first=table is None, synced_at=synced_at, parts=parts)
    if parts:
        _judge(warehouse, delta, spool, table)
    if complete is not None and table is not None:
        _find_absent(warehouse, delta, spool, (entity, table), (complete, limits))
    return delta


def _stored(warehouse: Warehouse, connection: str, entity: str) -> str | None:
    """Return the raw table, None while it holds nothing."""
    table = names.raw_table(connection, entity)
    columns = warehouse.columns(names.raw_schema(connection), names.entity_table(entity))
    if not columns:
        return None
    for column, kind in _COLUMNS.items():
        if columns.get(column) != kind:
            raise TableChangedError(
                f"{table} was changed by hand: {column} must be {kind} and is {columns.get(column, 'missing')}; "
                f"put it back, or drop the table and sync in full"
            )
    return table if warehouse.served.rows(f"SELECT 1 FROM {table} LIMIT 1") else None


def _judge(warehouse: Warehouse, delta: Delta, spool: Spool, table: str | None) -> None:
    batch = _list(delta.parts)
    stored = _NOTHING_STORED
    if table is not None:
        stored = "stored_head"
        warehouse.look_up(stored, table, _HEAD, on=["external_id"], keys=delta.ids)
        if _is_unchanged(warehouse, delta, spool, stored):
            return
    warehouse.execute(sql_files.load("ingest/fresh.sql").format(batch=batch))
    warehouse.execute(sql_files.load("ingest/verdict.sql").format(batch=batch, stored=stored))
    judged = warehouse.rows("SELECT verdict, count(*), count(*) FILTER (is_bare) FROM verdict GROUP BY verdict")
    delta.counts = {str(verdict): int(count) for verdict, count, _ in judged}
    delta.counts["duplicates"] = spool.batch_rows - sum(int(count) for _, count, _ in judged)
    if any(bare for verdict, _, bare in judged if verdict == "deleted"):
        if table is not None:
            stored, keys = "stored_whole", "SELECT external_id FROM verdict WHERE verdict = 'deleted' AND is_bare"
            warehouse.look_up(stored, table, (*_HEAD, "payload"), on=["external_id"], keys=keys)
        target = spool.directory / f"tombstones-{spool.rows}.parquet"
        text = sql_files.load("ingest/tombstones.sql")
        target_name = names.literal(str(target))
        warehouse.execute(text.format(batch=batch, stored=stored, target=target_name, batch_is_newer=_BATCH_IS_NEWER))
        delta.extra.append(target)
    if set(delta.counts) != {"created", "duplicates"} or delta.counts["duplicates"]:
        text = sql_files.load("ingest/keep.sql").format(first=spool.batch_start, end=spool.rows)
        delta.keep = warehouse.arrow(text).column("keep")


def _is_unchanged(warehouse: Warehouse, delta: Delta, spool: Spool, stored: str) -> bool:
    """Tell at a glance whether a small batch holds nothing but what is stored, as what is read again mostly does.

    Only stored rows as young as the batch are looked at: DuckDB finds those by the times it keeps of each row group,
    where it would read all there are to find ids. Whoever is not found so is compared as any batch is.
    """
    if spool.batch_oldest is None or spool.batch_rows > LITTLE:
        return False
    head = ", ".join(_HEAD)
    read = set(warehouse.rows(f"SELECT {head} FROM read_parquet({_list(delta.parts)})"))
    young = f"SELECT {head} FROM {stored} WHERE source_updated_at >= ? LIMIT {2 * LITTLE}"
    if not read.issubset(warehouse.rows(young, [spool.batch_oldest])):
        return False
    delta.counts = {"unchanged": len(read), "duplicates": spool.batch_rows - len(read)}
    delta.keep = pa.chunked_array([pa.array([False] * spool.batch_rows)])
    return True


def _find_absent(
    warehouse: Warehouse, delta: Delta, spool: Spool, where: tuple[str, str], rule: tuple[Completeness, Limits]
) -> None:
    (entity, table), (complete, limits) = where, rule
    unreadable = "[" + ", ".join(names.literal(each) for each in complete.unreadable_ids) + "]"
    files = [f"SELECT external_id FROM read_parquet({_list(some)})" for some in (spool.seen, spool.batch()) if some]
    seen = f"({' UNION ALL '.join(files)})" if files else _NOTHING_STORED
    stored = "stored_head"
    warehouse.look_up(stored, table, _HEAD)
    warehouse.execute(
        sql_files.load("ingest/absent.sql").format(
            stored=stored, seen=seen, unreadable=unreadable, covers=complete.covers
        )
    )
    absent = int(warehouse.rows("SELECT count(*) FROM absent")[0][0])
    live = int(warehouse.rows(f"SELECT count(*) FROM {stored} WHERE NOT is_deleted")[0][0])
    is_everything = "" in complete.prefixes  # a single scope may well be gone: a mailbox closed, an audience dropped
    if is_everything and absent > max(limits.shrink_rows, limits.shrink_share * live):
        raise ShrinkRefusedError(
            f"the full read of {entity} no longer saw {absent:,} of {live:,} live records; nothing was changed: check "
            f"that the credential still sees them all; if they are really gone, run the full sync with --allow-shrink"
        )
    if absent:
        target = spool.directory / "absent.parquet"
        keys = "SELECT external_id FROM absent"
        warehouse.look_up("stored_whole", table, (*_HEAD, "payload"), on=["external_id"], keys=keys)
        text = sql_files.load("ingest/absentees.sql")
        warehouse.execute(text.format(stored="stored_whole", target=names.literal(str(target))))
        delta.extra.append(target)
        delta.counts["absent"] = absent
        delta.counts["deleted"] = delta.counts.get("deleted", 0) + absent


def _list(paths: Sequence[Path]) -> str:
    return "[" + ", ".join(names.literal(str(path)) for path in paths) + "]"
