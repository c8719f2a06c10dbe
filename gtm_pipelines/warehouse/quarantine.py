"""Records no row could be made of: kept in ``quality.quarantine`` with the reason and the way back, never dropped.

Refinement writes its own rows (failed rules of mapped fields) to the same table; here is only what ingest knows.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import sql_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.connector import Unreadable
    from gtm_pipelines.warehouse.protocol import Warehouse

RULE_PREFIX = "unreadable:"


def record(warehouse: Warehouse, connection: str, entity: str, found: Sequence[Unreadable], *, at: datetime) -> None:
    """Store unreadable records; one seen before is the same row with a later ``last_seen``, open again."""
    import pyarrow as pa

    unique = {(record_id(each), each.reason): each for each in found}
    if not unique:
        return
    rows = pa.table(
        {
            "record_id": pa.array([key for key, _ in unique], pa.string()),
            "external_id": pa.array([each.external_id for each in unique.values()], pa.string()),
            "rule": pa.array([RULE_PREFIX + reason for _, reason in unique], pa.string()),
            "value": pa.array([_storable(each.raw) for each in unique.values()], pa.string()),
        }
    )
    here = {"connection": connection, "entity": entity, "at": at}
    with warehouse.registered("unreadable", rows), warehouse.transaction():
        warehouse.fetch("quality.quarantine", on=["record_id"], keys="SELECT record_id FROM unreadable")
        warehouse.execute(sql_files.load("warehouse/quarantine_seen.sql"), here)
        warehouse.execute(sql_files.load("warehouse/quarantine_new.sql"), here)


def resolve(warehouse: Warehouse, connection: str, entity: str, readable: str) -> int:
    """Close the open rows of records that are readable now: those whose id the query ``readable`` gives."""
    unreadable = f"status = 'open' AND starts_with(rule, '{RULE_PREFIX}')"
    with warehouse.transaction():
        warehouse.fetch("quality.quarantine", where=unreadable)
        if not warehouse.rows(f"SELECT 1 FROM quality.quarantine WHERE {unreadable} LIMIT 1"):
            return 0
        return warehouse.execute(
            f"UPDATE quality.quarantine SET status = 'resolved' WHERE connection = $connection AND entity = $entity"
            f" AND {unreadable} AND external_id IN ({readable})",
            {"connection": connection, "entity": entity},
        )


def record_id(unreadable: Unreadable) -> str:
    """Return the vendor's id, or where there is none a fingerprint of the text, so that seeing it again is known."""
    if unreadable.external_id is not None:
        return unreadable.external_id
    return "text:" + blake2b(unreadable.raw.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _storable(text: str) -> str:
    """Return text any warehouse can hold: no NUL, no lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:2000]
