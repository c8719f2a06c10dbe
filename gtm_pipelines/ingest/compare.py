"""What a batch means for what is stored: one set-based comparison with the raw table, and the rows it leaves to load.

Only ids, times, flags and hashes take part in the comparison; payloads stay on disk and are streamed once, to the load.
What a complete read no longer saw is absence.py's, how rows reach the load delta.py's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from gtm_pipelines.ingest.absence import find_absent
from gtm_pipelines.ingest.delta import Delta, listed
from gtm_pipelines.ingest.stored import HEAD, NOTHING, stored_table
from gtm_pipelines.warehouse import names, sql_files

if TYPE_CHECKING:
    from datetime import datetime

    from gtm_pipelines.ingest.absence import Completeness
    from gtm_pipelines.ingest.limits import Limits
    from gtm_pipelines.ingest.spool import Spool
    from gtm_pipelines.warehouse import Warehouse

LITTLE = 2_000
"""Records that are compared as small questions: often nothing of so few is new, and nothing has to be loaded."""

# Within one tombstone: is the payload read in this batch at least as new as the one that is stored?
_BATCH_IS_NEWER = (
    "(d._position IS NOT NULL AND (r.external_id IS NULL OR r.payload IS NULL"
    " OR coalesce(d.source_updated_at >= r.source_updated_at, true)))"
)


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
    table = stored_table(warehouse, connection, entity)
    delta = Delta(counts={}, is_first=table is None, synced_at=synced_at, parts=parts)
    if parts:
        _judge(warehouse, delta, spool, table)
    if complete is not None and table is not None:
        find_absent(warehouse, spool, delta, entity=entity, table=table, complete=complete, limits=limits)
    return delta


def _judge(warehouse: Warehouse, delta: Delta, spool: Spool, table: str | None) -> None:
    batch = listed(delta.parts)
    stored = NOTHING
    if table is not None:
        stored = "stored_head"
        warehouse.look_up(stored, table, HEAD, on=["external_id"], keys=delta.ids)
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
            warehouse.look_up(stored, table, (*HEAD, "payload"), on=["external_id"], keys=keys)
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
    head = ", ".join(HEAD)
    read = set(warehouse.rows(f"SELECT {head} FROM read_parquet({listed(delta.parts)})"))
    young = f"SELECT {head} FROM {stored} WHERE source_updated_at >= ? LIMIT {2 * LITTLE}"
    if not read.issubset(warehouse.rows(young, [spool.batch_oldest])):
        return False
    delta.counts = {"unchanged": len(read), "duplicates": spool.batch_rows - len(read)}
    delta.keep = pa.chunked_array([pa.array([False] * spool.batch_rows)])
    return True
