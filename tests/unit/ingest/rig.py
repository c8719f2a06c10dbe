"""A vendor that does what a test tells it, a control plane on disk, and one way to sync against them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import pyarrow as pa

from connectors.connector import (
    Connector,
    Credentials,
    Cursor,
    Entity,
    Mode,
    Page,
    SyncOptions,
    Unreadable,
)
from connectors.landing import RAW_SCHEMA
from gtm_pipelines.control_plane import ControlPlane
from gtm_pipelines.ingest import SyncReport, sync_connection
from gtm_pipelines.ingest.state import EntityState, read_states
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from tests.stand_ins import QuietConnector

START = datetime(2026, 3, 1, tzinfo=UTC)
Row = dict[str, Any]
Play = Callable[[Cursor | None, SyncOptions], Iterator[Page]]


def at(minutes: float) -> datetime:
    """Return a moment of the vendor's clock."""
    return START + timedelta(minutes=minutes)


def mark(minutes: float) -> dict[str, str]:
    """Return a watermark."""
    return {"watermark": at(minutes).isoformat()}


def row(
    key: str, minutes: float | None = 0, value: str | None = "{}", *, deleted: bool | None = None
) -> dict[str, Any]:
    """Make a raw row; a value of None is a tombstone."""
    digest = None if value is None else blake2b(value.encode(), digest_size=16).hexdigest()
    return {
        "external_id": key,
        "source_updated_at": None if minutes is None else at(minutes),
        "is_deleted": value is None if deleted is None else deleted,
        "payload": value,
        "payload_hash": digest,
    }


def page(
    rows: Sequence[Row] = (),
    cursor: Cursor | None = None,
    *,
    more: bool = False,
    unreadable: Sequence[Unreadable] = (),
) -> Page:
    return Page(pa.Table.from_pylist(list(rows), schema=RAW_SCHEMA), cursor, more, tuple(unreadable))


def entity(name: str = "people", **changes: Any) -> Entity:
    known: dict[str, Any] = {"description": name, "key": "$.id", "cursor": "updated"}
    return Entity(name, **(known | changes))


class ScriptedConnector(QuietConnector):
    """Plays what the vendor's script says, and remembers what it was asked."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(START)
        self.vendor = vendor

    def authenticate(self) -> Credentials:
        if self.vendor.refusal is not None:
            raise self.vendor.refusal
        return super().authenticate()

    def entities(self) -> list[Entity]:
        return self.vendor.entities

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        del credentials
        self.vendor.asked.append((options.entity, cursor, options.mode))
        for each in self.vendor.plays[options.entity](cursor, options):
            self.context.transport.stats.add(requests=1, size=100)
            yield each


@dataclass
class Vendor:
    """What the vendor has and does; ``plays`` are functions of the cursor and the options."""

    entities: list[Entity] = field(default_factory=lambda: [entity()])
    plays: dict[str, Play] = field(default_factory=dict)
    asked: list[tuple[str, Cursor | None, Mode]] = field(default_factory=list)
    refusal: Exception | None = None

    def says(self, *script: Page | Exception, entity: str = "people") -> None:
        """Answer the next reads of an entity with these pages, and raise what is an exception."""

        def play(_: Cursor | None, __: SyncOptions) -> Iterator[Page]:
            for each in script:
                if isinstance(each, Exception):
                    raise each
                yield each

        self.plays[entity] = play


@dataclass
class Rig:
    """One tenant with one connection to a scripted vendor."""

    settings: Settings
    control: ControlPlane
    vendor: Vendor
    now: datetime = field(default=START + timedelta(days=30))

    def sync(self, **changes: Any) -> SyncReport:
        @contextmanager
        def opener(*_: object) -> Iterator[Connector]:
            yield ScriptedConnector(self.vendor)

        self.now += timedelta(minutes=15)
        return sync_connection(
            self.settings, self.control, "acme", "crm", clock=lambda: self.now, opener=opener, **changes
        )

    def stored(self, entity: str = "people") -> dict[str, tuple[Any, ...]]:
        """Return what is stored: (minutes, deleted, payload) by id."""
        with open_warehouse(self.settings, "acme") as warehouse:
            found = warehouse.rows(
                "SELECT external_id, source_updated_at, is_deleted, payload::VARCHAR FROM "
                + warehouse.raw_table("crm", entity)
            )
        keys = [each[0] for each in found]
        assert len(keys) == len(set(keys)), "a key is stored twice"
        if self.settings.warehouse_url is not None:  # jsonb keeps what a payload says, not how it is spelt
            found = [(k, t, d, p and json.dumps(json.loads(p), separators=(",", ":"))) for k, t, d, p in found]
        return {k: ((t - START).total_seconds() / 60 if t else None, d, p) for k, t, d, p in found}

    def has_table(self, entity: str = "people") -> bool:
        """Tell whether an entity has its raw table."""
        with open_warehouse(self.settings, "acme") as warehouse:
            return warehouse.has_table("raw_crm", entity)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with open_warehouse(self.settings, "acme") as warehouse:
            return warehouse.rows(sql)

    def state(self, entity: str = "people") -> EntityState:
        with open_warehouse(self.settings, "acme") as warehouse:
            return read_states(warehouse, "crm").get(entity, EntityState())
