"""What is remembered of each entity between syncs, read back from the destination where dlt committed it with the rows.

Read straight from ``_dlt_pipeline_state`` by dlt's own rule (the newest state whose load was completed): building a
pipeline to learn a cursor costs ten times an idle sync.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gtm_pipelines.warehouse import names, sql_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.connector import Cursor
    from gtm_pipelines.warehouse import Warehouse


class FullPending(StrEnum):
    """What is still owed after a full read was interrupted: its deletes can only be found by one that was not."""

    RESUME = "resume"  # go on from the cursor first, so that a long read gets further each time
    OWED = "owed"  # the next sync reads in full again


@dataclass(frozen=True, slots=True)
class EntityState:
    """Where an entity resumes. ``cursor`` None = it was never read to a point one could resume from."""

    cursor: Cursor | None = None
    full_pending: FullPending | None = None
    stored_at: datetime | None = field(default=None, compare=False)  # start of the sync that stored it

    def as_json(self, at: datetime) -> dict[str, Any]:
        """Return the state as dlt stores it, by the sync that started ``at``."""
        return {
            "cursor": None if self.cursor is None else dict(self.cursor),
            "full_pending": None if self.full_pending is None else self.full_pending.value,
            "stored_at": at.isoformat(),
        }


_OF_TIME = frozenset({"watermark", "slow", "id"})  # a second pass's mark moves as the first one's does


def is_later_only(reached: EntityState, stored: EntityState) -> bool:
    """Tell whether two states differ in moments up to which was read, and in nothing that was done or said."""
    new, old = dict(reached.cursor or {}), dict(stored.cursor or {})
    other = {key for key in new.keys() | old.keys() if new.get(key) != old.get(key)}
    return bool(old) and other <= _OF_TIME and reached.full_pending == stored.full_pending


def read_states(warehouse: Warehouse, connection: str) -> dict[str, EntityState]:
    """Return the state of every entity of a connection that has one."""
    schema = names.raw_schema(connection)
    if not (warehouse.has_table(schema, "_dlt_pipeline_state") and warehouse.has_table(schema, "_dlt_loads")):
        return {}
    newest = warehouse.served.rows(
        sql_files.load("ingest/newest_state.sql").format(schema=names.quote(schema)),
        [names.pipeline_name(warehouse.tenant, connection)],
    )
    return _entities(newest[0][0], schema) if newest else {}


def _entities(compressed: str, source: str) -> dict[str, EntityState]:
    from dlt.common.versioned_state import decompress_state

    resources = decompress_state(compressed).get("sources", {}).get(source, {}).get("resources", {})
    return {str(entity): _entity(kept) for entity, kept in resources.items()}


def _entity(kept: Mapping[str, Any]) -> EntityState:
    pending, at = kept.get("full_pending"), kept.get("stored_at")
    return EntityState(
        kept.get("cursor"), FullPending(pending) if pending else None, datetime.fromisoformat(at) if at else None
    )


def clamp(cursor: Cursor, bound: datetime) -> Cursor:
    """Return ``cursor`` with its ``watermark`` at most ``bound``; other cursors are the vendor's own and pass as is.

    A watermark beyond sync start - settle would skip rows that the vendor shows late. The ``id`` that breaks ties at
    the watermark is emptied with it: it belongs to another moment.
    """
    at = watermark(cursor)
    if at is None or at <= bound:
        return cursor
    ties = {"id": ""} if "id" in cursor else {}
    return {**cursor, "watermark": bound.isoformat(timespec="seconds"), **ties}


def watermark(cursor: Cursor | None) -> datetime | None:
    """Return the moment under ``watermark`` where the cursor has one in ISO 8601 with its zone."""
    text = (cursor or {}).get("watermark")
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
