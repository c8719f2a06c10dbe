"""A small vendor in memory and an honest connector to it: what the conformance checks are tried on.

It is not a stand-in for any vendor; it exists so that one fault at a time can be planted in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from connectors.connector import (
    Credentials,
    Cursor,
    DeleteDetection,
    Entity,
    FieldMapping,
    Page,
    SyncOptions,
)
from connectors.errors import Reauthorise, Retry
from connectors.landing import RAW_SCHEMA
from tests.stand_ins import QuietConnector

START = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = "correct-horse-battery-staple"
PAGE = 4

THING = Entity(
    name="thing",
    description="Something the scripted vendor holds",
    key="$.id",
    cursor="updated",
    settle=timedelta(minutes=5),
    delete_detection=DeleteDetection.BOTH,
)


@dataclass(frozen=True, slots=True)
class Thing:
    """One record of the scripted vendor."""

    id: str
    updated: datetime
    is_deleted: bool = False
    note: str = ""

    def row(self) -> dict[str, Any]:
        payload = json.dumps({"id": self.id, "note": self.note})
        return {
            "external_id": self.id,
            "source_updated_at": self.updated,
            "is_deleted": self.is_deleted,
            "payload": payload,
            "payload_hash": hashlib.blake2b(payload.encode(), digest_size=16).hexdigest(),
        }


def things() -> list[Thing]:
    """Twenty records, seven of which share one moment across two pages; one deleted, one from just now."""
    tied = START - timedelta(days=2)
    early = [Thing(f"a{n}", START - timedelta(days=9 - n)) for n in range(5)]
    same = [Thing(f"t{n}", tied) for n in range(7)]
    late = [Thing(f"z{n}", START - timedelta(hours=30 - n)) for n in range(6)]
    return [*early, *same, *late, Thing("gone", START - timedelta(hours=5), is_deleted=True), Thing("now", START)]


@dataclass
class Vendor:
    """The scripted vendor: its records, whether it knows us, and which of its pages is broken."""

    records: list[Thing] = field(default_factory=things)
    knows_us: bool = True
    broken_page: int | None = None


class HonestConnector(QuietConnector):
    """Reads the scripted vendor as a connector should."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(START)
        self.vendor = vendor

    def authenticate(self) -> Credentials:
        if not self.vendor.knows_us:
            raise Reauthorise("unauthorised", "the key is refused")
        return Credentials("https://things.example.com", auth=None)

    def entities(self) -> list[Entity]:
        return [THING]

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        del credentials
        bound = options.started_at - THING.settle
        resume: Cursor | None = cursor
        pages = self.cut(self.after(cursor))
        for number, page in enumerate(pages):
            if number == self.vendor.broken_page:
                raise Retry("malformed_page", "the page breaks off")
            if safe := [record for record in page if record.updated <= bound]:
                resume = self.cursor_of(safe)
            yield Page(table(page), resume, has_more=number + 1 < len(pages))

    def after(self, cursor: Cursor | None) -> list[Thing]:
        ordered = sorted(self.vendor.records, key=lambda record: (record.updated, record.id))
        if cursor is None:
            return ordered
        place = (datetime.fromisoformat(cursor["updated"]), cursor["id"])
        return [record for record in ordered if (record.updated, record.id) > place]

    def cursor_of(self, page: Sequence[Thing]) -> Cursor:
        return {"updated": page[-1].updated.isoformat(), "id": page[-1].id}

    def cut(self, records: list[Thing]) -> list[list[Thing]]:
        return [records[at : at + PAGE] for at in range(0, len(records), PAGE)] or [[]]

    def get_schema(self, credentials: Credentials | None = None) -> list[FieldMapping]:
        del credentials
        return [FieldMapping("thing", "id", "string"), FieldMapping("thing", "note", "string")]


def table(records: Sequence[Thing]) -> pa.Table:
    """Return records as raw rows."""
    return pa.Table.from_pylist([record.row() for record in records], schema=RAW_SCHEMA)
