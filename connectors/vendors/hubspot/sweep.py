"""Every association as a row of its own. Nothing at HubSpot tells when one comes or goes, so all are read at times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.connector import Mode, Page
from connectors.landing import RAW_SCHEMA, RecordShape, land_records
from connectors.vendors.hubspot.records import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.connector import Cursor, SyncOptions
    from connectors.manifest import EntitySpec
    from connectors.vendors.hubspot.portal import Portal

_SHAPE = RecordShape("$", "id")


def sweep(portal: Portal, spec: EntitySpec, options: SyncOptions) -> Iterator[Page]:
    """Yield all associations; the last page says that they were all."""
    for kind, targets in TARGETS.items():
        for ids in portal.every_id(kind) if targets else ():
            for target in targets:
                rows = [
                    _row(kind, key, target, other)
                    for key, others in portal.associated(kind, target, ids).items()
                    for other in others
                ]
                landed = land_records(rows, _SHAPE)
                yield Page(landed.table, None, has_more=True, unreadable=landed.unreadable)
    place = {"swept": (options.started_at - spec.settle).isoformat()}
    proof = ("",) if options.mode is Mode.INCREMENTAL else ()  # a full read is proof by itself
    yield Page(RAW_SCHEMA.empty_table(), place, has_more=False, seen_whole=proof)


def not_due(cursor: Cursor) -> Iterator[Page]:
    """Yield the one page of a sync that comes before the next sweep is due."""
    yield Page(RAW_SCHEMA.empty_table(), dict(cursor), has_more=False)


def _row(kind: str, key: str, target: str, other: dict[str, Any]) -> dict[str, Any]:
    to = other["toObjectId"]
    return {
        "id": f"{kind}:{key}:{target}:{to}",
        "from": {"type": kind, "id": key},
        "to": {"type": target, "id": to},
        "associationTypes": other["associationTypes"],
    }
