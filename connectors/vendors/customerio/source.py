"""The Customer.io connector. Code, for three entities that cannot be described.

People are enumerated in one call and read, a hundred at a time, in another; afterwards only those are read again that
the activity log names. Activities come newest first without a time filter. Messages take windows of at most thirty days
and are read again for as long as their metrics may change. Campaigns and segments are described in connector.yml.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from connectors import registry
from connectors.connector import Mode, Page
from connectors.declarative.engine import GenericConnector
from connectors.errors import Resync, Stop
from connectors.landing import RAW_SCHEMA, Landed, RecordShape, land, tombstones
from connectors.vendors.customerio.log import Changes, later, reaches_back
from connectors.vendors.customerio.profiles import dated
from connectors.vendors.customerio.workspace import (
    ACTIVITIES_PER_PAGE,
    IDS_PER_PAGE,
    MESSAGES_PER_PAGE,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from connectors.connector import Credentials, Cursor, Entity, SyncOptions
    from connectors.manifest import EntitySpec, Manifest

_EPOCH = datetime.fromtimestamp(0, UTC)
_LOG_REACH = timedelta(days=29)  # activities are kept for about thirty days; a day is left for doubt
_QUIET = timedelta(days=7)  # the place moves on in a log without entries, before the log forgets it
_WINDOW = timedelta(days=30)  # the longest span one question for messages may cover
_HISTORY_DAYS = 180
_LONGEST_HISTORY_DAYS = 10_000  # longer than the vendor exists


class CustomerioConnector(GenericConnector):
    """Reads one Customer.io workspace through its App API."""

    manifest: ClassVar[Manifest] = registry.manifest("customerio")
    mapping: ClassVar[Path] = registry.mapping_path("customerio")

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read one entity; those without code of their own are read as described."""
        known = None if options.mode is Mode.FULL else cursor
        workspace = Workspace(self.context.transport, credentials)
        if options.entity == "people":
            yield from self._people(workspace, known, options)
        elif options.entity == "activities":
            yield from self._activities(workspace, known, options)
        elif options.entity == "messages":
            yield from self._messages(workspace, known, options)
        else:
            yield from super().sync(credentials, cursor, options)

    def _people(self, workspace: Workspace, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read everyone, or those whom the activity log names since the cursor."""
        entity = self.manifest.spec("people").entity()
        since = _since(cursor, entity)
        changed = Changes.since(workspace, since)
        now = workspace.vendor_time or options.started_at
        if since is not None and now - since > _LOG_REACH:
            raise Resync("activities_gap", "the activity log no longer reaches back to the last read of people")
        bound = min(now, options.started_at) - entity.settle
        reached = _held_back(later(changed.newest, bound - _QUIET), cursor, bound)
        if since is None:
            for ids, unnamed, more in workspace.everyone(limit=min(options.page_size or IDS_PER_PAGE, IDS_PER_PAGE)):
                landed = self._profiles(workspace, ids, {}, now)
                unreadable = (*unnamed, *landed.unreadable)
                yield Page(landed.table, None if more else reached, has_more=more, unreadable=unreadable)
            return
        gone = tombstones([(key, min(moment, now)) for key, moment in sorted(changed.gone.items())])
        landed = self._profiles(workspace, sorted(changed.ids.keys() - changed.gone.keys()), changed.ids, now)
        rows = pa.concat_tables([gone, landed.table])
        yield Page(rows, reached, has_more=False, unreadable=landed.unreadable)

    def _profiles(self, workspace: Workspace, ids: list[str], logged: Mapping[str, datetime], now: datetime) -> Landed:
        shape = _shape(self.manifest.spec("people"))
        parts = [land(body, shape) for body in workspace.attributes(ids)]
        tables = [RAW_SCHEMA.empty_table(), *(part.table for part in parts)]
        rows = dated(pa.concat_tables(tables), logged, later(workspace.vendor_time, now) or now)
        return Landed(rows, tuple(each for part in parts for each in part.unreadable))

    def _activities(self, workspace: Workspace, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read the log from its newest entry down to the cursor; it may be resumed only once that is reached."""
        spec = self.manifest.spec("activities")
        since = _since(cursor, spec.entity())
        bound = options.started_at - spec.settle
        newest: datetime | None = None
        limit = min(options.page_size or ACTIVITIES_PER_PAGE, ACTIVITIES_PER_PAGE)
        for body, more in workspace.activities(limit=limit):
            landed = land(body, _shape(spec))
            newest = later(newest, _newest(landed.table, bound))
            moments = landed.table["source_updated_at"].to_pylist()
            last = not more or (since is not None and reaches_back(moments, since))
            place = _held_back(newest, cursor, bound) if last else None
            yield Page(landed.table, place, has_more=not last, unreadable=landed.unreadable)
            if last:
                return

    def _messages(self, workspace: Workspace, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read deliveries in windows, oldest first, from a trailing stretch before the cursor on."""
        spec = self.manifest.spec("messages")
        next(workspace.activities(limit=1))  # for the vendor's clock: windows end at its present, not at ours
        now = workspace.vendor_time or options.started_at
        bound = min(now, options.started_at) - spec.settle
        start = _since(cursor, spec.entity()) or now - timedelta(days=self._history_days())
        newest: datetime | None = None
        limit = min(options.page_size or MESSAGES_PER_PAGE, MESSAGES_PER_PAGE)
        while start <= now:
            end = min(start + _WINDOW, now)
            for body, more in workspace.messages(start, end, limit=limit):
                landed = land(body, _shape(spec))
                newest = later(newest, _newest(landed.table, bound))
                whole = not more
                last = whole and end == now
                place = _held_back(newest, cursor, bound) if whole else None
                yield Page(landed.table, place, has_more=not last, unreadable=landed.unreadable)
            if end == now:
                return
            start = end

    def _history_days(self) -> int:
        days = str(self.context.settings.get("history_days") or _HISTORY_DAYS)
        if not days.isdecimal() or int(days) > _LONGEST_HISTORY_DAYS:
            raise Stop("bad_setting", f"the setting 'history_days' must be a number up to {_LONGEST_HISTORY_DAYS:,}")
        return int(days)


def _shape(spec: EntitySpec) -> RecordShape:
    return RecordShape(spec.items, spec.key, spec.timestamp, spec.timestamp_format, spec.deleted)


def _since(cursor: Cursor | None, entity: Entity) -> datetime | None:
    """Return the moment an incremental read starts at: the watermark less what is read again."""
    watermark = _watermark(cursor)
    return None if watermark is None else watermark - entity.lag


def _watermark(cursor: Cursor | None) -> datetime | None:
    """Return the moment a cursor stands at; one that says none, or none there was a Customer.io at, is lost."""
    if not cursor:
        return None
    try:
        moment = datetime.fromisoformat(cursor["watermark"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        moment = _EPOCH
    if moment <= _EPOCH:
        raise Resync("cursor_unreadable", "the stored cursor is not a time; the entity is read in full")
    return moment


def _held_back(newest: datetime | None, cursor: Cursor | None, bound: datetime) -> Cursor | None:
    """Return the cursor for what was read: never past ``bound``, never behind the one there was, None for neither."""
    reached = later(_watermark(cursor), newest and min(newest, bound))
    if reached is None or reached <= _EPOCH:
        return None
    return {"watermark": reached.astimezone(UTC).isoformat(timespec="seconds")}


def _newest(rows: pa.Table, bound: datetime) -> datetime | None:
    """Return the newest timestamp of some rows; one later than ``bound`` is no place to go on from."""
    stamps = rows["source_updated_at"]
    moment: datetime | None = pc.max(stamps.filter(pc.less_equal(stamps, pa.scalar(bound, stamps.type)))).as_py()
    return moment


CONNECTOR = CustomerioConnector
